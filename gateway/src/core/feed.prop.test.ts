// The feed against a dumb twin: a stream as a plain list. Messages are lost, snapshots lag, leaders change and stores roll back;
// whatever happens, what a complete feed shows is what the stream held, and at the end it holds all of it.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Beat } from '@citypresence/wire/beat'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import { askEveryMs, createFeed, readinessOf, readyAfterMs, snapshotEveryMs, step } from './feed.ts'
import { staleAfterMs } from './freshness.ts'
import type { Feed, FeedEffect, StreamMessage } from './feed.ts'

const slugs = ['harbour', 'library', 'market', 'station']
type Room = StreamMessage & { kind: 'room' }

const room = (slug: string, online: number, removed = false): RoomPresence => ({
  type: 'room.presence',
  room_slug: slug,
  matrix_room_id: `!${slug}`,
  matrix_room_alias: null,
  online_count: removed ? 0 : online,
  typing_count: 0,
  typing_users: [],
  last_event_ts: online,
  ...(removed && { removed: true }),
})

// --- the twin: a stream that keeps the last message a subject ------------------------------------------------------------------

type Act =
  | { do: 'claim' }
  | { do: 'publish'; slug: string; online: number }
  | { do: 'remove'; slug: string }
  | { do: 'beat' }
  | { do: 'takeover' }

class Stream {
  log: StreamMessage[] = []
  sequence = 1_000
  term = 0
  epoch = 0

  play(act: Act): StreamMessage[] {
    const before = this.log.length
    if (act.do === 'claim' || act.do === 'takeover') this.claim()
    if (act.do === 'takeover') for (const slug of slugs) this.publish(room(slug, this.sequence % 7))
    if (act.do === 'publish') this.publish(room(act.slug, act.online))
    if (act.do === 'remove') this.publish(room(act.slug, 0, true))
    if (act.do === 'beat' || act.do === 'takeover') this.beat()
    return this.log.slice(before)
  }

  private claim(): void {
    this.term++
    this.epoch = ++this.sequence
    this.log.push({ kind: 'epoch', sequence: this.epoch, term: this.term })
  }

  private publish(presence: RoomPresence): void {
    if (this.term === 0) this.claim()
    this.log.push({ kind: 'room', sequence: ++this.sequence, epoch: this.voice(), room: presence })
  }

  private beat(): void {
    if (this.term === 0) this.claim()
    const held = this.current(this.log)
    const complete = slugs.every((slug) => held.has(slug))
    const rooms = [...held.values()].filter(({ room: { removed } }) => removed !== true).length
    this.log.push({
      kind: 'beat',
      sequence: ++this.sequence,
      epoch: this.voice(),
      beat: { complete, rooms, source: 'live', source_age_ms: 0 },
    })
  }

  voice = () => ({ term: this.term, epoch: this.epoch })

  /** The last message a subject, as a snapshot reads it, of the first `length` messages. */
  held(length = this.log.length): StreamMessage[] {
    const last = new Map<string, StreamMessage>()
    for (const message of this.log.slice(0, length))
      last.set(message.kind === 'room' ? message.room.room_slug : message.kind, message)
    return [...last.values()].sort((a, b) => a.sequence - b.sequence)
  }

  /** Rooms of the newest epoch in this part of the log. */
  current(log: readonly StreamMessage[]): Map<string, Room> {
    const rooms = new Map<string, Room>()
    for (const message of log) {
      if (message.kind === 'epoch') rooms.clear()
      if (message.kind === 'room') rooms.set(message.room.room_slug, message)
    }
    return rooms
  }
}

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ do: 'claim' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'takeover' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish' as const), slug: fc.constantFrom(...slugs), online: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), slug: fc.constantFrom(...slugs) }) },
  { weight: 6, arbitrary: fc.constant({ do: 'beat' } as const) },
)
const move = fc.record({ act, lost: fc.boolean(), answer: fc.boolean(), lag: fc.nat(4), waitMs: fc.nat(2_000) })

const shown = (feed: Feed): Map<string, number> =>
  new Map(
    [...feed.rooms]
      .filter(([, { view }]) => view.removed !== true)
      .map(([slug, { view }]) => [slug, view.online_count]),
  )

