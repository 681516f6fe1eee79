// What to ask /sync for next, and how long to wait before it. Pure: the random number arrives as an argument.
//
//   nextRequest -> ask --- answer, applied ---> applied: since moves on, counters back to zero
//                   '----- failure -----------> failed: same since, wait; or since forgotten: an initial sync
//
// `since` moves only after an answer was applied, so that nothing is lost by a crash between the two. It is forgotten when
// the server refuses it, when three answers in a row could not be read, and when it may mean nothing any more: a server whose
// database was taken back takes a token of its lost future without a word, and would never tell what it forgot.

export type SyncSettings = {
  /** What the server is asked to hold a poll for. */
  readonly timeoutMs: number
  /** How much longer than that we wait for the last byte: a proxy and a busy server on the way. */
  readonly slackMs: number
  /** An initial sync lists the whole city. */
  readonly initialBytesMax: number
  readonly incrementBytesMax: number
  /** Where the variation of this process begins, so that a restarted one does not repeat its predecessor's request. */
  readonly variationStart: number
}

export type SyncPace = {
  /** Undefined: the next sync is an initial one. */
  readonly since: string | undefined
  /** Failures in a row, of any kind. */
  readonly failures: number
  readonly unreadable: number
  /** Answers in a row that came at once and brought the token that we sent. */
  readonly repeats: number
  readonly initials: number
  /** A server that was away may have forgotten who types, without a word. */
  readonly typingSuspect: boolean
  /** An initial sync with all members was too large: from now on they are left out of it and listed room by room. */
  readonly lazy: boolean
  /** Tokens that were left, newest last. */
  readonly left: readonly string[]
  /** How often in a row the server went back, without one step forward between. */
  readonly turns: number
  /** Since when no answer came at all. */
  readonly awaySinceMs: number | undefined
}

export type SyncRequest = {
  readonly since: string | undefined
  readonly timeoutMs: number
  readonly deadlineMs: number
  readonly bytesMax: number
  /** Members are left out, except those who wrote. */
  readonly lazy: boolean
}

/**
 * unreachable: no whole answer. unreadable: an answer that means nothing. too-large: one longer than we read. refused: the
 * server does not like the request.
 */
export type SyncFailure = 'unreachable' | 'unreadable' | 'too-large' | 'refused' | 'not-now'

export const firstPace: SyncPace = {
  since: undefined,
  failures: 0,
  unreadable: 0,
  repeats: 0,
  initials: 0,
  typingSuspect: false,
  lazy: false,
  left: [],
  turns: 0,
  awaySinceMs: undefined,
}

/** After so long a silence nobody knows what was done to the server meanwhile. */
const awayMaxMs = 60_000
/** A server that goes back goes to a place of the last minutes; older ones show by their numbers. */
const leftMax = 64

/** A broken proxy may cut one answer and the next; a third says that this answer itself is the trouble. */
const unreadableMax = 3
/** An initial sync of a large account may take its server minutes; past five nobody waits for it. */
const initialDeadlineMaxMs = 300_000
/** Synapse answers a repeated request from memory for two minutes, so no two requests of that time may be alike. */
const variationsMs = 10_000
// The first retry within a second; 30 s is the longest that a recovered server waits for us.
const backoffBaseMs = 1_000
const backoffCapMs = 30_000

export function nextRequest(pace: SyncPace, settings: SyncSettings): SyncRequest {
  const pollMs = settings.timeoutMs + settings.slackMs
  const { since } = pace
  if (since !== undefined)
    return {
      since,
      // An answer that never arrived is kept as well: the same question would bring the news of back then, as if they were new.
      timeoutMs: settings.timeoutMs + (pace.failures % variationsMs),
      deadlineMs: pollMs + (pace.failures % variationsMs),
      bytesMax: settings.incrementBytesMax,
      lazy: false,
    }
  return {
    since,
    lazy: pace.lazy,
    // The server answers an initial sync at once whatever this says: it only makes the request another one.
    timeoutMs: 1 + ((settings.variationStart + pace.initials) % variationsMs),
    deadlineMs: Math.min(pollMs * 2 ** Math.min(pace.failures, 10), initialDeadlineMaxMs),
    bytesMax: settings.initialBytesMax,
  }
}

