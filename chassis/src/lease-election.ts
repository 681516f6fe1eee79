// Runs the election on a Lease: its requests, its timer and its watch, until it has left.
//
//   watch --told--> step -> read, write --answer--> step ... -> onLeads(term), onLost(why)
//   leave() -> lets go of the Lease -> resolved
import { fullJitterMs } from './core/backoff.ts'
import {
  confirmedTerm,
  leads,
  nextDueAtMs,
  startElection,
  step,
  type Election,
  type ElectionEffect,
  type ElectionEvent,
  type ElectionSettings,
} from './core/election.ts'
import type { LeaseChange, LeaseRecord } from './core/lease-record.ts'
import { sleep, systemClock, type Cancel, type Clock } from './edge/clock.ts'
import { quietMsOf, type Lease } from './edge/kube-lease.ts'
import { CityError, toErrorCode } from './errors.ts'
import type { SampledLog } from './log.ts'

export type LeaseElectionOptions = {
  readonly lease: Lease
  readonly settings: ElectionSettings
  /** Leads under this term; again when the term is raised. */
  readonly onLeads: (term: number) => void
  readonly onLost: (why: string) => void
  readonly onError: (error: CityError) => void
  readonly log: SampledLog
  readonly random: () => number
  readonly clock?: Clock
}

export type LeaseElection = {
  /** May act as the leader now. */
  leads(): boolean
  /** The term, while the Lease itself lately said that it is ours. */
  confirmedTerm(): number | undefined
  /** The Lease's transitions have to be at least so many. */
  raise(to: number): void
  /** As a candidate it lets others go first for so long (Infinity: it does not try). */
  holdBack(ms: number): void
  /** Resolves when nothing is held any more, or the renew deadline has passed. */
  leave(): Promise<void>
}

// A watch that ended is opened again soon: without one a handover waits for the whole lease. Five seconds when it keeps failing.
const watchRetry = { baseMs: 100, capMs: 5_000 }
// As for reads and writes: longer is a mistake of somebody in between.
const watchQuietMsMax = 30_000

export function runLeaseElection(options: LeaseElectionOptions): LeaseElection {
  const { lease, settings, log, random, clock = systemClock } = options
  const left = Promise.withResolvers<undefined>()
  const stopping = new AbortController()
  let election: Election = startElection(clock.monotonicMs())
  let cancelTick: Cancel = () => undefined

  const dispatch = (event: ElectionEvent): void => {
    const after = step(election, event, settings, clock.monotonicMs())
    election = after.election
    for (const effect of after.effects) carryOut(effect)
    arm()
  }

  const arm = (): void => {
    cancelTick()
    const dueAtMs = nextDueAtMs(election, settings)
    if (dueAtMs === undefined || !Number.isFinite(dueAtMs)) return
    // While it lets go the process must not end for want of anything to do.
    cancelTick = clock.after(dueAtMs - clock.monotonicMs(), () => dispatch({ kind: 'tick' }), {
      keepAlive: election.role.kind === 'leaving',
    })
  }

  // A key of its own for each kind: one that holds back another would hide how it ended.
  const carryOut = (effect: ElectionEffect): void => {
    switch (effect.kind) {
      case 'read':
        void read()
        break
      case 'write':
        void write(effect.record, effect.change)
        break
      case 'leads':
        log.info('lease held', { term: effect.term }, 'holds the Lease')
        options.onLeads(effect.term)
        break
      case 'lost':
        log.warn('lease lost', { why: effect.why }, 'does not hold the Lease any more')
        options.onLost(effect.why)
        break
      case 'left':
        log.info('lease left', { released: effect.released }, 'has left the election')
        left.resolve(undefined)
        break
    }
  }

  const tellFailure = (error: CityError): void => {
    options.onError(error)
    log.warn('lease unreachable', { err: error, code: error.code }, 'the Lease cannot be reached')
  }

  const read = async (): Promise<void> => {
    const answer = await lease.read()
    if (answer.kind === 'read' && answer.record === undefined)
      tellFailure(new CityError('LeaseMissing', 'the Lease does not exist'))
    if (answer.kind === 'failed') tellFailure(answer.error)
    dispatch(answer.kind === 'read' ? answer : { kind: 'failed', quietMs: quietMsOf(answer.error) })
  }

  const write = async (record: LeaseRecord, change: LeaseChange): Promise<void> => {
    const answer = await lease.write(record, change)
    if (answer.kind === 'failed') tellFailure(answer.error)
    dispatch(answer.kind === 'failed' ? { kind: 'failed', quietMs: quietMsOf(answer.error) } : answer)
  }

  const follow = async (): Promise<void> => {
    let failures = 0
    let quietMs = 0
    while (!stopping.signal.aborted) {
      try {
        await lease.watch((record) => {
          failures = 0
          quietMs = 0
          dispatch({ kind: 'told', record })
        }, stopping.signal)
      } catch (error) {
        failures++
        quietMs = Math.min(quietMsOf(error), watchQuietMsMax)
        options.onError(
          error instanceof CityError ? error : new CityError('Unexpected', 'the watch failed', { cause: error }),
        )
        dispatch({ kind: 'unsure' })
        log.warn('lease watch', { err: error, code: toErrorCode(error) }, 'the Lease cannot be watched')
      }
      await sleep(clock, Math.max(quietMs, fullJitterMs(failures, watchRetry, random())), stopping.signal)
    }
  }

  dispatch({ kind: 'tick' })
  void follow()
  return {
    leads: () => leads(election, settings, clock.monotonicMs()),
    confirmedTerm: () => confirmedTerm(election, settings, clock.monotonicMs()),
    raise: (to) => dispatch({ kind: 'raise', to }),
    holdBack: (ms) => dispatch({ kind: 'hold-back', ms }),
    async leave() {
      stopping.abort()
      dispatch({ kind: 'leave' })
      await left.promise
      cancelTick()
      await lease.close()
    },
  }
}
