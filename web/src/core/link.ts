// The connection to a gateway, as a machine without a world: events in, what to do out.
//
//            start             token            opened             snapshot heard
//   idle ------------> token -------> opening --------> greeting ----------------> live <--+ heard, ping
//                        ^               | closed before it opened                    |    |
//                        |               v                                            | --+
//                        |            asking  why? (401: the token)                   | closed, or silent
//                        |               |                                            v
//                        +----------- waiting <------- by close code: soon, later ----+      never, or no new token: stopped
//
// The same close code table as the gateway's says how to come back. A page cannot see protocol pings, so silence is broken
// with a text `ping`; it cannot see why a handshake was refused either, so it asks once over HTTP with the same token.
import { comeBackAfter, type ComeBack } from '@citypresence/wire/client-messages'

/** Why the link gave up: the token is no longer good, the gateway said stay away, or address or token cannot be used at all. */
export type StopReason = 'session-ended' | 'refused' | 'unusable'

/** `tries`: losses and failures since the link last held. `refusals`: tokens refused since then. */
type Counts = { readonly tries: number; readonly refusals: number }

export type Link =
  | ({ readonly phase: 'idle' } & Counts)
  | ({ readonly phase: 'token' | 'opening' | 'greeting' | 'asking'; readonly deadlineMs: number } & Counts)
  | ({ readonly phase: 'live' } & Silence & Counts)
  | ({ readonly phase: 'waiting'; readonly dueAtMs: number; readonly patient: boolean } & Counts)
  | ({ readonly phase: 'stopped'; readonly why: StopReason } & Counts)

type Silence = {
  readonly sinceMs: number
  readonly heardAtMs: number
  readonly pingAtMs: number
  readonly pingedAtMs: number | undefined
}

export type LinkEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'token' }
  | { readonly kind: 'no-token' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'heard'; readonly snapshot: boolean }
  | { readonly kind: 'closed'; readonly code: number }
  /** The answer to "why": an HTTP status, or undefined where none came. */
  | { readonly kind: 'answered'; readonly httpStatus: number | undefined }
  /** The address or the token is of a form that no socket takes. */
  | { readonly kind: 'unusable' }
  | { readonly kind: 'tick' }
  /** The machine woke, the network is back, the page is looked at again: find out at once how things stand. */
  | { readonly kind: 'nudge' }

/** `drop`: whatever is in flight (socket, question, token) is given up; nothing more is heard of it. */
export type LinkEffect = 'ask-token' | 'open' | 'ping' | 'ask-why' | 'drop'

/** What the machine may not find out itself. `renewable`: the page can be asked for another token. */
type Circumstances = { readonly nowMs: number; readonly random01: number; readonly renewable: boolean }

type LinkStep = { readonly link: Link; readonly effects: readonly LinkEffect[] }

// A token may need a round trip to a login service; 30 s is what such a call is given elsewhere.
export const tokenTimeoutMs = 30_000
// Handshake, first snapshot, and question why: a gateway answers in milliseconds, a poor mobile link within 10 s.
export const answerTimeoutMs = 10_000
// Proxies cut idle connections after 30 s at the earliest; half of it leaves one lost ping room.
export const pingAfterMs = 15_000
// Spread over 2.5 s, so that pages opened at the same moment do not ping at the same moment.
export const pingJitterMs = 2_500
export const silenceMs = 20_000
// A throttled background tab may ping late; the gateway still gets this long to answer it.
export const pongTimeoutMs = 5_000
// A link that held this long counts as a success: the next loss begins again with the shortest wait.
export const stableAfterMs = 10_000
// `soon`: at least 100 ms, so that a close at every open cannot spin; at most 15 s, which is what a viewer puts up with.
export const soon = { floorMs: 100, baseMs: 1_000, capMs: 15_000 }
// `later`: half of it is certain, because the gateway asked for air; two minutes at most.
export const later = { baseMs: 5_000, capMs: 120_000 }
// After a nudge a thousand pages of one office should still not come in one breath.
export const nudgeWithinMs = 1_000
// Doubling further only overflows; both caps are reached long before.
const doublingsMax = 10

