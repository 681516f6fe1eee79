// One voice: what a deposed or a dying leader writes is heard by nobody, up to the browser's socket; and a leader that finds
// itself deposed ends. The foul play is done with the leader's own rights, so that only the fence can refuse it.
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stopAll } from '../stop-all.ts'
import { until } from '../until.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'
import { openSocket, type SocketLog } from './socket-log.ts'

let whole: WholeCity
let foul: NatsConnection
let browser: SocketLog
let slug: string

beforeAll(async () => {
  whole = await startWholeCity({ size: 'small', gateways: 1, throttleMs: 100, quiet: true })
  const { user, pass } = whole.nats.leader
  foul = await connect({ servers: whole.nats.url, user, pass, inboxPrefix: '_INBOX_aggregator' })
  slug = whole.city.rooms[0]?.slug ?? ''
  browser = openSocket(`${whole.gateways[0]?.webSocketUrl ?? ''}?token=${whole.token}`)
  await browser.next(({ type }) => type === 'snapshot', 'a snapshot')
})

afterAll(() => stopAll(browser, foul, whole))

const lie = 777 // a count that no room of eight residents can have
const ghost = () =>
  JSON.stringify({
    type: 'room.presence',
    room_slug: slug,
    matrix_room_id: whole.city.roomOf(slug).roomId,
    matrix_room_alias: null,
    online_count: lie,
    typing_count: 0,
    typing_users: [],
    last_event_ts: Date.now(),
  })

type EpochRecord = { term: number; sequence: number }

async function recordedEpoch(): Promise<EpochRecord> {
  const question = JSON.stringify({ last_by_subj: 'city.presence.epoch' })
  const reply = await foul.request('$JS.API.STREAM.MSG.GET.CITY_PRESENCE', question, { timeout: 5_000 })
  const { message } = reply.json<{ message: { seq: number; data: string } }>()
  const { term } = JSON.parse(Buffer.from(message.data, 'base64').toString()) as { term: number }
  return { term, sequence: message.seq }
}

function fenced(batch: string, sequence: number, epoch: EpochRecord): ReturnType<typeof headers> {
  const fields = headers()
  fields.set('Nats-Batch-Id', batch)
  fields.set('Nats-Batch-Sequence', String(sequence))
  fields.set('Nats-Expected-Last-Subject-Sequence', String(epoch.sequence))
  fields.set('Nats-Expected-Last-Subject-Sequence-Subject', 'city.presence.epoch')
  fields.set('Presence-Epoch', `${epoch.term}.${epoch.sequence}`)
  return fields
}

const subject = () => `ingest.city.presence.room.${slug}`
const shownLies = () => JSON.stringify(browser.messages).includes(String(lie))

/** A real change passes the whole way: whatever was sent before it has had its chance. */
async function untilNewsArrives(): Promise<void> {
  const after = browser.messages.length
  const ada = whole.city.clientOf('ada')
  const home = whole.city.residents.find(({ localpart }) => localpart === 'ada')?.rooms[0] ?? ''
  await ada.typing(whole.city.roomOf(home).roomId, true)
  await browser.next((one) => one['room_slug'] === home && one['typing_count'] === 1, 'ada typing', after)
  await ada.typing(whole.city.roomOf(home).roomId, false)
  await browser.next((one) => one['room_slug'] === home && one['typing_count'] === 0, 'ada silent', after)
}

it('[CITY11] a batch under a stale epoch is refused and heard by nobody', async () => {
  const epoch = await recordedEpoch()
  const stale = { ...epoch, sequence: epoch.sequence - 1 }
  const first = fenced('stale-batch', 1, stale)
  await foul.request(subject(), ghost(), { headers: first, timeout: 5_000 })
  const last = fenced('stale-batch', 2, stale)
  last.set('Nats-Batch-Commit', '1')
  const answer = await foul.request(subject(), ghost(), { headers: last, timeout: 5_000 })
  expect(answer.json<{ error?: { err_code: number } }>().error?.err_code).toBe(10071)
  await untilNewsArrives()
  expect(shownLies()).toBe(false)
})

it('[CITY12] a batch that is never finished is heard by nobody', async () => {
  const epoch = await recordedEpoch()
  await foul.request(subject(), ghost(), { headers: fenced('unfinished', 1, epoch), timeout: 5_000 })
  await untilNewsArrives()
  expect(shownLies()).toBe(false)
})

it('[CITY13] a leader that is deposed by a higher term ends with code 3, and the browser is told that its counts are stale', async () => {
  const epoch = await recordedEpoch()
  const claim = headers()
  claim.set('Nats-Expected-Last-Subject-Sequence', String(epoch.sequence))
  const record = JSON.stringify({ term: epoch.term + 1, holder: 'somebody-else', city: 'demo' })
  const answer = await foul.request('ingest.city.presence.epoch', record, { headers: claim, timeout: 5_000 })
  expect(answer.json<{ seq?: number }>().seq).toBeGreaterThan(epoch.sequence)
  const { code } = await whole.aggregator.exited
  expect(code).toBe(3)
  await browser.next(({ type, stale }) => type === 'status' && stale === true, 'the stale mark')
})

it('[CITY14] the next leader takes over, and the counts live again', async () => {
  const after = browser.messages.length
  const next = await whole.addAggregator()
  await browser.next(({ type, stale }) => type === 'status' && stale === false, 'the end of the stale mark', after)
  await until(async () => (await fetch(`${next.adminUrl}/readyz`)).status === 200, {
    deadlineMs: 20_000,
    what: 'the next leader to be ready',
  })
  await untilNewsArrives()
  expect(shownLies()).toBe(false)
})
