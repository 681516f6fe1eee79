// Several candidates and one Lease in a world that a seed decides: slow, lost and late requests, a watch that is late or silent,
// clocks of different speeds, processes that freeze, an API server that is away, a Lease that is deleted or scribbled on.
import type { LeaseChange } from '../core/lease-record.ts'
import { leaseWith, readLease, type LeaseRecord } from '../core/lease-record.ts'
import {
  leads,
  nextDueAtMs,
  startElection,
  step,
  type Election,
  type ElectionEffect,
  type ElectionEvent,
  type ElectionSettings,
} from '../core/election.ts'

export type Trouble = {
  readonly seed: number
  readonly candidates: number
  readonly fenced: boolean
  /** The fastest clock runs so many times as fast as the slowest. */
  readonly skew: number
  /** Share of requests or answers that never arrive. */
  readonly loss: number
  readonly slowMs: number
  /** Each second, the share of candidates that freeze for up to ten. */
  readonly freeze: number
  readonly away: number
  /** Each second, the chance that somebody deletes the Lease, or writes nonsense into it. */
  readonly vandal: number
  /** Each second, the chance that the work of somebody asks for a higher term. */
  readonly raise?: number
}

export type Held = { readonly who: number; readonly term: number }

type Candidate = {
  readonly settings: ElectionSettings
  readonly rate: number
  election: Election
  frozenUntilMs: number
  /** Of the request that is under way: an answer after its timeout counts no more. */
  request: number
  readonly lost: { readonly why: string; readonly lastRead: LeaseRecord | undefined }[]
  lastRead: LeaseRecord | undefined
}

export type ElectionWorld = {
  readonly candidates: readonly Candidate[]
  /** Each acquisition that the server stored, in order. */
  readonly acquired: Held[]
  /** Each write that opened a term, be it an acquisition or a raise, in order. */
  readonly opened: Held[]
  /** Told by a candidate itself: when it began to lead, or its term rose. */
  readonly led: Held[]
  lease: LeaseRecord | undefined
  writes: number
  nowMs(): number
  localMs(who: number): number
  tell(who: number, event: ElectionEvent): void
  leading(): number[]
  /** Runs, and asks after every event. */
  run(ms: number, after?: () => void): void
  /** From here on everything is well. */
  heal(): void
}

const random = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const periods = { leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 1_000, foreignLeaseMsMax: 10_000 }

const noLease = (version: number): LeaseRecord =>
  recordOf({ metadata: { name: 'city', resourceVersion: String(version) }, spec: {} })