/** A complete feed shows nothing older than what the stream held at the last live message, and lacks nothing of it. */
function checkComplete(feed: Feed, stream: Stream): void {
  const reached = stream.log.findLastIndex(({ sequence }) => sequence === feed.lastLive) + 1
  for (const [slug, message] of stream.current(stream.log.slice(0, reached))) {
    const known = feed.rooms.get(slug)
    expect(known?.sequence ?? 0, slug).toBeGreaterThanOrEqual(message.sequence)
  }
}

it('[G1][G4] whatever is lost or lags, a complete feed lacks nothing and shows nothing older; in the end it holds the stream', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const stream = new Stream()
      const feed = createFeed()
      let nowMs = 0
      let best = 0
      const take = (event: Parameters<typeof step>[1]): readonly FeedEffect[] => {
        const effects = step(feed, event, nowMs)
        // No older term after a newer one.
        expect(feed.best?.term ?? 0).toBeGreaterThanOrEqual(best)
        best = feed.best?.term ?? 0
        if (feed.complete) checkComplete(feed, stream)
        return effects
      }
      take({ kind: 'connected' })
      for (const { act: next, lost, answer, lag, waitMs } of moves) {
        nowMs += waitMs
        for (const message of stream.play(next)) if (!lost) take({ kind: 'live', message })
        take({ kind: 'tick' })
        if (feed.asking && answer)
          take({ kind: 'snapshot', messages: stream.held(Math.max(0, stream.log.length - lag)) })
      }
      // The trouble is over: everything arrives, snapshots are fresh.
      for (let round = 0; round < 4; round++) {
        nowMs += staleAfterMs + askEveryMs
        for (const message of stream.play({ do: round === 0 ? 'takeover' : 'beat' })) take({ kind: 'live', message })
        take({ kind: 'tick' })
        if (feed.asking) take({ kind: 'snapshot', messages: stream.held() })
      }
      // The second word after a silence is the one that counts.
      nowMs += 1_000
      for (const message of stream.play({ do: 'beat' })) take({ kind: 'live', message })
      expect(feed.complete).toBe(true)
      expect(feed.status).toEqual({ stale: false })
      const truth = [...stream.current(stream.log)].map(([slug, message]) => [slug, message.room.online_count] as const)
      expect(shown(feed)).toEqual(new Map(truth))
    }),
  )
})

// --- single facts --------------------------------------------------------------------------------------------------------------

const kinds = (effects: readonly FeedEffect[]): string[] => effects.map(({ kind }) => kind)

function livingFeed(): { feed: Feed; stream: Stream } {
  const stream = new Stream()
  const feed = createFeed()
  step(feed, { kind: 'connected' }, 0)
  stream.play({ do: 'takeover' })
  step(feed, { kind: 'snapshot', messages: stream.held() }, 10)
  for (let beat = 0; beat < 2; beat++)
    for (const message of stream.play({ do: 'beat' })) step(feed, { kind: 'live', message }, 20)
  return { feed, stream }
}

it('[G2] a snapshot that reaches up to the first live message joins; the city is complete, replaced once, and not stale', () => {
  const { feed } = livingFeed()
  expect([feed.joined, feed.complete, feed.status?.stale]).toEqual([true, true, false])
})

it('[G2] a snapshot that ends before the first live message does not join', () => {
  const stream = new Stream()
  const feed = createFeed()
  step(feed, { kind: 'connected' }, 0)
  stream.play({ do: 'takeover' })
  const old = stream.held()
  stream.play({ do: 'publish', slug: 'market', online: 5 }) // missed
  for (const message of stream.play({ do: 'beat' })) step(feed, { kind: 'live', message }, 20)
  step(feed, { kind: 'snapshot', messages: old }, 30)
  expect([feed.joined, feed.complete]).toEqual([false, false])
})

