// The feed in a world that may do anything a real one does: messages are lost or come late, snapshots overtake them or lag, the
// connection drops, leaders take over, stores roll back to before or after a claim, a deposed leader then speaks again.
//
//   Stream (a list, the dumb twin) --> live queue --+--> feed --> board (what browsers show)
//                                  \-> snapshots ---+
//
// Every room message carries a number of its own as its counts, so that for whatever is shown it is known when it was stored.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { RoomView } from '@citypresence/wire/client-messages'
import { compareEpochs, formatEpoch, type Epoch } from '@citypresence/wire/epoch'
import { createFeed, step, type FeedEvent, type StreamMessage } from './feed.ts'
import { staleAfterMs } from './freshness.ts'

const slugs = ['harbour', 'library', 'market', 'station', 'tower']
type Room = StreamMessage & { kind: 'room' }
type Stamp = { voice: Epoch; sequence: number }

// --- the stream and those who write it ------------------------------------------------------------------------------------------

class Stream {
  log: StreamMessage[] = []
  expired = new Set<StreamMessage>()
  sequence = 1_000
  /** The rightful leader; its term only grows, its map changes. */
  leader: Epoch = { term: 0, epoch: 0 }
  mapped = new Set(slugs.slice(0, 3))
  published = false
  stamps = new Map<number, Stamp>()
  /** What the stream held at the end of each batch of a voice, as text. */
  moments = new Map<string, Set<string>>()
  /** Voices whose acknowledged messages were taken back: what was heard of them is nobody's truth. */
  tainted = new Set<string>()
  serial = 0

  recordVoice(): Epoch {
    const record = this.log.findLast((message) => message.kind === 'epoch')
    return record?.kind === 'epoch' ? { term: record.term, epoch: record.sequence } : { term: 0, epoch: 0 }
  }

  /** The new leader may have another map than the old one: what it leaves out is a ghost from then on. */
  takeOver(without: readonly string[] = []): void {
    for (const slug of without) this.mapped.delete(slug)
    this.leader = { term: this.leader.term + 1, epoch: this.sequence + 1 }
    this.published = false
    this.store({ kind: 'epoch', sequence: ++this.sequence, term: this.leader.term })
    this.beat(this.leader)
  }

  publishAll(): void {
    if (!this.mayWrite(this.leader)) this.takeOver()
    for (const slug of this.mapped) this.room(slug, this.leader)
    for (const { room } of this.heldRooms(this.leader, false)) this.room(room.room_slug, this.leader, true)
    this.published = true
    this.beat(this.leader)
  }

  /** A batch: some rooms, then the beat. Whoever's record stands may write; the rightful leader claims when refused. */
  publish(voice: Epoch, batch: readonly { slug: string; removed: boolean }[]): void {
    if (!this.mayWrite(voice)) {
      if (voice === this.leader) this.takeOver()
      return
    }
    for (const { slug, removed } of this.published ? batch : []) {
      if (removed) this.mapped.delete(slug)
      else this.mapped.add(slug)
      this.room(slug, voice, removed)
    }
    this.beat(voice)
  }

  /** The store forgets its end. What the leader then writes begins elsewhere than it must: it claims again at once. */
  rollBack(by: number): void {
    const lost = this.log.splice(Math.max(1, this.log.length - by))
    for (const message of lost) if (message.kind !== 'epoch') this.tainted.add(formatEpoch(voiceOf(message)))
    this.sequence = this.log.at(-1)?.sequence ?? this.sequence
  }

  mayWrite = (voice: Epoch): boolean => voice.term > 0 && compareEpochs(this.recordVoice(), voice) === 0

  held(length = this.log.length): StreamMessage[] {
    const last = new Map<string, StreamMessage>()
    for (const message of this.log.slice(0, length))
      last.set(message.kind === 'room' ? message.room.room_slug : message.kind, message)
    return [...last.values()].filter((message) => !this.expired.has(message)).sort((a, b) => a.sequence - b.sequence)
  }

  /** Rooms of a voice that stand in the stream, removed ones apart. */
  heldRooms(voice: Epoch, ofVoice = true): Room[] {
    const rooms = this.held().filter((message) => message.kind === 'room')
    return rooms.filter((message) => (compareEpochs(message.epoch, voice) === 0) === ofVoice && !message.room.removed)
  }