export const createLink = (): Link => ({ phase: 'idle', tries: 0, refusals: 0 })

export function stepLink(link: Link, event: LinkEvent, at: Circumstances): LinkStep {
  switch (event.kind) {
    case 'start':
      return link.phase === 'idle' ? askToken(link, at) : stay(link)
    case 'token':
      return link.phase === 'token' ? enter('opening', link, at.nowMs + answerTimeoutMs, ['open']) : stay(link)
    case 'no-token':
      return link.phase === 'token' ? comeBack('later', lost(link, at), at) : stay(link)
    case 'opened':
      return link.phase === 'opening' ? enter('greeting', link, at.nowMs + answerTimeoutMs, []) : stay(link)
    case 'heard':
      return onHeard(link, event.snapshot, at)
    case 'closed':
      return onClosed(link, event.code, at)
    case 'answered':
      return link.phase === 'asking' ? onAnswered(link, event.httpStatus, at) : stay(link)
    case 'unusable':
      return link.phase === 'opening' ? onUnusable(link, at) : stay(link)
    case 'tick':
      return onTick(link, at)
    case 'nudge':
      return onNudge(link, at)
  }
}

/** When the machine wants a tick; undefined when only the world can move it. */
export function nextDueAtMs(link: Link): number | undefined {
  switch (link.phase) {
    case 'idle':
    case 'stopped':
      return undefined
    case 'waiting':
      return link.dueAtMs
    case 'live':
      return link.pingedAtMs === undefined ? link.pingAtMs : downAtMs(link, link.pingedAtMs)
    default:
      return link.deadlineMs
  }
}

const stay = (link: Link): LinkStep => ({ link, effects: [] })

const countsOf = ({ tries, refusals }: Counts): Counts => ({ tries, refusals })

const enter = (
  phase: 'token' | 'opening' | 'greeting' | 'asking',
  from: Counts,
  deadlineMs: number,
  effects: readonly LinkEffect[],
): LinkStep => ({ link: { phase, deadlineMs, ...countsOf(from) }, effects })

const askToken = (from: Counts, at: Circumstances): LinkStep =>
  enter('token', from, at.nowMs + tokenTimeoutMs, ['ask-token'])

const downAtMs = (live: Silence, pingedAtMs: number): number =>
  Math.max(live.heardAtMs + silenceMs, pingedAtMs + pongTimeoutMs)

const quietFrom = (heardAtMs: number, random01: number): Pick<Silence, 'heardAtMs' | 'pingAtMs' | 'pingedAtMs'> => ({
  heardAtMs,
  pingAtMs: heardAtMs + pingAfterMs - Math.floor(random01 * pingJitterMs),
  pingedAtMs: undefined,
})

function onHeard(link: Link, snapshot: boolean, at: Circumstances): LinkStep {
  if (link.phase === 'live') return stay({ ...link, ...quietFrom(at.nowMs, at.random01) })
  if (link.phase !== 'greeting' || !snapshot) return stay(link)
  return stay({ phase: 'live', sinceMs: at.nowMs, ...quietFrom(at.nowMs, at.random01), ...countsOf(link) })
}

function onClosed(link: Link, code: number, at: Circumstances): LinkStep {
  if (link.phase === 'opening') return enter('asking', link, at.nowMs + answerTimeoutMs, ['ask-why'])
  if (link.phase !== 'greeting' && link.phase !== 'live') return stay(link)
  return comeBack(comeBackAfter(code), lost(link, at), at)
}

function onAnswered(link: Link, httpStatus: number | undefined, at: Circumstances): LinkStep {
  return comeBack(httpStatus === 401 ? 'new-token' : 'later', lost(link, at), at)
}

function onUnusable(link: Link, at: Circumstances): LinkStep {
  if (!at.renewable) return stop(link, 'unusable', ['drop'])
  const { link: next } = comeBack('later', lost(link, at), at)
  return { link: next, effects: ['drop'] }
}