it('[G3] who speaks under a lower term is dropped, and still counts in the sequence', () => {
  const { feed, stream } = livingFeed()
  const lastLive = feed.lastLive ?? 0
  const ghost: StreamMessage = {
    kind: 'room',
    sequence: lastLive + 1,
    epoch: { term: 0.5, epoch: 1 },
    room: room('market', 99),
  }
  const effects = step(feed, { kind: 'live', message: ghost }, 30)
  expect(effects).toEqual([{ kind: 'disbelieved', why: 'stale-epoch' }])
  expect(feed.lastLive).toBe(lastLive + 1)
  expect(feed.rooms.get('market')?.view.online_count).not.toBe(99)
  stream.sequence++
  const [next] = stream.play({ do: 'beat' })
  if (next !== undefined) step(feed, { kind: 'live', message: next }, 40)
  expect(feed.joined).toBe(true)
})

it('[G3] after a rollback a higher term is followed though its sequences are lower', () => {
  const { feed } = livingFeed()
  const epoch = { term: 9, epoch: 500 }
  step(feed, { kind: 'live', message: { kind: 'epoch', sequence: 500, term: 9 } }, 30)
  step(feed, { kind: 'live', message: { kind: 'room', sequence: 501, epoch, room: room('market', 3) } }, 31)
  expect(feed.rooms.get('market')?.view.online_count).toBe(3)
  expect([feed.best, feed.joined]).toEqual([epoch, false])
})

it('[G3] the new leader of a rolled back store is followed, also when a snapshot was the first to name it', () => {
  const { feed, stream } = livingFeed()
  const epoch = { term: 9, epoch: 500 }
  const claim: StreamMessage = { kind: 'epoch', sequence: 500, term: 9 }
  const message = (sequence: number): StreamMessage => ({
    kind: 'room',
    sequence,
    epoch,
    room: room('market', sequence),
  })
  step(feed, { kind: 'snapshot', messages: [claim, message(501)] }, 30)
  step(feed, { kind: 'live', message: message(502) }, 31)
  expect(feed.rooms.get('market')?.view.online_count).toBe(502)
  expect([feed.joined, stream.sequence > 502]).toEqual([true, true])
})

it('[G3] a snapshot of a lower voice than the best says nothing', () => {
  const { feed, stream } = livingFeed()
  const old = stream.held()
  step(feed, { kind: 'live', message: { kind: 'epoch', sequence: 500, term: 9 } }, 30)
  const effects = step(feed, { kind: 'snapshot', messages: old }, 40)
  expect(effects[0]).toEqual({ kind: 'disbelieved', why: 'stale-epoch' })
  expect([feed.snapshotNewest, feed.joined]).toEqual([undefined, false])
})

it('[G2] after a reconnect a snapshot that lags behind what was known does not join, even where nobody speaks', () => {
  const { feed, stream } = livingFeed()
  const old = stream.held()
  const news = [...stream.play({ do: 'publish', slug: 'market', online: 5 }), ...stream.play({ do: 'beat' })]
  for (const message of news) step(feed, { kind: 'live', message }, 30)
  step(feed, { kind: 'disconnected' }, 40)
  step(feed, { kind: 'connected' }, 50)
  step(feed, { kind: 'snapshot', messages: old }, 60)
  step(feed, { kind: 'tick' }, 60 + staleAfterMs)
  expect([feed.joined, feed.complete, feed.rooms.get('market')?.view.online_count]).toEqual([false, false, 5])
  step(feed, { kind: 'snapshot', messages: stream.held() }, 70 + staleAfterMs)
  expect([feed.joined, feed.complete, feed.status?.stale]).toEqual([true, true, true])
})

it('[G2] after a reconnect to a store that was rolled back behind what was known nothing joins until the leader claims again', () => {
  const { feed, stream } = livingFeed()
  const length = stream.log.length
  const news = [...stream.play({ do: 'publish', slug: 'market', online: 5 }), ...stream.play({ do: 'beat' })]
  for (const message of news) step(feed, { kind: 'live', message }, 30)
  stream.log.length = length
  stream.sequence -= news.length
  step(feed, { kind: 'disconnected' }, 40)
  step(feed, { kind: 'connected' }, 50)
  for (const message of stream.play({ do: 'beat' })) step(feed, { kind: 'live', message }, 60)
  step(feed, { kind: 'snapshot', messages: stream.held() }, 70)
  expect([feed.joined, feed.complete]).toEqual([false, false])
  for (const message of stream.play({ do: 'takeover' })) step(feed, { kind: 'live', message }, 80)
  step(feed, { kind: 'snapshot', messages: stream.held() }, 1_100)
  expect([feed.joined, feed.complete]).toEqual([true, true])
})

