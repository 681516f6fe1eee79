// The loop in a world moved by hand: what a page sees, what goes over the wire, and that nothing is left behind.
import type { ClientMessage, RoomView } from '@citypresence/wire/client-messages'
import { createBoard } from '@citypresence/wire/board'
import { expect, it, vi } from 'vitest'
import type { TokenSource } from './presence-client.ts'
import { PresenceLoop } from './presence-loop.ts'
import { FakeWorld, type FakeSocket } from './testing/fake-world.ts'

const tell = (socket: FakeSocket, message: ClientMessage): void => socket.heard(JSON.stringify(message))
const view = (slug: string, online: number, extras: Partial<RoomView> = {}): RoomView => ({
  room_slug: slug,
  online_count: online,
  typing_count: 0,
  ...extras,
})
const snapshot = (...rooms: RoomView[]): ClientMessage => ({ type: 'snapshot', rooms })
const update = (room: RoomView): ClientMessage => ({ type: 'room.presence', ...room })

function begin(token: TokenSource = 'abc') {
  const world = new FakeWorld()
  const loop = new PresenceLoop(world, { url: '/', token })
  const listener = vi.fn()
  const leave = loop.subscribe(listener)
  world.pass(1)
  return { world, loop, listener, leave }
}

function beginLive(token?: TokenSource, ...rooms: RoomView[]) {
  const city = begin(token)
  city.world.socket.opened()
  tell(city.world.socket, snapshot(...rooms))
  city.world.pass(20)
  return city
}

const counts = (loop: PresenceLoop): Record<string, number | undefined> =>
  Object.fromEntries(Object.entries(loop.getSnapshot().presenceBySlug).map(([slug, room]) => [slug, room?.onlineCount]))

it('[B18] a snapshot fills the city, updates change it, removed rooms go', () => {
  const { world, loop } = beginLive('abc', view('energy', 5), view('general', 2))
  expect(loop.getSnapshot()).toMatchObject({ status: 'live', loaded: true, stale: false })
  tell(world.socket, update(view('energy', 6)))
  tell(world.socket, update(view('welcome', 1)))
  tell(world.socket, update(view('general', 0, { removed: true })))
  world.pass(20)
  expect(counts(loop)).toEqual({ energy: 6, welcome: 1 })
})

it('[B18] rooms come and go for ever, and what is gone is kept nowhere', () => {
  const world = new FakeWorld()
  const board = createBoard()
  const loop = new PresenceLoop(world, { url: '/', token: 'abc', board })
  loop.subscribe(() => undefined)
  world.pass(1)
  world.socket.opened()
  tell(world.socket, snapshot(view('energy', 5)))
  for (let day = 0; day < 100; day++) {
    tell(world.socket, update(view(`fair-${day}`, 1)))
    world.pass(20)
    tell(world.socket, update(view(`fair-${day}`, 0, { removed: true })))
    tell(world.socket, update(view(`never-here-${day}`, 0, { removed: true })))
    world.pass(20)
  }
  // What a reconnect no longer holds is gone as well.
  world.socket.closed(1006)
  world.pass(2_000)
  world.socket.opened()
  tell(world.socket, snapshot(view('general', 2)))
  world.pass(20)
  expect(counts(loop)).toEqual({ general: 2 })
  expect([...board.entries.keys()]).toEqual(['general'])
})

it('[B18] a snapshot after a reconnect replaces everything', () => {
  const { world, loop } = beginLive('abc', view('energy', 5), view('general', 2))
  world.socket.closed(1006)
  expect(loop.getSnapshot()).toMatchObject({ status: 'down', loaded: true, stale: true, staleReason: 'link' })
  expect(counts(loop)).toEqual({ energy: 5, general: 2 })
  world.pass(2_000)
  expect(world.sockets.length).toBe(2)
  world.socket.opened()
  tell(world.socket, snapshot(view('energy', 9)))
  world.pass(20)
  expect(loop.getSnapshot()).toMatchObject({ status: 'live', stale: false })
  expect(counts(loop)).toEqual({ energy: 9 })
})

