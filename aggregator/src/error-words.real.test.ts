// The aggregator as a process that meets trouble: each kind is one word, the same in the log, in errors_total and, while it keeps
// the aggregator from its duty, in /readyz; and lines that a sampled span wrote carry its ids.
import { startHomeserver, type Homeserver } from '@citypresence/sim/homeserver'
import { startCityService, type CityService } from '@citypresence/stack/city-service'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startAggregator, type Service } from '@citypresence/stack/service'
import { until } from '@citypresence/stack/until'
import { afterEach, beforeEach, expect, it } from 'vitest'

let nats: NatsServer
let homeserver: Homeserver
let cityService: CityService
let aggregator: Service
const stops: (() => unknown)[] = []

async function keep<T extends { stop(): unknown }>(starting: Promise<T>): Promise<T> {
  const part = await starting
  stops.push(() => part.stop())
  return part
}

beforeEach(async () => {
  nats = await keep(startNats())
  homeserver = await keep(startHomeserver())
  cityService = await keep(startCityService())
})
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function start(traceSampleRatio: string): Promise<void> {
  const daemon = homeserver.account('presence_daemon')
  const { user, pass } = nats.leader
  aggregator = await keep(
    startAggregator({
      waitFor: 'healthz',
      env: {
        MATRIX_HS_URL: homeserver.url,
        MATRIX_ACCESS_TOKEN: daemon.accessToken,
        MATRIX_USER_ID: daemon.userId,
        CITY_SERVICE_INTERNAL_URL: cityService.url,
        NATS_URL: nats.url,
        NATS_USER: user,
        NATS_PASSWORD: pass,
        // Polls are a third of it, so that the next one soon meets what went wrong meanwhile.
        STALE_AFTER_MS: '3000',
        ROOM_REFRESH_INTERVAL_MS: '1000',
        TRACE_SAMPLE_RATIO: traceSampleRatio,
      },
    }),
  )
}

const linesOf = (code: string) => aggregator.logLines().filter((line) => line['code'] === code)

async function reasons(): Promise<string> {
  const { reasons: all } = (await (await fetch(`${aggregator.adminUrl}/readyz`)).json()) as { reasons: string[] }
  return all.join('; ')
}

/** In log and metric, and in /readyz where it keeps the aggregator from its duty. */
const isTold = (code: string, where: { isInReadyz?: boolean; isCause?: boolean } = {}) =>
  until(
    async () => {
      if (where.isInReadyz === true && !(await reasons()).includes(`${code}: `)) return false
      if (where.isCause !== true && linesOf(code).length === 0) return false
      return new RegExp(`_errors_total\\{code="${code}"\\} [1-9]`).test(await aggregator.metrics())
    },
    { deadlineMs: 20_000, what: `${code} in log, metric${where.isInReadyz === true ? ' and /readyz' : ''}` },
  )

it('[C1] [C6] [M56] what goes wrong is one word in log, metric and /readyz, and sampled lines carry the ids of their span', async () => {
  cityService.behaviour = { kind: 'fail', status: 500 }
  // A homeserver without presence answers all the same; nobody being online is what has it probed.
  homeserver.stopTrackingPresence()
  const members = [homeserver.account('presence_daemon').userId, homeserver.account('ada').userId]
  const open = homeserver.script.createRoom({ members })
  const closed = homeserver.script.createRoom({ isPublic: false })
  await start('1')
  await isTold('RoomDirectoryUnreadable', { isInReadyz: true })
  await isTold('HttpRefused', { isCause: true })
  cityService.rooms = [open, closed].map((roomId, index) => ({ slug: `room${index}`, matrix_room_id: roomId }))
  cityService.behaviour = { kind: 'answer' }
  await isTold('MatrixJoinFailed')
  await isTold('MatrixPresenceOff', { isInReadyz: true })
  cityService.rooms = [{ slug: 'Bad Slug', matrix_room_id: open }]
  await isTold('RoomDirectoryRefused')
  homeserver.fault({ path: /^\/sync/, fault: { kind: 'status', status: 500 } })
  await isTold('MatrixUnreachable', { isInReadyz: true })
  const failed = aggregator.logLines().find(({ msg }) => msg === 'no answer from /sync')
  expect(failed?.['trace_id']).toMatch(/^[0-9a-f]{32}$/)
  expect(failed?.['span_id']).toMatch(/^[0-9a-f]{16}$/)
})

it('[C6] without tracing no line carries an id', async () => {
  homeserver.fault({ path: /^\/sync/, fault: { kind: 'status', status: 500 } })
  await start('0')
  await isTold('MatrixUnreachable')
  expect(aggregator.log()).not.toMatch(/trace_id|span_id/)
})