it('[G2] a snapshot that does not reach up to a live message does not count either when silence follows', () => {
  const { feed, stream } = livingFeed()
  step(feed, { kind: 'disconnected' }, 40)
  step(feed, { kind: 'connected' }, 50)
  stream.play({ do: 'remove', slug: 'market' }) // missed
  stream.play({ do: 'remove', slug: 'library' }) // missed
  const lagging = stream.held(stream.log.length - 1)
  for (const message of stream.play({ do: 'beat' })) step(feed, { kind: 'live', message }, 60)
  step(feed, { kind: 'snapshot', messages: lagging }, 70)
  step(feed, { kind: 'tick' }, 60 + staleAfterMs)
  expect([feed.joined, feed.complete]).toEqual([false, false])
})

it('[G4] the number in a beat of another voice is not held against the rooms of this one', () => {
  const feed = createFeed()
  const beat = { complete: true, rooms: 0, source: 'live' as const, source_age_ms: 0 }
  step(feed, { kind: 'connected' }, 0)
  const messages: StreamMessage[] = [
    { kind: 'beat', sequence: 5, epoch: { term: 1, epoch: 4 }, beat },
    { kind: 'epoch', sequence: 6, term: 2 },
  ]
  step(feed, { kind: 'snapshot', messages }, 10)
  step(feed, { kind: 'tick' }, staleAfterMs)
  expect([feed.alone, feed.complete]).toEqual([true, false])
})

it('[G2] what a snapshot alone made complete is so no more when the first live message shows that it lagged', () => {
  const stream = new Stream()
  const feed = createFeed()
  step(feed, { kind: 'connected' }, 0)
  stream.play({ do: 'takeover' })
  step(feed, { kind: 'snapshot', messages: stream.held() }, 10)
  step(feed, { kind: 'tick' }, staleAfterMs)
  expect([feed.alone, feed.complete]).toEqual([true, true])
  stream.play({ do: 'publish', slug: 'market', online: 5 }) // missed
  const [message, beat] = [
    ...stream.play({ do: 'publish', slug: 'library', online: 6 }),
    ...stream.play({ do: 'beat' }),
  ]
  if (message !== undefined) step(feed, { kind: 'live', message }, staleAfterMs + 10)
  expect([feed.alone, feed.joined, feed.complete, feed.status?.stale]).toEqual([false, false, false, true])
  if (beat !== undefined) step(feed, { kind: 'live', message: beat }, staleAfterMs + 11)
  expect([feed.complete, feed.status]).toEqual([false, { stale: true, reason: 'no-beat' }])
})

it('[G4] in the middle of a batch nothing is judged: the count of rooms belongs to the beat that ends it', () => {
  const { feed, stream } = livingFeed()
  const batch = [...stream.play({ do: 'remove', slug: 'market' }), ...stream.play({ do: 'beat' })]
  const [removal] = batch
  if (removal !== undefined) step(feed, { kind: 'live', message: removal }, 30)
  step(feed, { kind: 'snapshot', messages: stream.held(stream.log.length - 2) }, 31)
  expect([feed.complete, feed.doubt]).toEqual([true, undefined])
})

it('[G4] live messages that a snapshot has overtaken change nothing, and their beats judge nothing', () => {
  const { feed, stream } = livingFeed()
  const late = [...stream.play({ do: 'publish', slug: 'market', online: 5 }), ...stream.play({ do: 'beat' })]
  stream.play({ do: 'publish', slug: 'market', online: 6 })
  stream.play({ do: 'remove', slug: 'library' })
  stream.play({ do: 'beat' })
  step(feed, { kind: 'snapshot', messages: stream.held() }, 30)
  const [before, beatBefore] = [feed.complete, feed.beat]
  const effects = late.flatMap((message) => step(feed, { kind: 'live', message }, 40))
  expect([effects, feed.complete, feed.doubt]).toEqual([[], before, undefined])
  expect(feed.beat).toBe(beatBefore)
  expect(feed.rooms.get('market')?.view.online_count).toBe(6)
})

