// The Matrix edges put together as main.ts does it: what a setting of the table does to the facts.
import { readConfig } from '@citypresence/chassis/config'
import { createMetrics } from '@citypresence/chassis/metrics'
import { startTelemetry } from '@citypresence/chassis/telemetry'
import { startHomeserver } from '@citypresence/sim/homeserver'
import { afterEach, expect, it } from 'vitest'
import { settings } from './config.ts'
import type { Fact } from './core/sync-facts.ts'
import { openMatrix } from './matrix.ts'
import { createAggregatorMetrics } from './metrics.ts'
import { silentLogger } from './testing/matrix.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

type Act = (homeserver: Homeserver) => void

/** The facts of a first sync under these settings, or, where something is done after it, those of the next one. */
async function factsUnder(env: Record<string, string>, act: Act, later?: Act): Promise<Fact[]> {
  const homeserver = await startHomeserver()
  stops.push(() => homeserver.stop())
  const daemon = homeserver.account('presence_daemon')
  act(homeserver)
  const read = readConfig(
    settings,
    {
      MATRIX_HS_URL: homeserver.url,
      MATRIX_ACCESS_TOKEN: daemon.accessToken,
      MATRIX_USER_ID: daemon.userId,
      CITY_SERVICE_INTERNAL_URL: homeserver.url,
      NATS_URL: 'nats://nowhere:4222',
      ...env,
    },
    { read: () => '' },
  )
  if (!read.ok) throw new Error(read.mistakes.join('; '))
  const telemetry = await startTelemetry({ service: 'aggregator', endpoint: undefined, sampleRatio: 0 })
  const numbers = createAggregatorMetrics(createMetrics('aggregator'))
  const matrix = openMatrix({
    config: read.config,
    log: silentLogger,
    numbers,
    countError: () => undefined,
    startSpan: (name, options) => telemetry.startSpan(name, options),
    lookoutsIn: () => [],
    isBlind: () => false,
  })
  stops.push(() => matrix.stop())
  for await (const batch of matrix.source.batches(AbortSignal.timeout(20_000))) {
    const facts: Fact[] = []
    for await (const slice of batch.slices) facts.push(...slice)
    if (batch.initial && later !== undefined) later(homeserver)
    else return facts
  }
  throw new Error('no answer came')
}
type Homeserver = Awaited<ReturnType<typeof startHomeserver>>

it.each(['online', 'offline'] as const)(
  '[M7] UNKNOWN_PRESENCE=%s says how a state that nobody knows yet counts',
  async (word) => {
    const ada = '@ada:test.local'
    const facts = await factsUnder({ UNKNOWN_PRESENCE: word }, (homeserver) => {
      const members = [homeserver.account('presence_daemon').userId, homeserver.account('ada').userId]
      homeserver.script.createRoom({ members })
      homeserver.script.presence(ada, 'org.example.dreaming' as never)
    })
    expect(facts.filter(({ kind }) => kind === 'presence')).toEqual([
      expect.objectContaining({ kind: 'presence', userId: ada, state: word }),
    ])
  },
)

it.each(['on', 'off'])('[N7] with ACTIVITY=%s joins and leaves are told; messages with on only', async (activity) => {
  let roomId = ''
  const [ada, ben, cem] = ['@ada:test.local', '@ben:test.local', '@cem:test.local'] as const
  const facts = await factsUnder(
    { ACTIVITY: activity },
    (homeserver) => {
      for (const name of ['ada', 'ben', 'cem']) homeserver.account(name)
      const members = [homeserver.account('presence_daemon').userId, ada, ben]
      roomId = homeserver.script.createRoom({ members })
    },
    ({ script }) => {
      script.send(ada, roomId)
      script.leave(ben, roomId)
      script.join(cem, roomId)
    },
  )
  const told = facts.map((fact) => [fact.kind, 'userId' in fact ? fact.userId : ''].join(' ').trim())
  const moves = [`left ${ben}`, `joined ${cem}`]
  expect(told.filter((word) => /left|joined @/.test(word))).toEqual(moves)
  expect(told.includes('activity')).toBe(activity === 'on')
})
