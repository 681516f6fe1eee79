// The self-clocked sweep over all readers. An idle gateway flushes at once; while a sweep runs, changes gather in the city, and
// the next sweep begins when this one ends. So overload costs freshness only: there is one flush, never a queue of them.
//
//   change -> beginSweep -> sweepSome (500 readers) -> other work -> sweepSome ... -> done -> more changed meanwhile? again
//
// Who joins during a sweep has a snapshot newer than the flush and is passed over by its mark. Owns its tables, changed in place;
// "send" of the outlet is the only thing that leaves.
import type { Client } from './client.ts'
import { framesSince, markOf, type City } from './city.ts'
import { buildFlush, tailAfter, type Flush } from './flush.ts'
import { nextPingId } from './frames.ts'
import { decide, isLagging, notePing, type Reader } from './reader.ts'
import { isExpired } from './session.ts'

export type Sweeper = {
  readonly city: City
  /** Everything up to here was swept, or is being swept. */
  flushedMark: number
  pingId: number
  pingedAtMs: number
  current: { readonly flush: Flush; readonly rest: Iterator<Client> } | undefined
  /** Who waited out a flush; each gets what it missed as soon as it has drained. */
  readonly behind: Set<Client>
  /** What readers missed since a mark, as of `catchUpMark`: those who fell behind together share the bytes. */
  readonly catchUps: Map<number, Buffer>
  catchUpMark: number
  readonly totals: SweepTotals
}
/** Since the start; metrics are made of differences. */
export type SweepTotals = { writes: number; frames: number; bytes: number; waits: number; catchUps: number }

/** A flush carries a ping when the last one is this old: an unanswered ping is how lag shows that buffers hide. */
const pingEveryMs = 1_000
/** Different marks at which readers fell behind, within one moment; more are encoded again, which costs time, not truth. */
const catchUpsMax = 64

export const createSweeper = (city: City): Sweeper => ({
  city,
  flushedMark: markOf(city),
  pingId: 0,
  pingedAtMs: -pingEveryMs,
  current: undefined,
  behind: new Set(),
  catchUps: new Map(),
  catchUpMark: 0,
  totals: { writes: 0, frames: 0, bytes: 0, waits: 0, catchUps: 0 },
})

/** Takes what changed since the last sweep; false when there is nothing, or nobody to tell, or a sweep still runs. */
export function beginSweep(sweeper: Sweeper, clients: ReadonlySet<Client>, nowMs: number): boolean {
  const fromMark = sweeper.flushedMark
  const toMark = markOf(sweeper.city)
  if (sweeper.current !== undefined || fromMark === toMark) return false
  sweeper.flushedMark = toMark
  if (clients.size === 0) return false
  const flush = buildFlush(framesSince(sweeper.city, fromMark), fromMark, toMark, takePing(sweeper, nowMs))
  sweeper.current = { flush, rest: clients.values() }
  return true
}

function takePing(sweeper: Sweeper, nowMs: number): number {
  if (nowMs - sweeper.pingedAtMs < pingEveryMs) return 0
  sweeper.pingedAtMs = nowMs
  sweeper.pingId = nextPingId(sweeper.pingId)
  return sweeper.pingId
}

/** Serves at most `count` readers; true when the sweep has been round. */
export function sweepSome(sweeper: Sweeper, count: number, nowMs: number): boolean {
  const { current } = sweeper
  if (current === undefined) return true
  for (let served = 0; served < count; served++) {
    const next = current.rest.next()
    if (next.done === true) {
      sweeper.current = undefined
      return true
    }
    serveOne(sweeper, current.flush, next.value, nowMs)
  }
  return false
}

function serveOne(sweeper: Sweeper, flush: Flush, client: Client, nowMs: number): void {
  const { session, outlet } = client
  if (session.kind !== 'live' || isExpired(session, nowMs)) return
  const { reader } = session
  switch (decide(reader, flush, outlet.pendingBytes, nowMs)) {
    case 'nothing':
      return
    case 'wait':
      sweeper.totals.waits++
      sweeper.behind.add(client)
      return
    case 'catch-up':
      catchUp(sweeper, client, reader)
      return
    case 'tail':
      send(sweeper, client, tailAfter(flush, reader.mark))
      break
    case 'flush':
      sendFlush(sweeper, flush, client, reader, nowMs)
      break
  }
  reader.mark = flush.toMark
}

function sendFlush(sweeper: Sweeper, flush: Flush, client: Client, reader: Reader, nowMs: number): void {
  sweeper.totals.frames += flush.marks.length
  if (flush.pingId === 0 || reader.pingId !== 0) {
    send(sweeper, client, flush.frames)
    return
  }
  notePing(reader, flush.pingId, nowMs)
  send(sweeper, client, flush.framesAndPing)
}

function send(sweeper: Sweeper, { outlet }: Client, bytes: Buffer): void {
  sweeper.totals.writes++
  sweeper.totals.bytes += bytes.length
  outlet.send(bytes)
}

/** Gives a reader who has drained the newest value of all that it missed; false while it still lags. */
export function catchUpIfDrained(sweeper: Sweeper, client: Client, nowMs: number): boolean {
  const { session, outlet } = client
  if (session.kind !== 'live' || isExpired(session, nowMs)) {
    sweeper.behind.delete(client)
    return false
  }
  if (isLagging(session.reader, outlet.pendingBytes, nowMs)) return false
  catchUp(sweeper, client, session.reader)
  return true
}

function catchUp(sweeper: Sweeper, client: Client, reader: Reader): void {
  sweeper.behind.delete(client)
  if (reader.mark === markOf(sweeper.city)) return
  sweeper.totals.catchUps++
  send(sweeper, client, bytesSince(sweeper, reader.mark))
  reader.mark = markOf(sweeper.city)
}

function bytesSince(sweeper: Sweeper, mark: number): Buffer {
  const { catchUps, city } = sweeper
  if (sweeper.catchUpMark !== markOf(city)) catchUps.clear()
  sweeper.catchUpMark = markOf(city)
  const known = catchUps.get(mark)
  if (known !== undefined) return known
  const bytes = Buffer.concat(framesSince(city, mark).map((frame) => frame.bytes))
  if (catchUps.size < catchUpsMax) catchUps.set(mark, bytes)
  return bytes
}

/** Up to which mark everybody has everything. */
export function heardByAll(sweeper: Sweeper, clients: ReadonlySet<Client>): number {
  let least = sweeper.flushedMark
  for (const { session } of clients) if (session.kind === 'live') least = Math.min(least, session.reader.mark)
  return least
}