it('[G5] a count that no snapshot mends is asked for every five seconds, not every second', () => {
  const { feed, stream } = livingFeed()
  const [beat] = stream.play({ do: 'beat' })
  if (beat?.kind !== 'beat') throw new Error('a beat was played')
  const asked: number[] = []
  for (let second = 10; second <= 30; second++) {
    const wrong = { ...beat, sequence: (feed.lastLive ?? 0) + 1, beat: { ...beat.beat, rooms: 99 } }
    if (kinds(step(feed, { kind: 'live', message: wrong }, second * 1_000)).includes('ask-snapshot')) {
      asked.push(second)
      step(feed, { kind: 'snapshot', messages: [...stream.held().slice(0, -1), wrong] }, second * 1_000 + 1)
    }
  }
  expect(asked).toEqual([10, 15, 20, 25, 30])
})

it('[G5] a sequence that comes again is not believed and asks for a snapshot', () => {
  const { feed, stream } = livingFeed()
  const again = stream.log.at(-1)
  if (again === undefined) throw new Error('a beat was played')
  const effects = step(feed, { kind: 'live', message: again }, 2_000)
  expect(kinds(effects)).toEqual(['disbelieved', 'ask-snapshot'])
  expect([feed.joined, feed.complete]).toEqual([true, true])
})

it('[G5] a gap asks for a snapshot, at most one a second', () => {
  const { feed } = livingFeed()
  const skip = (by: number, nowMs: number): string[] => {
    const message: StreamMessage = { kind: 'unusable', sequence: (feed.lastLive ?? 0) + by }
    return kinds(step(feed, { kind: 'live', message }, nowMs))
  }
  expect(skip(2, 2_000)).toContain('ask-snapshot')
  step(feed, { kind: 'snapshot-failed' }, 2_010)
  expect(skip(2, 2_020)).toEqual(['disbelieved'])
  expect(skip(2, 1_999 + askEveryMs)).not.toContain('ask-snapshot')
  expect(skip(2, 2_000 + askEveryMs)).toContain('ask-snapshot')
})

it('[G4] half a city is never complete: the beat counts more rooms than are known', () => {
  const { feed, stream } = livingFeed()
  stream.play({ do: 'takeover' })
  const half = stream.held().filter((message) => message.kind !== 'room' || message.room.room_slug !== 'market')
  step(feed, { kind: 'disconnected' }, 100)
  step(feed, { kind: 'connected' }, 110)
  step(feed, { kind: 'snapshot', messages: half }, 120)
  for (const message of stream.play({ do: 'beat' })) step(feed, { kind: 'live', message }, 130)
  expect([feed.joined, feed.complete, feed.doubt]).toEqual([true, false, 'miscounted'])
})

it('[G4] a room that was removed while the gateway was away is gone after it rejoins', () => {
  const { feed, stream } = livingFeed()
  step(feed, { kind: 'disconnected' }, 100)
  stream.play({ do: 'remove', slug: 'market' })
  const expired = stream.held().filter((message) => message.kind !== 'room' || message.room.room_slug !== 'market')
  step(feed, { kind: 'connected' }, 200)
  const [beat] = stream.play({ do: 'beat' })
  if (beat !== undefined) step(feed, { kind: 'live', message: beat }, 210)
  step(feed, { kind: 'snapshot', messages: [...expired.slice(0, -1), ...(beat === undefined ? [] : [beat])] }, 220)
  expect(feed.complete).toBe(true)
  expect(feed.rooms.has('market')).toBe(false)
})

it('[G6] without a beat for five seconds everything is stale, with the reason; a stale source says so at once', () => {
  const { feed, stream } = livingFeed()
  expect(step(feed, { kind: 'tick' }, 20 + staleAfterMs)).toEqual([])
  expect(step(feed, { kind: 'tick' }, 21 + staleAfterMs)).toEqual([{ kind: 'status', stale: true, reason: 'no-beat' }])
  expect(livingFeedHears(beatOf(stream, { source: 'stale' }))).toEqual([
    { kind: 'status', stale: true, reason: 'source' },
  ])
})