it('[B13] the gateway says stale: the counts stay and are marked, until it says otherwise', () => {
  const { world, loop } = beginLive('abc', view('energy', 5))
  tell(world.socket, { type: 'status', stale: true, reason: 'no-beat' })
  world.pass(20)
  expect(loop.getSnapshot()).toMatchObject({ status: 'live', stale: true, staleReason: 'no-beat' })
  expect(loop.getSnapshot().presenceBySlug['energy']).toMatchObject({ onlineCount: 5, stale: true })
  tell(world.socket, { type: 'status', stale: false })
  world.pass(20)
  expect(loop.getSnapshot()).toMatchObject({ stale: false, staleReason: undefined })
})

it('[B13] the reason of an old session is not carried into a new one', () => {
  const { world, loop } = beginLive('abc', view('energy', 5))
  tell(world.socket, { type: 'status', stale: true, reason: 'source' })
  world.socket.closed(1012)
  world.pass(2_000)
  world.socket.opened()
  tell(world.socket, snapshot(view('energy', 5)))
  world.pass(20)
  expect(loop.getSnapshot().stale).toBe(false)
})

it('[B13] a snapshot whose status says stale never looks fresh, not for a blink', () => {
  const { world, loop } = begin()
  const told: boolean[] = []
  loop.subscribe(() => {
    const { loaded, stale } = loop.getSnapshot()
    if (loaded) told.push(stale)
  })
  world.pass(1_000)
  world.socket.opened()
  tell(world.socket, snapshot(view('energy', 5)))
  world.pass(5)
  tell(world.socket, { type: 'status', stale: true, reason: 'incomplete' })
  world.pass(100)
  expect(told).toEqual([true])
})

it('[B19] frames that cannot be read change nothing and harm nothing', () => {
  const { world, loop } = beginLive('abc', view('energy', 5))
  for (const text of [
    '',
    'pong',
    '{',
    '{"type":"new.kind"}',
    '{"type":"room.presence","room_slug":"A b"}',
    '[]',
    'null',
  ])
    world.socket.heard(text)
  world.pass(20)
  expect(counts(loop)).toEqual({ energy: 5 })
  tell(world.socket, update(view('energy', 6)))
  world.pass(20)
  expect(counts(loop)).toEqual({ energy: 6 })
})

it('[B20] a storm of frames is told at most once in 16 ms, and the last value always', () => {
  const { world, loop, listener } = beginLive('abc', view('energy', 0))
  listener.mockClear()
  for (let online = 1; online <= 200; online++) {
    tell(world.socket, update(view('energy', online)))
    world.pass(1)
  }
  world.pass(20)
  expect(listener.mock.calls.length).toBeGreaterThan(5)
  expect(listener.mock.calls.length).toBeLessThanOrEqual(200 / 16 + 2)
  expect(counts(loop)).toEqual({ energy: 200 })
})

it('[B20] the first change after a pause is told at once, also to one who looked before', () => {
  const { world, loop, listener } = beginLive('abc', view('energy', 0))
  world.pass(1_000)
  listener.mockClear()
  tell(world.socket, update(view('energy', 1)))
  expect(listener).toHaveBeenCalledTimes(1)
  tell(world.socket, update(view('energy', 2)))
  expect(counts(loop)).toEqual({ energy: 2 })
  world.pass(20)
  expect(listener).toHaveBeenCalledTimes(2)
  world.pass(20)
  tell(world.socket, update(view('energy', 2)))
  expect(listener).toHaveBeenCalledTimes(2)
})

