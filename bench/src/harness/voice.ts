// The leader of a measured city: makes the stream, claims it and writes rooms in fenced batches, as the aggregator does and with its
// code. A room's count is the moment of its writing, so that whoever reads it knows its age.
import { setTimeout as sleep } from 'node:timers/promises'
import { openFencedStream } from '@citypresence/aggregator/edge/fenced-stream'
import { toMessages } from '@citypresence/aggregator/core/batch'
import { createLogger } from '@citypresence/chassis/log'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { connectNats, type NatsConnection } from '@citypresence/chassis/edge/nats-connect'
import { secretFromText } from '@citypresence/chassis/secret'
import type { NatsServer } from '@citypresence/stack/nats-server'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import { roomNow } from './room.ts'

export type Voice = {
  readonly rooms: number
  /** Writes these rooms with the moment as their count; resolves when they are stored. */
  say(first: number, count: number): Promise<void>
  /** Says `count` rooms every `everyMs`, going round; a beat each second where that is seldom. */
  keepSaying(count: number, everyMs: number): { stop(): Promise<void> }
  /** A beat a second and nothing else. */
  keepBeating(): { stop(): Promise<void> }
  stop(): Promise<void>
}

const silentLogger = createLogger({
  service: 'bench',
  level: 'fatal',
  destination: { write: () => undefined },
})

// A batch holds a thousand messages, one of them the beat.
const batchRooms = 999

export async function startVoice(nats: NatsServer, rooms: number): Promise<Voice> {
  const { user, pass } = nats.leader
  const connection: NatsConnection = await connectNats({
    servers: [nats.url],
    credentials: { kind: 'user', user: secretFromText(user), password: secretFromText(pass) },
    name: 'bench',
    inboxPrefix: '_INBOX_aggregator',
    log: silentLogger,
  })
  const subjects = subjectsBelow(defaultPrefix)
  const stream = openFencedStream({
    connection,
    streamName: roomStream,
    subjects,
    kind: 'rooms',
    replicas: 1,
    inboxPrefix: '_INBOX_aggregator',
    clock: systemClock,
  })
  await stream.ensure()
  const term = Math.max(1, Date.now())
  const claimed = await stream.claim({ term, holder: 'bench', city: 'bench' }, (await stream.readRecord()).sequence)
  if (claimed.kind !== 'acked') throw new Error(`the stream could not be claimed: ${claimed.kind}`)
  const epoch = { term, epoch: claimed.sequence }
  let last = claimed.sequence
  let isWhole = false
  const writeNow = async (said: readonly RoomPresence[]): Promise<void> => {
    const beat = { complete: isWhole, rooms: isWhole ? rooms : said.length, source: 'live', source_age_ms: 0 } as const
    const messages = toMessages(said, beat, { epoch, subjects, traceOf: () => undefined })
    const answer = await stream.write(messages, epoch, last)
    if (answer.kind !== 'acked') throw new Error(`a batch was not stored: ${JSON.stringify(answer)}`)
    last = answer.sequence
  }
  // One write in flight, as a leader has; who wants to say something meanwhile waits.
  let turn: Promise<void> = Promise.resolve()
  const write = (said: readonly RoomPresence[]): Promise<void> => (turn = turn.then(() => writeNow(said)))
  const listOf = (first: number, count: number): RoomPresence[] =>
    Array.from({ length: count }, (_, index) => roomNow((first + index) % rooms))
  for (let first = 0; first < rooms; first += batchRooms)
    await write(listOf(first, Math.min(batchRooms, rooms - first)))
  isWhole = true
  await write([])
  return {
    rooms,
    say: (first, count) => write(listOf(first, count)),
    keepSaying: (count, everyMs) => {
      let next = 0
      return keep(everyMs, () => {
        const first = next
        next = (next + count) % rooms
        return write(listOf(first, count))
      })
    },
    keepBeating: () => keep(1_000, () => write([])),
    stop: () => connection.close(),
  }
}

/** At this pace by the clock, one at a time; who comes late says what is due at once, and does not run after what was missed. */
function keep(everyMs: number, run: () => Promise<void>): { stop(): Promise<void> } {
  const ending = new AbortController()
  const ended = (async () => {
    let dueMs = performance.now()
    while (!ending.signal.aborted) {
      await run()
      dueMs = Math.max(dueMs + everyMs, performance.now() - everyMs)
      const waitMs = dueMs - performance.now()
      if (waitMs > 0) await sleep(waitMs)
    }
  })()
  // Told by stop().
  ended.catch(() => undefined)
  return {
    async stop() {
      ending.abort()
      await ended
    },
  }
}
