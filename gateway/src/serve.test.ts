// The loop with a clock that is turned by hand. What a sweep gives each reader is shown in core/sweep; here: when it runs, who is
// looked at in a tick, what is told of it, and how it all ends.
import { expect, it } from 'vitest'
import { startFakeLoop, pongTo, type FakeLoop, type FakeReader } from './testing/fake-loop.ts'

const many = (loop: FakeLoop, count: number, expiresInMs?: number): FakeReader[] =>
  Array.from({ length: count }, () => loop.join(expiresInMs))

function nth(readers: readonly FakeReader[], index: number): FakeReader {
  const reader = readers[index]
  if (reader === undefined) throw new Error(`there is no reader ${index}`)
  return reader
}

const counts = (reader: FakeReader): [unknown, unknown][] =>
  reader.news().map((message) => [message['room_slug'] ?? message['type'], message['online_count'] ?? message['stale']])

/** Answers every ping at once, as a browser does, while the clock is turned. */
async function live(loop: FakeLoop, ms: number, readers: readonly FakeReader[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await loop.clock.advance(1_000)
    for (const reader of readers) for (const payload of reader.pings()) loop.gateway.pong(reader.client, payload)
  }
}

it('[G18] what is learnt in one turn is one flush in the next; an idle loop defers nothing', () => {
  const loop = startFakeLoop()
  const reader = loop.join()
  expect(counts(reader)).toEqual([
    ['snapshot', undefined],
    ['status', true],
  ])
  const before = reader.writes()
  loop.room('energy', 1)
  loop.room('water', 2)
  loop.room('energy', 3)
  loop.gateway.feed.status({ stale: false })
  expect(loop.deferred.length).toBe(1)
  loop.settle()
  expect(reader.writes() - before).toBe(1)
  expect(counts(reader)).toEqual([
    ['water', 2],
    ['energy', 3],
    ['status', false],
  ])
  // The same once more is nothing new.
  loop.room('energy', 3)
  loop.gateway.feed.status({ stale: false })
  loop.gateway.feed.replaced([{ room_slug: 'energy', online_count: 3, typing_count: 0 }])
  loop.settle()
  expect(counts(reader)).toEqual([['water', 0]])
  expect(loop.deferred).toEqual([])
})

it('[G18] a sweep gives way after 500 readers; what changes meanwhile is one flush afterwards, the newest of each room', () => {
  const loop = startFakeLoop()
  const readers = many(loop, 1_201)
  for (const reader of readers) reader.news()
  const served = (): number => readers.filter((reader) => reader.news().length > 0).length
  loop.room('energy', 1)
  const shares: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    loop.turn()
    shares.push(served())
    if (turn === 2) continue
    loop.room('energy', 10 + turn)
    loop.room('water', turn)
  }
  expect(shares).toEqual([500, 500, 201])
  loop.turn()
  expect(counts(nth(readers, 0))).toEqual([
    ['energy', 11],
    ['water', 1],
  ])
  loop.settle()
  expect(counts(nth(readers, 1_200))).toEqual([
    ['energy', 11],
    ['water', 1],
  ])
  expect(loop.deferred).toEqual([])
})

it('[G18] who leaves in the middle of a sweep is passed over, who comes has it already', () => {
  const loop = startFakeLoop()
  const readers = many(loop, 600)
  loop.room('energy', 1)
  loop.turn()
  const leaver = nth(readers, 599)
  leaver.news()
  loop.gateway.left(leaver.client)
  const comer = loop.join()
  expect(counts(comer)).toEqual([
    ['snapshot', undefined],
    ['status', true],
  ])
  loop.settle()
  expect([leaver.news(), comer.news()]).toEqual([[], []])
  expect(loop.gateway.size()).toBe(600)
})

