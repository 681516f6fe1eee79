// The two elections, behind one face: the voices ask whether they may claim, and are told when another leads.
//
//   none:       silence on the beats is the vote (core/lone-election); the stream's record counts the terms
//   kubernetes: the Lease is the vote, each of its transitions opens a thousand terms (chassis/core/election, core/lease-terms)
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import type { LeaseElection } from '@citypresence/chassis/lease-election'
import { firstFitness, judgeFitness, type Condition } from './core/fitness.ts'
import type { Candidate } from './core/leader.ts'
import { firstTermOf, transitionsFor } from './core/lease-terms.ts'
import { hearBeat, mayTry, startWaiting, termFloorAt, type LoneElection } from './core/lone-election.ts'

export interface CityElection {
  readonly terms: Candidate['terms']
  /** The term of an election that is won now, undefined while it is not. */
  elected(nowMs: number): number | undefined
  /** A claim takes a term above this one, whatever the stream holds. `isFresh`: by who never led. */
  termFloor(isFresh: boolean): number
  /** Somebody else was faster on the stream. */
  standBy(nowMs: number): void
  /** This term has to be opened, the first of a holding. */
  raise(term: number): void
  /** Another leader's beat. */
  heardBeat(nowMs: number): void
  /** Beats could not be heard until now: that they were silent says nothing. */
  couldNotHear(nowMs: number): void
  /** The link to NATS broke or came back. */
  linkChanged(isLinked: boolean): void
  /** Called when another leads; at most one listener. */
  onLost(listener: () => void): void
  /** Lets go; after the last acknowledged write. */
  leave(): Promise<void>
}

export function electBySilence(clock: Clock): CityElection {
  let election: LoneElection = startWaiting(clock.monotonicMs())
  return {
    terms: 'record',
    elected: (nowMs) => (mayTry(election, nowMs) ? 0 : undefined),
    termFloor: () => termFloorAt(clock.wallMs()),
    standBy: (nowMs) => (election = hearBeat(election, nowMs)),
    raise: () => undefined,
    heardBeat: (nowMs) => (election = hearBeat(election, nowMs)),
    // Who cannot hear must not take that for silence: four seconds of it begin with the link.
    couldNotHear: (nowMs) => (election = startWaiting(nowMs)),
    linkChanged: () => undefined, // the one who is cut is not heard, which is vote enough
    onLost: () => undefined, // the stream alone says so
    leave: () => Promise.resolve(),
  }
}

export type LeaseVote = {
  readonly start: (on: { lost: (why: string) => void }) => LeaseElection
  /** The city is known: who leads then has all of it to say. */
  readonly isReady: () => boolean
  /** Since the last good sync with Matrix; undefined before the first. */
  readonly sourceAgeMs: () => number | undefined
  /** Cut from this for too long: another shall lead. */
  readonly handOver: (cutFrom: 'NATS' | 'Matrix') => void
  readonly clock: Clock
}

// Where nobody knows the city yet, whoever comes first leads: a beat that says so is better than silence.
const readyWaitMs = 5_000
const lookEveryMs = 50
// From the taking of a Lease to the claim: some 20 ms. So the floor has not come past it meanwhile.
const aheadMs = 5_000

export function electByLease({ start, isReady, sourceAgeMs, handOver, clock }: LeaseVote): CityElection {
  const startedMs = clock.monotonicMs()
  let lease: LeaseElection | undefined
  let isLinked = true
  let fitness = firstFitness
  let tellLost: () => void = () => undefined
  let cancel: Cancel = () => undefined
  let asked = 0

  const look = (): void => {
    const nowMs = clock.monotonicMs()
    if (lease === undefined && (isReady() || nowMs - startedMs >= readyWaitMs))
      lease = start({ lost: () => tellLost() })
    if (lease !== undefined) judge(lease, nowMs)
    cancel = clock.after(lookEveryMs, look)
  }

  const judge = (one: LeaseElection, nowMs: number): void => {
    const condition: Condition = { leads: one.leads(), isLinked, sourceAgeMs: sourceAgeMs() }
    const judged = judgeFitness(fitness, condition, nowMs)
    fitness = judged.fitness
    one.holdBack(judged.heldBackMs)
    if (condition.leads) asked = 0
    else askForTerms(one)
    if (judged.handOver !== undefined) handOver(judged.handOver)
  }

  /** A Lease that is taken opens terms above the floor at once; else the claim would have it raised once more. */
  const askForTerms = (one: LeaseElection): void => {
    const needed = transitionsFor(termFloorAt(clock.wallMs()) + aheadMs)
    if (needed <= asked) return
    asked = needed
    one.raise(needed)
  }

  cancel = clock.after(0, look)
  return {
    terms: 'lease',
    elected() {
      const transitions = lease?.confirmedTerm()
      return transitions === undefined ? undefined : firstTermOf(transitions)
    },
    // The transitions outlive every stream, and somebody may write others, or delete the Lease: then the clock remembers. Who led
    // remembers better, and takes its next term without asking the API.
    termFloor: (isFresh) => (isFresh ? termFloorAt(clock.wallMs()) : 0),
    standBy: () => undefined, // it still holds the Lease, and tries again above what it finds
    raise: (term) => lease?.raise(transitionsFor(term)),
    heardBeat: () => undefined,
    couldNotHear: () => undefined,
    linkChanged: (is) => (isLinked = is),
    onLost: (listener) => (tellLost = listener),
    async leave() {
      cancel()
      await lease?.leave()
    },
  }
}
