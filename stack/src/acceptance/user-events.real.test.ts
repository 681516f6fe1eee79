// User events: a stream of their own, published when somebody's state changes, erased when the last shared room is left, and
// out of reach of every gateway.
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stopAll } from '../stop-all.ts'
import { until } from '../until.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'

let whole: WholeCity
let admin: NatsConnection

beforeAll(async () => {
  const aggregatorEnv = { USER_EVENTS: 'on' }
  whole = await startWholeCity({ size: 'small', gateways: 1, throttleMs: 100, quiet: true, aggregatorEnv })
  const { user, pass } = whole.nats.admin
  admin = await connect({ servers: whole.nats.url, user, pass })
})

afterAll(() => stopAll(admin, whole))

type Stored = { event: Record<string, unknown>; headers: string } | undefined

async function stored(localpart: string): Promise<Stored> {
  const question = JSON.stringify({ last_by_subj: `city.presence.user.${localpart}` })
  const reply = await admin.request('$JS.API.STREAM.MSG.GET.CITY_PRESENCE_USERS', question, { timeout: 5_000 })
  const { message } = reply.json<{ message?: { data: string; hdrs?: string } }>()
  if (message === undefined) return undefined
  return {
    event: JSON.parse(Buffer.from(message.data, 'base64').toString()) as Record<string, unknown>,
    headers: Buffer.from(message.hdrs ?? '', 'base64').toString(),
  }
}

const untilStored = (localpart: string, fits: (stored: Stored) => boolean, what: string): Promise<unknown> =>
  until(async () => fits(await stored(localpart)), { deadlineMs: 20_000, what, everyMs: 100 })

it("[CITY16] a user's state is published with the seed's keys when it changes", async () => {
  const ada = whole.city.clientOf('ada')
  await ada.setPresence('online')
  await untilStored('ada', (one) => one?.event['status'] === 'online', 'ada online')
  const event = (await stored('ada'))?.event
  expect(event).toMatchObject({ type: 'user.presence', matrix_user_id: ada.userId, status: 'online' })
  expect(Number.isInteger(event?.['last_active_ts'])).toBe(true)
  await ada.setPresence('offline')
  await untilStored('ada', (one) => one?.event['status'] === 'offline', 'ada offline')
})

it('[CITY17] whoever leaves the last shared room is erased by a last word that expires', async () => {
  const boris = whole.city.clientOf('boris')
  await boris.setPresence('online')
  await untilStored('boris', (one) => one?.event['status'] === 'online', 'boris online')
  for (const roomId of await boris.joinedRooms()) await boris.leave(roomId)
  const isLastWord = (one: Stored): boolean => one === undefined || one.headers.includes('Nats-TTL')
  await untilStored('boris', isLastWord, 'the last word about boris')
  // The server expires it after half a minute.
  await until(async () => (await stored('boris')) === undefined, {
    deadlineMs: 60_000,
    what: 'boris to be forgotten',
    everyMs: 500,
  })
})

it('[CITY18] a gateway can neither read nor hear a user', async () => {
  const { user, pass } = whole.nats.gateway
  const gateway = await connect({ servers: whole.nats.url, user, pass, inboxPrefix: '_INBOX_gateway' })
  const heard: string[] = []
  gateway.subscribe('city.presence.>', { callback: (_, message) => void heard.push(message.subject) })
  await whole.city.clientOf('chidi').setPresence('online')
  await untilStored('chidi', (one) => one?.event['status'] === 'online', 'chidi online')
  await until(() => heard.some((subject) => subject.startsWith('city.presence.room.')), {
    deadlineMs: 10_000,
    what: 'the rooms to be heard',
  })
  expect(heard.filter((subject) => subject.includes('.user.'))).toEqual([])
  const question = JSON.stringify({ last_by_subj: 'city.presence.user.chidi' })
  await expect(
    gateway.request('$JS.API.DIRECT.GET.CITY_PRESENCE_USERS', question, { timeout: 2_000 }),
  ).rejects.toThrow()
  await gateway.close()
})