it('[G23] freshness is told once a sweep, from the oldest change in it; the span belongs to its first trace and links the others', async () => {
  const loop = startFakeLoop()
  loop.join()
  const nowMs = loop.clock.wallMs()
  loop.room('energy', 1, { oldestEventTs: nowMs - 200 })
  loop.room('water', 1, { oldestEventTs: nowMs - 3_000, traceparent: 'first' })
  loop.room('wind', 1, { oldestEventTs: nowMs - 100, traceparent: 'second' })
  loop.room('sun', 1, { oldestEventTs: nowMs - 90, traceparent: 'first' })
  loop.settle()
  expect(await loop.metric('freshness_seconds_count')).toBe(1)
  expect(await loop.metric('freshness_seconds_sum')).toBe(3)
  expect(loop.spans).toEqual([{ parent: 'first', links: ['second'], ended: true }])
  // The next sweep begins with nothing gathered.
  loop.room('energy', 2, { oldestEventTs: nowMs - 500 })
  loop.settle()
  expect(await loop.metric('freshness_seconds_sum')).toBe(3.5)
  expect(loop.spans.length).toBe(1)
  expect(await loop.metric('changes_total')).toBe(5)
})

it('[G23] late and marked as stale is told apart from late', async () => {
  const loop = startFakeLoop()
  loop.join()
  const oldestEventTs = loop.clock.wallMs() - 9_000
  loop.gateway.feed.status({ stale: false })
  loop.room('energy', 1, { oldestEventTs })
  loop.settle()
  loop.gateway.feed.status({ stale: true, reason: 'source' })
  loop.room('energy', 2, { oldestEventTs })
  loop.room('water', 2, { oldestEventTs })
  loop.settle()
  expect(await loop.metric('freshness_seconds_count{marked="no"}')).toBe(1)
  expect(await loop.metric('freshness_seconds_count{marked="yes"}')).toBe(1)
})

it('[G23] status, a replaced board and changes that nobody is there to see say nothing of freshness', async () => {
  const loop = startFakeLoop()
  const oldestEventTs = loop.clock.wallMs() - 1_000
  loop.room('energy', 1, { oldestEventTs, traceparent: 'nobody' })
  loop.settle()
  loop.join()
  loop.gateway.feed.status({ stale: false })
  loop.gateway.feed.replaced([{ room_slug: 'water', online_count: 1, typing_count: 0 }])
  loop.settle()
  expect(await loop.metric('freshness_seconds_count')).toBe(0)
  expect(await loop.metric('sweep_seconds_count')).toBe(1)
  expect(loop.spans).toEqual([])
})

it.each([
  { skewMs: -90_000, skewed: 1, seconds: 0 },
  { skewMs: 50_000, skewed: 0, seconds: 50 },
  { skewMs: 3_600_000, skewed: 0, seconds: 60 },
])(
  '[G23] a wall clock that is off by $skewMs ms: never fresher than fresh, never later than a minute, and it is told',
  async ({ skewMs, ...told }) => {
    const loop = startFakeLoop({ skewMs })
    loop.join()
    loop.room('energy', 1, { oldestEventTs: loop.clock.wallMs() })
    loop.settle()
    expect(await loop.metric('clock_skew_total')).toBe(told.skewed)
    expect(await loop.metric('freshness_seconds_sum')).toBe(told.seconds)
  },
)

it.each([5_000, 5_450])(
  '[G24] a thousand tokens that end together after %i ms: all closed with 4401 within a second, a share a tick, and nothing is sent after',
  async (endMs) => {
    const loop = startFakeLoop()
    const readers = many(loop, 1_000, endMs)
    const lasting = loop.join()
    await loop.clock.advance(endMs - 1)
    expect(readers.filter(({ closed }) => closed !== undefined)).toEqual([])
    await loop.clock.advance(1)
    const before = readers.map((reader) => reader.writes())
    // The sweep reaches readers whose end the tick has not come to yet.
    loop.room('energy', 1)
    loop.settle()
    expect(readers.map((reader) => reader.writes())).toEqual(before)
    await loop.clock.advance(1_100)
    expect(new Set(readers.map(({ closed }) => closed?.code))).toEqual(new Set([4401]))
    const perMoment = Map.groupBy(readers, ({ closedAtMs }) => closedAtMs)
    expect(Math.max(...[...perMoment.values()].map((ones) => ones.length))).toBeLessThanOrEqual(102)
    expect(lasting.closed).toBeUndefined()
    expect(loop.gateway.size()).toBe(1)
  },
)