export function failed(
  pace: SyncPace,
  failure: SyncFailure,
  random01: number,
  nowMs: number,
): { pace: SyncPace; waitMs: number } {
  const asked = { ...pace, initials: pace.initials + (pace.since === undefined ? 1 : 0) }
  // Whoever said "not now" also said when: that is no trouble of ours, and the gate before the server keeps the time.
  if (failure === 'not-now') return { pace: asked, waitMs: 0 }
  const isUnreadable = failure === 'unreadable' || failure === 'too-large'
  const unreadable = isUnreadable ? pace.unreadable + 1 : pace.unreadable
  const awaySinceMs = pace.awaySinceMs ?? (failure === 'unreachable' ? nowMs : undefined)
  const isLongAway = awaySinceMs !== undefined && nowMs - awaySinceMs >= awayMaxMs
  const giveUp = failure === 'refused' || unreadable >= unreadableMax || isLongAway
  const next = {
    ...asked,
    failures: pace.failures + 1,
    since: giveUp ? undefined : pace.since,
    unreadable: giveUp ? 0 : unreadable,
    typingSuspect: pace.typingSuspect || failure === 'unreachable',
    lazy: pace.lazy || (failure === 'too-large' && pace.since === undefined),
    awaySinceMs,
  }
  return { pace: next, waitMs: backoffMs(pace.failures, random01) }
}

// What the server and the way may take beside the time that a poll is held.
const answerMsMax = 1_000

/** How long an answer lay about before it was read: a poll is held no longer than it asks for. */
export const lateByMs = (tookMs: number, timeoutMs: number): number => Math.max(0, tookMs - timeoutMs - answerMsMax)

/**
 * Did the server go back to a place that we had left? Then its answer is no step from ours. Tokens are nobody's to read, but
 * those of the form s12_34 are known to count events and presence, which never grow less.
 */
export function wentBack({ since, left }: SyncPace, nextBatch: string): boolean {
  if (since === undefined || nextBatch === since) return false
  return left.includes(nextBatch) || countsLess(nextBatch, since)
}

const countsOf = (token: string): readonly [number, number] | undefined => {
  const found = /^s(\d+)_(\d+)/.exec(token)
  return found === null ? undefined : [Number(found[1]), Number(found[2])]
}

function countsLess(token: string, than: string): boolean {
  const [counts, before] = [countsOf(token), countsOf(than)]
  return counts !== undefined && before !== undefined && (counts[0] < before[0] || counts[1] < before[1])
}

/** It went back: everything is asked anew, ever more slowly where that happens again and again. */
export function turned(pace: SyncPace, random01: number): { pace: SyncPace; waitMs: number } {
  const next = { ...pace, since: undefined, left: [], turns: pace.turns + 1, repeats: 0 }
  return { pace: next, waitMs: pace.turns === 0 ? 0 : backoffMs(pace.turns - 1, random01) }
}

/** Something that no change will tell is to be learned: everything is asked anew. */
export const startedOver = (pace: SyncPace): SyncPace => ({ ...pace, since: undefined, left: [] })

/** The consumer has applied an answer. */
export function applied(
  pace: SyncPace,
  answer: { readonly nextBatch: string; readonly cameAtOnce: boolean },
  random01: number,
): { pace: SyncPace; waitMs: number } {
  const stuck = answer.nextBatch === pace.since && answer.cameAtOnce
  const next = {
    since: answer.nextBatch,
    failures: 0,
    unreadable: 0,
    repeats: stuck ? pace.repeats + 1 : 0,
    initials: pace.initials + (pace.since === undefined ? 1 : 0),
    typingSuspect: false,
    lazy: pace.lazy,
    // A server that was taken back walks through the same places again: what counts begins with the initial sync.
    left: pace.since === undefined ? [] : stuck ? pace.left : [...pace.left, pace.since].slice(-leftMax),
    // An initial sync is no step: a server that goes back after each one must not be asked for the city all the time.
    turns: pace.since === undefined ? pace.turns : 0,
    awaySinceMs: undefined,
  }
  // A server that repeats itself at once would otherwise be asked as fast as it answers.
  return { pace: next, waitMs: stuck ? backoffMs(pace.repeats, random01) : 0 }
}

/**
 * Doubles to the cap; one half of it is certain, the other is drawn. Without the certain half a run of small draws would
 * spend more than the 25 requests in five minutes that a server in trouble may be asked.
 */
export function backoffMs(attempt: number, random01: number): number {
  const ceilingMs = Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(attempt, 30))
  return Math.floor(ceilingMs / 2 + (ceilingMs / 2) * random01)
}