function onTick(link: Link, at: Circumstances): LinkStep {
  const dueAtMs = nextDueAtMs(link)
  if (dueAtMs === undefined || at.nowMs < dueAtMs) return stay(link)
  if (link.phase === 'waiting') return askToken(link, at)
  if (link.phase === 'live' && link.pingedAtMs === undefined) return ping(link, at.nowMs)
  const patience = link.phase === 'live' ? 'soon' : 'later'
  const { link: next } = comeBack(patience, lost(link, at), at)
  return { link: next, effects: ['drop'] }
}

const ping = (live: Extract<Link, { phase: 'live' }>, nowMs: number): LinkStep => ({
  link: { ...live, pingedAtMs: nowMs },
  effects: ['ping'],
})

function onNudge(link: Link, at: Circumstances): LinkStep {
  // A patient wait was asked for by the gateway, or earned by failing: a nudge does not shorten it.
  if (link.phase === 'waiting' && !link.patient) {
    const soonestMs = at.nowMs + soon.floorMs + Math.floor(at.random01 * nudgeWithinMs)
    return stay({ ...link, dueAtMs: Math.min(link.dueAtMs, soonestMs) })
  }
  if (link.phase !== 'live' || link.pingedAtMs !== undefined) return stay(link)
  // Asked now and answered within the pong's time, or the link is down: no need to sit out the whole silence.
  return ping({ ...link, heardAtMs: Math.min(link.heardAtMs, at.nowMs - (silenceMs - pongTimeoutMs)) }, at.nowMs)
}

/** One more loss; a link that held long enough had wiped the slate clean before. */
function lost(link: Link, at: Circumstances): Counts {
  const held = link.phase === 'live' && at.nowMs - link.sinceMs >= stableAfterMs
  return held ? { tries: 1, refusals: 0 } : { tries: link.tries + 1, refusals: link.refusals }
}

function comeBack(how: ComeBack, counts: Counts, at: Circumstances): LinkStep {
  switch (how) {
    case 'never':
      return stop(counts, 'refused', [])
    case 'new-token':
      return withNewToken(counts, at)
    case 'soon':
      return wait(counts, at.nowMs + soonMs(counts.tries, at.random01), false)
    case 'later':
      return wait(counts, at.nowMs + laterMs(counts.tries, at.random01), true)
  }
}

function withNewToken(counts: Counts, at: Circumstances): LinkStep {
  if (!at.renewable) return stop(counts, 'session-ended', [])
  const refused = { ...counts, refusals: counts.refusals + 1 }
  // The first refusal is what expiry looks like: ask at once. A fresh token that is refused too is a fault: slow down.
  return refused.refusals === 1 ? askToken(refused, at) : comeBack('later', refused, at)
}

const stop = (counts: Counts, why: StopReason, effects: readonly LinkEffect[]): LinkStep => ({
  link: { phase: 'stopped', why, ...countsOf(counts) },
  effects,
})

const wait = (counts: Counts, dueAtMs: number, patient: boolean): LinkStep => ({
  link: { phase: 'waiting', dueAtMs, patient, ...countsOf(counts) },
  effects: [],
})

const ceilingMs = (tries: number, baseMs: number, capMs: number): number =>
  Math.min(capMs, baseMs * 2 ** Math.min(Math.max(tries - 1, 0), doublingsMax))

const soonMs = (tries: number, random01: number): number =>
  soon.floorMs + Math.floor(random01 * ceilingMs(tries, soon.baseMs, soon.capMs))

const laterMs = (tries: number, random01: number): number =>
  Math.floor((ceilingMs(tries, later.baseMs, later.capMs) * (1 + random01)) / 2)

/** What a page is told. `connecting`: nothing has failed yet. `down`: it is being tried again. */
type LinkStatus = 'connecting' | 'live' | 'down' | 'stopped'

export function statusOf(link: Link): LinkStatus {
  if (link.phase === 'live' || link.phase === 'stopped') return link.phase
  return link.tries === 0 ? 'connecting' : 'down'
}