function recordOf(json: unknown): LeaseRecord {
  const read = readLease(json)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

export function createElectionWorld(trouble: Trouble): ElectionWorld {
  const next = random(trouble.seed)
  let { loss, slowMs, freeze, away, vandal, raise = 0 } = trouble
  let nowMs = 0
  let version = 1
  let awayUntilMs = 0
  const queue: { atMs: number; order: number; run: () => void }[] = []
  let order = 0
  const at = (ms: number, run: () => void): void => {
    queue.push({ atMs: nowMs + ms, order: order++, run })
  }
  const candidates: Candidate[] = Array.from({ length: trouble.candidates }, (_, who) => ({
    settings: { ...periods, me: `pod-${who}`, fenced: trouble.fenced, jitter01: next() },
    rate: 1 + (trouble.skew - 1) * next(),
    election: startElection(0),
    frozenUntilMs: 0,
    request: 0,
    lost: [],
    lastRead: undefined,
  }))
  const candidateAt = (who: number): Candidate => {
    const found = candidates[who]
    if (found === undefined) throw new Error(`no candidate ${who}`)
    return found
  }

  const world: ElectionWorld = {
    candidates,
    acquired: [],
    opened: [],
    led: [],
    lease: noLease(version),
    writes: 0,
    nowMs: () => nowMs,
    localMs: (who) => nowMs * candidateAt(who).rate,
    tell,
    leading: () =>
      candidates.flatMap(({ election, settings }, who) => (leads(election, settings, world.localMs(who)) ? [who] : [])),
    run(ms, after) {
      const endMs = nowMs + ms
      for (;;) {
        queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
        const due = queue[0]
        if (due === undefined || due.atMs > endMs) break
        queue.shift()
        nowMs = due.atMs
        due.run()
        after?.()
      }
      nowMs = endMs
    },
    heal() {
      loss = freeze = away = vandal = raise = 0
      slowMs = 5
      awayUntilMs = nowMs
      world.lease ??= noLease(++version)
      for (const one of candidates) one.frozenUntilMs = Math.min(one.frozenUntilMs, nowMs)
    },
  }

  /** A frozen process takes what came when it lives again. */
  function whenAwake(who: number, run: () => void): void {
    const { frozenUntilMs } = candidateAt(who)
    if (frozenUntilMs > nowMs) at(Math.max(1, frozenUntilMs - nowMs), () => whenAwake(who, run))
    else run()
  }

  function tell(who: number, event: ElectionEvent): void {
    const one = candidateAt(who)
    if (event.kind === 'read') one.lastRead = event.record
    const after = step(one.election, event, one.settings, world.localMs(who))
    one.election = after.election
    for (const effect of after.effects) carryOut(who, effect)
    const dueAtMs = nextDueAtMs(one.election, one.settings)
    if (dueAtMs !== undefined && Number.isFinite(dueAtMs))
      at(Math.max(1, (dueAtMs - world.localMs(who)) / one.rate), () => whenAwake(who, () => tick(who, dueAtMs)))
  }

  /** Only the newest appointment counts, as with a timer that is set anew. */
  function tick(who: number, dueAtMs: number): void {
    const one = candidateAt(who)
    if (nextDueAtMs(one.election, one.settings) === dueAtMs) tell(who, { kind: 'tick' })
  }

  function carryOut(who: number, effect: ElectionEffect): void {
    const one = candidateAt(who)
    if (effect.kind === 'leads') world.led.push({ who, term: effect.term })
    if (effect.kind === 'lost') one.lost.push({ why: effect.why, lastRead: one.lastRead })
    if (effect.kind === 'read') ask(who, () => ({ kind: 'read', record: world.lease }))
    if (effect.kind === 'write') ask(who, () => store(who, effect.record, effect.change))
  }

  function ask(who: number, serve: () => ElectionEvent): void {
    const one = candidateAt(who)
    const request = ++one.request
    const answer = (event: ElectionEvent): void => {
      if (one.request !== request) return
      one.request++
      tell(who, event)
    }
    at(one.settings.retryMs / one.rate, () => whenAwake(who, () => answer({ kind: 'failed' })))
    if (next() < loss) return
    at(next() * slowMs, () => {
      if (nowMs < awayUntilMs) return
      const event = serve()
      if (next() < loss) return
      at(next() * slowMs, () => whenAwake(who, () => answer(event)))
    })
  }

  function store(who: number, record: LeaseRecord, change: LeaseChange): ElectionEvent {
    world.writes++
    if (world.lease?.version !== record.version) return { kind: 'refused' }
    const before = world.lease.transitions
    const body = leaseWith(record, change, nowMs)
    const stored = put(body)
    if (stored.transitions !== before) world.opened.push({ who, term: stored.transitions })
    if (change.acquires) world.acquired.push({ who, term: change.transitions })
    return { kind: 'written', record: stored }
  }

  function put(body: Record<string, unknown>): LeaseRecord {
    const stored = recordOf({ ...body, metadata: { name: 'city', resourceVersion: String(++version) } })
    world.lease = stored
    tellAll(stored)
    return stored
  }

  function tellAll(record: LeaseRecord | undefined): void {
    for (const who of candidates.keys())
      if (next() >= loss) at(next() * slowMs, () => whenAwake(who, () => tell(who, { kind: 'told', record })))
  }

  function scribble(): void {
    const pick = next()
    if (pick < 0.3) {
      world.lease = undefined
      tellAll(undefined)
      at(2_000 * next(), () => {
        if (world.lease === undefined) tellAll((world.lease = noLease(++version)))
      })
    } else if (pick < 0.6) {
      put({ spec: { holderIdentity: 'somebody', leaseDurationSeconds: 2 ** 31 - 1, leaseTransitions: 0 } })
    } else if (pick < 0.8) put({ spec: { holderIdentity: '', leaseTransitions: Math.trunc(next() * 9) } })
    else put({ spec: { holderIdentity: 7, leaseDurationSeconds: -1, leaseTransitions: 'many' } })
  }

  const everySecond = (): void => {
    at(1_000, everySecond)
    if (next() < away) awayUntilMs = nowMs + next() * 10_000
    for (const one of candidates) if (next() < freeze) one.frozenUntilMs = nowMs + next() * 10_000
    if (next() < vandal) scribble()
    if (raise > 0 && next() < raise)
      tell(Math.trunc(next() * candidates.length), {
        kind: 'raise',
        to: (world.lease?.transitions ?? 0) + Math.trunc(next() * 4),
      })
  }
  for (const who of candidates.keys()) at(next() * 1_000, () => tell(who, { kind: 'tick' }))
  at(1_000, everySecond)
  return world
}