it('[G24] a wall clock that jumps ends nobody', async () => {
  const loop = startFakeLoop({ skewMs: 10 * 365 * 86_400_000 })
  const reader = loop.join(60_000)
  await loop.clock.advance(19_000)
  expect(reader.closed).toBeUndefined()
})

it('[G14] an event loop that stood still for 20 s takes nobody for dead whose pong lies unread; who stays silent goes all the same', async () => {
  const loop = startFakeLoop()
  const [reader, silent] = [loop.join(), loop.join()]
  await loop.clock.advance(21_000)
  const [ping] = reader.pings()
  if (ping === undefined) throw new Error('a ping was due')
  expect(silent.pings()).toHaveLength(1)
  loop.clock.jump(20_000)
  await loop.clock.advance(100)
  loop.gateway.pong(reader.client, ping)
  await loop.clock.advance(12_000)
  expect(reader.closed).toBeUndefined()
  expect(silent.closed?.code).toBe(4408)
})

it('[G14] the quiet are pinged a few at a time; who answers stays, who does not is closed with 4408 within 45 s', async () => {
  const loop = startFakeLoop()
  const [silent, ...others] = many(loop, 200)
  if (silent === undefined) throw new Error('200 were asked for')
  const pingedAt: number[] = []
  for (let second = 0; second < 45; second++) {
    await loop.clock.advance(1_000)
    for (const reader of others)
      for (const payload of reader.pings()) {
        pingedAt.push(second)
        loop.gateway.pong(reader.client, payload)
      }
  }
  expect(silent.closed?.code).toBe(4408)
  expect(silent.closedAtMs).toBeLessThanOrEqual(35_000)
  expect(others.filter(({ closed }) => closed !== undefined)).toEqual([])
  const first = pingedAt.slice(0, others.length)
  const perSecond = Map.groupBy(first, (second) => second)
  expect(Math.max(...[...perSecond.values()].map((ones) => ones.length))).toBeLessThanOrEqual(60)
  expect(first.every((second) => second <= 21)).toBe(true)
})

it('[G14] a pong that nobody asked for, or with another payload, keeps nobody alive', async () => {
  const loop = startFakeLoop()
  const reader = loop.join()
  for (let second = 0; second < 32 && reader.closed === undefined; second++) {
    for (const payload of [Buffer.alloc(0), Buffer.from('pong'), Buffer.alloc(125), pongTo(0), pongTo(4_000_000)])
      loop.gateway.pong(reader.client, payload)
    await loop.clock.advance(1_000)
  }
  expect(reader.closed?.code).toBe(4408)
})

it('[G20] who lags is passed over, catches up in the tick after it has drained, and gets the newest only', async () => {
  const loop = startFakeLoop()
  const [good, slow] = many(loop, 2) as [FakeReader, FakeReader]
  for (const reader of [good, slow]) reader.news()
  slow.pendingBytes = 1
  for (let online = 1; online <= 5; online++) {
    loop.room('energy', online)
    loop.settle()
  }
  await loop.clock.advance(100)
  expect(await loop.metric('behind')).toBe(1)
  expect([counts(good).length, slow.news()]).toEqual([5, []])
  slow.pendingBytes = 0
  await loop.clock.advance(100)
  expect(counts(slow)).toEqual([['energy', 5]])
  await loop.clock.advance(100)
  expect(await loop.metric('behind')).toBe(0)
})

it('[G20] who lags because of an unanswered ping catches up with its pong, without waiting for a tick', async () => {
  const loop = startFakeLoop()
  const reader = loop.join()
  loop.room('energy', 1)
  loop.settle()
  const [ping] = reader.pings()
  reader.news()
  if (ping === undefined) throw new Error('the flush carried no ping')
  await loop.clock.advance(2_000)
  loop.room('energy', 2)
  loop.settle()
  expect(reader.news()).toEqual([])
  loop.gateway.pong(reader.client, ping)
  expect(counts(reader)).toEqual([['energy', 2]])
})

