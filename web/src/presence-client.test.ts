// The client with Node's own WebSocket and fetch (the browser's interfaces) against a real socket server in this process.
import { comeBackAfter } from '@citypresence/wire/client-messages'
import { until } from '@citypresence/stack/until'
import { afterEach, expect, it } from 'vitest'
import type { GlobalPresence } from './core/global-presence.ts'
import { createPresenceClient, type PresenceClient, type TokenSource } from './presence-client.ts'
import { room, startLittleGateway, update, type LittleGateway } from './testing/little-gateway.ts'

const open: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function city(token: TokenSource = 'a.b.c', before: (gateway: LittleGateway) => void = () => undefined) {
  const gateway = await startLittleGateway([room('energy', 5), room('general', 2)])
  before(gateway)
  const client = createPresenceClient({ url: gateway.origin, token })
  open.push(() => gateway.stop(), client.close)
  client.subscribe(() => undefined)
  return { gateway, client }
}

const sees = (client: PresenceClient, what: string, fact: (presence: GlobalPresence) => boolean): Promise<true> =>
  until(() => fact(client.getSnapshot()), { deadlineMs: 10_000, what }) as Promise<true>

it('[B22] the token goes as a subprotocol and stands in no address', async () => {
  const { gateway, client } = await city('head.body.sign')
  await sees(client, 'live', ({ status }) => status === 'live')
  expect(gateway.handshakes).toEqual(['head.body.sign'])
  expect(gateway.requests.join()).not.toContain('head.body.sign')
})

it('[B18] over a real socket: snapshot, update, the line cut and restored', async () => {
  const { gateway, client } = await city()
  await sees(client, 'the snapshot', ({ presenceBySlug }) => presenceBySlug['energy']?.onlineCount === 5)
  gateway.send(update(room('energy', 6, 1)))
  await sees(client, 'the update', ({ presenceBySlug }) => presenceBySlug['energy']?.typingCount === 1)
  gateway.rooms = [room('energy', 7)]
  gateway.cut()
  await sees(client, 'the loss', ({ status }) => status === 'down')
  await sees(
    client,
    'the return',
    ({ status, presenceBySlug }) => status === 'live' && presenceBySlug['energy']?.onlineCount === 7,
  )
  expect(Object.keys(client.getSnapshot().presenceBySlug)).toEqual(['energy'])
})

it('[B4] over a real socket: 4401 ends a session with a fixed token and renews one that can be renewed', async () => {
  expect(comeBackAfter(4401)).toBe('new-token')
  const fixed = await city()
  await sees(fixed.client, 'live', ({ status }) => status === 'live')
  fixed.gateway.closeAll(4401)
  await sees(fixed.client, 'the end', ({ stopReason }) => stopReason === 'session-ended')

  let asked = 0
  const renewed = await city(() => Promise.resolve(`token.${++asked}`))
  await sees(renewed.client, 'live', ({ status }) => status === 'live')
  renewed.gateway.closeAll(4401)
  await until(() => renewed.gateway.handshakes.length === 2, { deadlineMs: 10_000, what: 'a second handshake' })
  expect(renewed.gateway.handshakes).toEqual(['token.1', 'token.2'])
})

it('[B7] over a real socket: a refused handshake is asked about with the token in a header', async () => {
  const { gateway, client } = await city('old.old.old', (one) => (one.refuse = 401))
  await sees(client, 'the end', ({ stopReason }) => stopReason === 'session-ended')
  expect(gateway.questions).toEqual(['old.old.old'])
})

it('[B1] a token that no socket takes is said to be unusable', async () => {
  const { client } = await city('not a token, with spaces')
  await sees(client, 'the end', ({ stopReason }) => stopReason === 'unusable')
})

it('[B7] a token function that fails is asked again later, not taken for an end', async () => {
  const { client } = await city(() => {
    throw new Error('login service away')
  })
  await sees(client, 'the wait', ({ status }) => status === 'down')
})

it('[B2] a token that comes after it was given up is not used', async () => {
  const asked: ((token: string) => void)[] = []
  const gateway = await startLittleGateway([room('energy', 5)])
  const client = createPresenceClient({ url: gateway.origin, token: () => new Promise((give) => asked.push(give)) })
  open.push(() => gateway.stop(), client.close)
  const leave = client.subscribe(() => undefined)
  await until(() => asked.length === 1, { deadlineMs: 10_000, what: 'the first question' })
  leave()
  client.subscribe(() => undefined)
  await until(() => asked.length === 2, { deadlineMs: 10_000, what: 'the second question' })
  asked[0]?.('late.late.late')
  // A turn of its own, so that the late one is heard first if it is heard at all.
  await new Promise((resolve) => setImmediate(resolve))
  asked[1]?.('fresh.fresh.fresh')
  await sees(client, 'live', ({ status }) => status === 'live')
  expect(gateway.handshakes).toEqual(['fresh.fresh.fresh'])
})

it('[B21] the last to leave closes the connection', async () => {
  const { gateway, client } = await city()
  const leave = client.subscribe(() => undefined)
  await sees(client, 'live', ({ status }) => status === 'live')
  leave()
  expect(gateway.sessions).toBe(1)
  client.close()
  await until(() => gateway.sessions === 0, { deadlineMs: 10_000, what: 'the connection to be gone' })
})