/** The next beat of a stream, with something else in it. */
function beatOf(stream: Stream, change: Partial<Beat>): StreamMessage & { kind: 'beat' } {
  const [beat] = stream.play({ do: 'beat' })
  if (beat?.kind !== 'beat') throw new Error('a beat was played')
  return { ...beat, beat: { ...beat.beat, ...change } }
}

const livingFeedHears = (message: StreamMessage): readonly FeedEffect[] =>
  step(livingFeed().feed, { kind: 'live', message }, 1_000)

it('[G40] after a silence the first word proves nothing: it may have been held up while its leader died; the second does', () => {
  const { feed, stream } = livingFeed()
  step(feed, { kind: 'tick' }, 21 + staleAfterMs)
  const statuses = (effects: readonly FeedEffect[]) => effects.filter(({ kind }) => kind === 'status')
  const hear = (nowMs: number) => {
    const told = step(feed, { kind: 'live', message: beatOf(stream, {}) }, nowMs)
    const asked = told.some(({ kind }) => kind === 'ask-snapshot')
    return statuses(asked ? [...told, ...step(feed, { kind: 'snapshot', messages: stream.held() }, nowMs)] : told)
  }
  expect(hear(9_000)).toEqual([])
  expect(feed.status).toEqual({ stale: true, reason: 'no-beat' })
  expect(hear(9_400)).toEqual([{ kind: 'status', stale: false }])
  // The same at the beginning, for who has never heard anybody.
  expect(hear(9_400 + 2 * staleAfterMs)).toEqual([{ kind: 'status', stale: true, reason: 'no-beat' }])
  expect(hear(9_800 + 2 * staleAfterMs)).toEqual([{ kind: 'status', stale: false }])
})

it('[G40] neither a claim nor a beat before completeness tells that a source which was stale lives again', () => {
  const { feed, stream } = livingFeed()
  step(feed, { kind: 'live', message: beatOf(stream, { source: 'stale' }) }, 100)
  const claim: StreamMessage = { kind: 'epoch', sequence: stream.sequence + 1, term: 9 }
  const epoch = { term: 9, epoch: claim.sequence }
  expect(step(feed, { kind: 'live', message: claim }, 200)).toEqual([])
  const first = { ...beatOf(stream, { complete: false, rooms: 0 }), sequence: claim.sequence + 1, epoch }
  expect(step(feed, { kind: 'live', message: first }, 300)).toEqual([])
  expect(feed.status).toEqual({ stale: true, reason: 'source' })
})

it('[G6] what waited on a broken way and comes in one rush makes nothing fresh: only a snapshot behind it does', () => {
  const { feed, stream } = livingFeed()
  step(feed, { kind: 'tick' }, 9_000)
  const rush = [1, 2, 3].flatMap((online) => [
    ...stream.play({ do: 'publish', slug: 'market', online }),
    ...stream.play({ do: 'beat' }),
  ])
  const told = rush.flatMap((message) => kinds(step(feed, { kind: 'live', message }, 9_010)))
  expect(told.filter((kind) => kind === 'ask-snapshot')).toHaveLength(1)
  expect(feed.status?.stale).toBe(true)
  step(feed, { kind: 'snapshot', messages: stream.held() }, 9_020)
  expect([feed.complete, feed.status, shown(feed).get('market')]).toEqual([true, { stale: false }, 3])
})

it('[G6] after an outage the city is fresh as soon as a snapshot joins the beat that was heard, not one beat later', () => {
  const { feed, stream } = livingFeed()
  step(feed, { kind: 'disconnected' }, 9_000)
  step(feed, { kind: 'connected' }, 10_000)
  for (let beat = 0; beat < 2; beat++)
    for (const message of stream.play({ do: 'beat' })) step(feed, { kind: 'live', message }, 10_010)
  expect(feed.status).toEqual({ stale: true, reason: 'incomplete' })
  step(feed, { kind: 'snapshot', messages: stream.held() }, 10_020)
  expect([feed.complete, feed.status]).toEqual([true, { stale: false }])
})