it('[B6] silence is broken with `ping`; a link that stays silent is given up and its late words are not heard', () => {
  const { world, loop } = beginLive('abc', view('energy', 5))
  const first = world.socket
  world.pass(15_000)
  expect(first.sent).toEqual(['ping'])
  first.heard('pong')
  world.pass(15_000)
  expect(first.sent).toEqual(['ping', 'ping'])
  world.pass(6_000)
  expect([first.dropped, loop.getSnapshot().status]).toEqual([true, 'down'])
  tell(first, update(view('energy', 99)))
  world.pass(20)
  expect(counts(loop)).toEqual({ energy: 5 })
})

it('[B7] a refused handshake is asked about with the same token; 401 ends the session', () => {
  const { world, loop } = begin('the-token')
  world.socket.closed(1006)
  expect(world.questions.map(({ url, token }) => [url, token])).toEqual([
    ['http://city.example/api/city/presence', 'the-token'],
  ])
  world.questions[0]?.answer(401)
  expect(loop.getSnapshot()).toMatchObject({ status: 'stopped', stopReason: 'session-ended', loaded: false })
  world.pass(600_000)
  expect(world.sockets.length).toBe(1)
})

it('[B7] anything but 401 is tried again, with a longer and longer wait', () => {
  const { world, loop } = begin()
  // With the middle of the jitter: three quarters of 5 s, 10 s, 20 s.
  for (const [status, waitMs] of [
    [503, 3_750],
    [undefined, 7_500],
    [200, 15_000],
  ] as const) {
    const before = world.sockets.length
    world.socket.closed(1006)
    world.questions.at(-1)?.answer(status)
    expect(loop.getSnapshot().status).toBe('down')
    world.pass(waitMs - 1)
    expect(world.sockets.length).toBe(before)
    world.pass(2)
    expect(world.sockets.length).toBe(before + 1)
  }
})

it('[B7] a token function is asked before each connection, and at once when its token has expired', () => {
  let asked = 0
  const { world } = beginLive(() => `token-${++asked}`)
  world.pass(11_000)
  world.socket.closed(4401)
  world.pass(1)
  expect(world.sockets.map(({ token }) => token)).toEqual(['token-1', 'token-2'])
})

it('[B1] an address or token that no socket takes stops it with a word', () => {
  for (const url of ['/', 'ftp://city.example']) {
    const world = new FakeWorld()
    world.unusable = url === '/'
    const loop = new PresenceLoop(world, { url, token: 'abc' })
    loop.subscribe(() => undefined)
    world.pass(1_000)
    expect(loop.getSnapshot()).toMatchObject({ status: 'stopped', stopReason: 'unusable' })
    expect(world.timers).toBe(0)
  }
})

it('[B9] a nudge asks a live link at once', () => {
  const { world } = beginLive()
  world.pass(3_000)
  for (const nudge of world.nudges) nudge()
  expect(world.socket.sent).toEqual(['ping'])
})

it('[B21] nobody listens, nothing runs: the last to leave closes the socket, its timers and its ears', () => {
  const { world, loop, leave } = beginLive('abc', view('energy', 5))
  leave()
  expect([world.socket.dropped, world.timers, world.nudges.size]).toEqual([true, 0, 0])
  loop.subscribe(() => undefined)
  world.pass(1)
  expect(world.sockets.length).toBe(2)
})

it('[B21] leaving and coming back in one breath, as StrictMode does, costs one token and one connection', () => {
  const world = new FakeWorld()
  const token = vi.fn(() => 'abc')
  const loop = new PresenceLoop(world, { url: '/', token })
  loop.subscribe(() => undefined)()
  loop.subscribe(() => undefined)
  world.pass(1_000)
  expect([world.sockets.length, token.mock.calls.length]).toEqual([1, 1])
})

it('[B21] close() is for good, and leaving twice is leaving once', () => {
  const { world, loop, leave, listener } = beginLive()
  const second = loop.subscribe(listener)
  leave()
  leave()
  expect(world.socket.dropped).toBe(false)
  loop.close()
  second()
  loop.subscribe(() => undefined)
  world.pass(60_000)
  expect([world.sockets.length, world.socket.dropped, world.timers]).toEqual([1, true, 0])
})