  private room(slug: string, voice: Epoch, removed = false): void {
    const serial = ++this.serial
    this.stamps.set(serial, { voice, sequence: this.sequence + 1 })
    this.store({
      kind: 'room',
      sequence: ++this.sequence,
      epoch: voice,
      room: {
        type: 'room.presence',
        room_slug: slug,
        matrix_room_id: `!${slug}`,
        matrix_room_alias: null,
        online_count: serial,
        typing_count: 0,
        typing_users: [],
        last_event_ts: serial,
        ...(removed && { removed: true }),
      },
    })
  }

  private beat(voice: Epoch): void {
    const rooms = this.heldRooms(voice).length
    const isLeader = compareEpochs(voice, this.leader) === 0
    const complete = isLeader ? this.published : true
    this.store({
      kind: 'beat',
      sequence: ++this.sequence,
      epoch: voice,
      beat: { complete, rooms, source: 'live', source_age_ms: 0 },
    })
  }

  private store(message: StreamMessage): void {
    this.log.push(message)
    if (message.kind !== 'beat') return
    const moments = this.moments.get(formatEpoch(message.epoch)) ?? new Set()
    moments.add(textOf(this.heldRooms(message.epoch).map(({ room }) => [room.room_slug, room.online_count])))
    this.moments.set(formatEpoch(message.epoch), moments)
  }
}

const voiceOf = (message: StreamMessage): Epoch => {
  if (message.kind === 'epoch') return { term: message.term, epoch: message.sequence }
  if (message.kind === 'unusable') throw new Error('nothing unusable is stored here')
  return message.epoch
}

const textOf = (rooms: readonly (readonly [string, number])[]): string =>
  rooms
    .map(([slug, serial]) => `${slug}=${serial}`)
    .sort()
    .join(' ')

// --- the gateway: a feed, what is on its way to it, and what it shows -------------------------------------------------------------

class Gateway {
  feed = createFeed()
  queue: StreamMessage[] = []
  answers: (readonly StreamMessage[])[] = []
  board = new Map<string, RoomView>()
  shown = new Map<string, Stamp>()
  floor: Epoch | undefined
  nowMs = 0
  stream: Stream

  constructor(stream: Stream) {
    this.stream = stream
  }

  take(event: FeedEvent): void {
    for (const effect of step(this.feed, event, this.nowMs)) {
      if (effect.kind === 'ask-snapshot') this.answers.length = 0
      if (effect.kind === 'changed') for (const view of effect.views) this.show(view)
      if (effect.kind !== 'replaced') continue
      this.checkMoment(effect.views)
      this.board.clear()
      for (const view of effect.views) this.show(view)
      this.floor = this.feed.best
    }
  }

  /** What replaces the board stood in the stream at one moment, all of it and nothing else. */
  private checkMoment(views: readonly RoomView[]): void {
    const voice = formatEpoch(this.feed.best ?? { term: 0, epoch: 0 })
    if (this.stream.tainted.has(voice)) return
    const text = textOf(views.map(({ room_slug, online_count }) => [room_slug, online_count]))
    expect([...(this.stream.moments.get(voice) ?? [])]).toContain(text)
  }

  /** No room goes back in (term, epoch, sequence), and nothing is shown from below the last complete voice. */
  private show(view: RoomView): void {
    const stamp = this.stream.stamps.get(view.online_count)
    const before = this.shown.get(view.room_slug)
    if (stamp === undefined) throw new Error('invented')
    if (before !== undefined) {
      const order = compareEpochs(stamp.voice, before.voice) || stamp.sequence - before.sequence
      expect(order, `${view.room_slug} went back`).toBeGreaterThanOrEqual(0)
    }
    if (this.floor !== undefined) expect(compareEpochs(stamp.voice, this.floor), 'a ghost').toBeGreaterThanOrEqual(0)
    this.shown.set(view.room_slug, stamp)
    this.board.set(view.room_slug, view)
  }

  liveBoard = (): string =>
    textOf(
      [...this.board.values()].filter(({ removed }) => !removed).map((view) => [view.room_slug, view.online_count]),
    )
}

// --- what happens ---------------------------------------------------------------------------------------------------------------