it('[G16] ping is answered while the answers are read; anything else closes with 1008, once', async () => {
  const loop = startFakeLoop()
  const reader = loop.join()
  loop.gateway.message(reader.client, 'ping')
  expect(reader.pongs()).toBe(1)
  reader.pendingBytes = 1
  for (let more = 0; more < 1_000; more++) loop.gateway.message(reader.client, 'ping')
  expect(reader.pongs()).toBe(1)
  loop.gateway.message(reader.client, undefined)
  loop.gateway.message(reader.client, 'ping')
  loop.gateway.message(reader.client, 'more')
  loop.gateway.left(reader.client)
  loop.room('energy', 1)
  loop.settle()
  await loop.clock.advance(60_000)
  expect(reader.closed?.code).toBe(1008)
  expect(await loop.metric('sessions_total')).toBe(1)
  expect(await loop.metric('closes_total{code="1008"}')).toBe(1)
})

it('[G25] removed rooms are forgotten when everybody has heard of it, not before', async () => {
  const loop = startFakeLoop()
  const [good, slow] = many(loop, 2) as [FakeReader, FakeReader]
  loop.room('energy', 1)
  loop.settle()
  await live(loop, 1_000, [good, slow])
  slow.pendingBytes = 1
  loop.gateway.feed.changed([{ room_slug: 'energy', online_count: 0, typing_count: 0, removed: true }], {})
  loop.settle()
  await live(loop, 11_000, [good, slow])
  expect(await loop.metric('rooms')).toBe(1)
  slow.pendingBytes = 0
  await live(loop, 11_000, [good, slow])
  expect(counts(slow).at(-1)).toEqual(['energy', 0])
  expect(await loop.metric('rooms')).toBe(0)
})

it('[G19] a drain ends all with 1012, evenly over its time; nobody new is let in; it is done when the last is out', async () => {
  const loop = startFakeLoop({ drainMs: 2_000 })
  const readers = many(loop, 1_000)
  const early = loop.gateway.open()
  let done = false
  void loop.gateway.drain().then(() => (done = true))
  expect(loop.gateway.isOpen()).toBe(false)
  expect(loop.gateway.accept(early, 1e9)).toBeUndefined()
  const left: number[] = []
  for (let tick = 0; tick < 20; tick++) {
    expect(done).toBe(false)
    await loop.clock.advance(100)
    left.push(loop.gateway.size())
  }
  expect(left).toEqual(Array.from({ length: 20 }, (_, tick) => 950 - 50 * tick))
  expect(done).toBe(true)
  expect(new Set(readers.map(({ closed }) => closed?.code))).toEqual(new Set([1012]))
})

it('[G19] during a drain those who stay go on being served', async () => {
  const loop = startFakeLoop({ drainMs: 1_000 })
  const readers = many(loop, 10)
  void loop.gateway.drain()
  await loop.clock.advance(500)
  loop.room('energy', 7)
  loop.settle()
  const open = readers.filter(({ closed }) => closed === undefined)
  expect(open.length).toBe(5)
  for (const reader of open) expect(counts(reader).at(-1)).toEqual(['energy', 7])
})

it.each([0, 1, 50])('[G19] a drain over %i ms takes one tick, with nobody there none', async (drainMs) => {
  const empty = startFakeLoop({ drainMs })
  await empty.gateway.drain()
  const loop = startFakeLoop({ drainMs })
  many(loop, 30)
  const done = loop.gateway.drain()
  await loop.clock.advance(100)
  await done
  expect(loop.gateway.size()).toBe(0)
})

it('[G19] a drain whose last readers leave by themselves is done too', async () => {
  const loop = startFakeLoop({ drainMs: 10_000 })
  const readers = many(loop, 5)
  const done = loop.gateway.drain()
  for (const { client } of readers) loop.gateway.left(client)
  await loop.clock.advance(100)
  await done
  loop.gateway.stop()
  expect(loop.clock.pendingTimers()).toBe(0)
})