it('[G6] a leader that does not come to completeness makes the city stale after five seconds', () => {
  const { feed, stream } = livingFeed()
  for (const message of [...stream.play({ do: 'claim' }), ...stream.play({ do: 'beat' })])
    step(feed, { kind: 'live', message }, 1_000)
  expect(feed.status?.stale).toBe(false)
  for (const message of stream.play({ do: 'beat' })) step(feed, { kind: 'live', message }, 5_100)
  expect(feed.status).toEqual({ stale: true, reason: 'incomplete' })
})

it('[G7] ready when complete, else ten seconds after the first snapshot, and then for good', () => {
  const feed = createFeed()
  const stream = new Stream()
  step(feed, { kind: 'connected' }, 0)
  expect(readinessOf(feed)).toEqual({ ready: false, reasons: ['no snapshot yet'] })
  stream.play({ do: 'takeover' })
  step(feed, { kind: 'snapshot', messages: stream.held() }, 100)
  expect(readinessOf(feed)).toEqual({ ready: false, reasons: ['the city is not complete yet'] })
  step(feed, { kind: 'tick' }, 100 + readyAfterMs)
  expect(readinessOf(feed)).toEqual({ ready: true, reasons: [] })
  expect(feed.status).toEqual({ stale: true, reason: 'no-beat' })
  step(feed, { kind: 'disconnected' }, 20_000)
  expect(readinessOf(feed).ready).toBe(true)
  expect(shown(feed).size).toBe(4)
})

it('[G7] a city that never becomes complete is served ten seconds after its first snapshot, marked, and not a moment sooner', () => {
  const feed = createFeed()
  const stream = new Stream()
  step(feed, { kind: 'connected' }, 0)
  stream.play({ do: 'publish', slug: 'market', online: 3 })
  stream.play({ do: 'beat' })
  step(feed, { kind: 'snapshot', messages: stream.held() }, 100)
  step(feed, { kind: 'tick' }, 100 + readyAfterMs - 1)
  expect(readinessOf(feed)).toEqual({ ready: false, reasons: ['the city is not complete yet'] })
  step(feed, { kind: 'tick' }, 100 + readyAfterMs)
  expect(readinessOf(feed)).toEqual({ ready: true, reasons: [] })
  expect([feed.complete, feed.status?.stale, shown(feed).size]).toEqual([false, true, 1])
})

it('[G5] one snapshot is asked for at a time: the next when it came, or failed', () => {
  const { feed, stream } = livingFeed()
  const skip = (nowMs: number): string[] => {
    const message: StreamMessage = { kind: 'unusable', sequence: (feed.lastLive ?? 0) + 2 }
    return kinds(step(feed, { kind: 'live', message }, nowMs))
  }
  expect(skip(2_000)).toContain('ask-snapshot')
  for (const nowMs of [3_500, 9_000]) expect(skip(nowMs)).not.toContain('ask-snapshot')
  expect(kinds(step(feed, { kind: 'snapshot-failed' }, 9_500))).toContain('ask-snapshot')
  expect(skip(11_000)).not.toContain('ask-snapshot')
  // One that does not reach up to what was heard is followed by the next.
  expect(kinds(step(feed, { kind: 'snapshot', messages: stream.held() }, 12_000))).toContain('ask-snapshot')
  expect(skip(14_000)).not.toContain('ask-snapshot')
})

it('[G7] a gateway that was complete once stays ready when the next leader is not', () => {
  const { feed, stream } = livingFeed()
  for (const message of stream.play({ do: 'claim' })) step(feed, { kind: 'live', message }, 30)
  expect([feed.complete, readinessOf(feed).ready]).toEqual([false, true])
})

it('[G5] a snapshot is repeated every five minutes, and after a reconnect', () => {
  const { feed, stream } = livingFeed()
  for (let atMs = 1_000; atMs <= snapshotEveryMs; atMs += 1_000)
    for (const message of stream.play({ do: 'beat' }))
      expect(kinds(step(feed, { kind: 'live', message }, atMs))).not.toContain('ask-snapshot')
  expect(kinds(step(feed, { kind: 'tick' }, snapshotEveryMs + 10))).toContain('ask-snapshot')
  step(feed, { kind: 'disconnected' }, snapshotEveryMs + 20)
  expect(kinds(step(feed, { kind: 'connected' }, snapshotEveryMs + 2_000))).toContain('ask-snapshot')
})