const slug = fc.constantFrom(...slugs)
const batch = fc.array(fc.record({ slug, removed: fc.boolean() }), { maxLength: 3 })
const always = <const T>(what: T) => fc.constant({ what })
const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('publish' as const), batch }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('publish-all' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('take-over' as const), without: fc.subarray(slugs) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('deposed' as const), batch }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('roll-back' as const), by: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: always('expire') },
  { weight: 8, arbitrary: fc.record({ what: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('lose' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('read' as const), lag: fc.constantFrom(0, 0, 0, 1, 3, 6) }) },
  { weight: 3, arbitrary: always('answer') },
  { weight: 1, arbitrary: always('drop') },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 7_000 }) }) },
)
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never

function play(stream: Stream, gateway: Gateway, next: Move): void {
  const before = stream.log.length
  switch (next.what) {
    case 'publish':
      stream.publish(stream.leader, next.batch)
      break
    case 'publish-all':
      stream.publishAll()
      break
    case 'take-over':
      stream.takeOver(next.without)
      break
    case 'deposed':
      if (compareEpochs(stream.recordVoice(), stream.leader) < 0) stream.publish(stream.recordVoice(), next.batch)
      break
    case 'roll-back': {
      stream.rollBack(next.by)
      if (!stream.mayWrite(stream.leader)) return
      const rest = stream.log.length
      stream.publish(stream.leader, [])
      stream.takeOver()
      gateway.queue.push(...stream.log.slice(rest))
      return
    }
    case 'expire':
      for (const message of stream.held())
        if (message.kind === 'room' && message.room.removed) stream.expired.add(message)
      break
    case 'deliver':
      for (const message of gateway.queue.splice(0, next.count)) gateway.take({ kind: 'live', message })
      break
    case 'lose':
      gateway.queue.splice(0, next.count)
      break
    case 'read':
      if (gateway.feed.asking) gateway.answers.push(stream.held(Math.max(1, stream.log.length - next.lag)))
      break
    case 'answer': {
      const messages = gateway.answers.shift()
      if (gateway.feed.asking) gateway.take(messages ? { kind: 'snapshot', messages } : { kind: 'snapshot-failed' })
      break
    }
    case 'drop':
      gateway.queue.length = 0
      gateway.take({ kind: 'disconnected' })
      gateway.take({ kind: 'connected' })
      break
    case 'wait':
      gateway.nowMs += next.ms
      gateway.take({ kind: 'tick' })
      break
  }
  gateway.queue.push(...stream.log.slice(before))
}

it('[G1][G3][G4] whatever is lost, late, overtaken or rolled back: nothing shown goes back, no ghost of a lower voice comes, and what replaces the board stood in the stream at one moment', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
      const stream = new Stream()
      stream.publishAll()
      const gateway = new Gateway(stream)
      gateway.take({ kind: 'connected' })
      for (const next of moves) play(stream, gateway, next)
      // The trouble is over: the leader publishes, everything arrives, what is asked is answered, twice over.
      const deliver: Move = { what: 'deliver', count: 1_000 }
      play(stream, gateway, deliver)
      play(stream, gateway, { what: 'publish-all' })
      for (let round = 0; round < 4; round++) {
        for (const next of [
          deliver,
          { what: 'wait', ms: 1_001 },
          { what: 'read', lag: 0 },
          { what: 'answer' },
        ] as const)
          play(stream, gateway, next)
        play(stream, gateway, { what: 'publish', batch: [] })
      }
      play(stream, gateway, deliver)
      const truth = textOf(stream.heldRooms(stream.leader).map(({ room }) => [room.room_slug, room.online_count]))
      expect([gateway.feed.complete, gateway.feed.status, gateway.liveBoard()]).toEqual([true, { stale: false }, truth])
    }),
    { numRuns: 2_000 },
  )
})

it('[G2] where nobody speaks for five seconds a snapshot alone counts: complete, the ghosts gone, and stale', () => {
  const stream = new Stream()
  stream.mapped.add('tower')
  stream.publishAll()
  stream.mapped.delete('tower')
  stream.takeOver()
  stream.publishAll()
  const gateway = new Gateway(stream)
  gateway.take({ kind: 'connected' })
  gateway.take({ kind: 'snapshot', messages: stream.held() })
  expect(gateway.feed.complete).toBe(false)
  gateway.nowMs = staleAfterMs
  gateway.take({ kind: 'tick' })
  expect([gateway.feed.complete, gateway.feed.ready, gateway.feed.status]).toEqual([
    true,
    true,
    { stale: true, reason: 'no-beat' },
  ])
  expect(gateway.liveBoard()).toBe(
    textOf(stream.heldRooms(stream.leader).map(({ room }) => [room.room_slug, room.online_count])),
  )
})
