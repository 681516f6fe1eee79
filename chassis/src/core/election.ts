// Who leads, by a Lease that several candidates write: client-go's rules as one pure machine.
//
//   candidate --the holder let go, or was silent for its duration--> write --acknowledged--> leading --renew, renew ...
//       ^                                                                                       |
//       '-------- a read that succeeded names another (or, without a fence, the deadline) ------'
//   either --leave--> leaving: let go of what is held, after the last write of the work itself --> left
//
// Durations are counted on the own monotonic clock, from what was seen: a candidate from when it saw the record change, the
// leader from when it sent the renewal that was acknowledged. So clocks may differ as they like; only their speeds may not differ
// by more than leaseMs / renewDeadlineMs.
//
// What could not be looked at is no silence: after an outage of the API a candidate counts from when it sees the record again, and a
// Lease that nobody ever let go (made anew, emptied) is left for a moment to who leads already.
//
// With a fence behind it (`fenced`) the leader goes on while the Lease cannot be reached or is gone, and stops only when a
// successful read names another: what two of them could do wrong is refused elsewhere. Without one it stops at the deadline.
import type { LeaseChange, LeaseRecord } from './lease-record.ts'

export type ElectionSettings = {
  /** Unique for each process, or two would take each other for one. */
  readonly me: string
  readonly leaseMs: number
  readonly renewDeadlineMs: number
  readonly retryMs: number
  /** However long a foreign record says it is good for: the Lease is anybody's to edit. */
  readonly foreignLeaseMsMax: number
  readonly fenced: boolean
  /** In [0, 1), another one for each candidate, so that they do not all write at once. */
  readonly jitter01: number
}

type Writing = { readonly kind: 'acquire' | 'renew' | 'release'; readonly term: number; readonly sentAtMs: number }

type Role =
  | { readonly kind: 'candidate' }
  | { readonly kind: 'leading'; readonly term: number; readonly renewedAtMs: number }
  | { readonly kind: 'leaving'; readonly sinceMs: number }
  | { readonly kind: 'left' }

export type Election = {
  readonly role: Role
  /** What the Lease was last seen to be; undefined when it never was seen, or is gone. */
  readonly record: LeaseRecord | undefined
  /** When the record was first seen as it is. */
  readonly seenAtMs: number
  /** What is known may be older than what is stored: nothing is written on it. */
  readonly mustRead: boolean
  /** The watch spoke of another while something was asked: the answer may be older than that. */
  readonly toldMeanwhile: boolean
  readonly asked: 'nothing' | 'read' | Writing
  /** Requests that failed since the API was last heard of. */
  readonly failures: number
  /** Requests since the last rest: followed up at once only so often. */
  readonly round: number
  readonly dueAtMs: number
  /** The API asked for silence until then, whatever the watch tells meanwhile. */
  readonly quietUntilMs: number
  /** The highest term known: a Lease made anew begins at zero, and nobody's term may go back. */
  readonly highest: number
  /** The term that the work asks for; the Lease follows it. */
  readonly wanted: number
  /** As a candidate it lets others go first for so long; infinite while it could do nothing with the Lease. */
  readonly heldBackMs: number
}

export type ElectionEvent =
  | { readonly kind: 'tick' }
  /** The watch broke: what is known has to be looked at. */
  | { readonly kind: 'unsure' }
  /** Told by the watch: may be old, may be missing. */
  | { readonly kind: 'told'; readonly record: LeaseRecord | undefined }
  /** The answer to a read. */
  | { readonly kind: 'read'; readonly record: LeaseRecord | undefined }
  /** The answer to a write: stored, and this is how it stands there. */
  | { readonly kind: 'written'; readonly record: LeaseRecord }
  /** The answer to a write: another was faster, or the Lease is gone. */
  | { readonly kind: 'refused' }
  /** No answer, or none that can be used: a write may have been stored. `quietMs`: for so long the API wants to be left alone. */
  | { readonly kind: 'failed'; readonly quietMs?: number }
  | { readonly kind: 'raise'; readonly to: number }
  | { readonly kind: 'hold-back'; readonly ms: number }
  | { readonly kind: 'leave' }

export type ElectionEffect =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly record: LeaseRecord; readonly change: LeaseChange }
  /** Leads with this term; said again when the term is raised. */
  | { readonly kind: 'leads'; readonly term: number }
  | { readonly kind: 'lost'; readonly why: string }
  /** Holds nothing any more, and wants nothing. */
  | { readonly kind: 'left'; readonly released: boolean }

type Step = { readonly election: Election; readonly effects: readonly ElectionEffect[] }

/** The rules of client-go, with the 1.2 of its jitter; undefined when they hold. */
export function whyUnsafe(
  settings: Pick<ElectionSettings, 'leaseMs' | 'renewDeadlineMs' | 'retryMs'>,
): string | undefined {
  const { leaseMs, renewDeadlineMs, retryMs } = settings
  if (leaseMs > renewDeadlineMs && renewDeadlineMs > jitterFactor * retryMs) return undefined
  return `the lease duration has to be longer than the renew deadline, and that longer than ${jitterFactor} retry periods`
}

const jitterFactor = 1.2
// A read and a write after a refusal, twice: whoever is still refused then is not alone, and rests.
const roundMax = 4
// An API server in trouble says a second or so. Half a minute is a mistake of somebody in between, and too long to be without a leader.
const quietMsMax = 30_000

export const startElection = (nowMs: number): Election => ({
  role: { kind: 'candidate' },
  record: undefined,
  seenAtMs: nowMs,
  mustRead: true,
  toldMeanwhile: false,
  asked: 'nothing',
  failures: 0,
  round: 0,
  dueAtMs: nowMs,
  quietUntilMs: nowMs,
  highest: 0,
  wanted: 0,
  heldBackMs: 0,
})

/** Whether this process may act as the leader at this moment. */
export const leads = ({ role }: Election, settings: ElectionSettings, nowMs: number): boolean =>
  role.kind === 'leading' && (settings.fenced || nowMs - role.renewedAtMs < settings.renewDeadlineMs)

/** The term, while the Lease itself said lately that this process holds it: what a claim may be built on. */
export const confirmedTerm = ({ role }: Election, settings: ElectionSettings, nowMs: number): number | undefined =>
  role.kind === 'leading' && nowMs - role.renewedAtMs < settings.renewDeadlineMs ? role.term : undefined

/** When a tick is wanted; undefined once it is over. */
export function nextDueAtMs(election: Election, settings: ElectionSettings): number | undefined {
  const { role, asked } = election
  if (role.kind === 'left') return undefined
  const next = asked === 'nothing' ? askableAtMs(election) : Number.POSITIVE_INFINITY
  if (role.kind === 'leaving') return Math.min(next, role.sinceMs + settings.renewDeadlineMs)
  return role.kind === 'leading' && !settings.fenced
    ? Math.min(next, role.renewedAtMs + settings.renewDeadlineMs)
    : next
}

const askableAtMs = ({ dueAtMs, quietUntilMs }: Election): number => Math.max(dueAtMs, quietUntilMs)

export function step(before: Election, event: ElectionEvent, settings: ElectionSettings, nowMs: number): Step {
  if (before.role.kind === 'left') return { election: before, effects: [] }
  const { election, effects: first } = heedDeadline(before, settings, nowMs)
  const { election: after, effects: second } = take(election, event, settings, nowMs)
  const { election: last, effects: third } = act(after, settings, nowMs)
  return { election: last, effects: [...first, ...second, ...third] }
}

/** What ends by time alone, whatever is asked and not answered. */
function heedDeadline(election: Election, { fenced, renewDeadlineMs }: ElectionSettings, nowMs: number): Step {
  const { role } = election
  if (role.kind === 'leading' && !fenced && nowMs - role.renewedAtMs >= renewDeadlineMs)
    return lose(election, `the Lease could not be renewed for ${renewDeadlineMs} ms`, nowMs)
  // By now it runs out by itself.
  if (role.kind === 'leaving' && nowMs - role.sinceMs >= renewDeadlineMs) return leave(election, false)
  return { election, effects: [] }
}

function take(election: Election, event: ElectionEvent, settings: ElectionSettings, nowMs: number): Step {
  if (election.role.kind === 'left') return stay(election)
  switch (event.kind) {
    case 'tick':
      return stay(election.asked === 'nothing' && nowMs >= election.dueAtMs ? { ...election, round: 0 } : election)
    case 'unsure':
      return stay(
        election.asked === 'nothing' && election.role.kind === 'candidate'
          ? { ...election, mustRead: true, dueAtMs: Math.min(election.dueAtMs, nowMs) }
          : election,
      )
    case 'told':
      return stay(hear(election, event.record, settings, nowMs))
    case 'read':
      return election.asked === 'read'
        ? judge(answered(election, nowMs), event.record, settings, nowMs)
        : stay(election)
    case 'written':
      return typeof election.asked === 'object'
        ? settle(election, election.asked, event.record, settings, nowMs)
        : stay(election)
    case 'refused':
      return stay({ ...answered(election, nowMs), mustRead: true })
    case 'failed':
      return stay({
        ...rest(answered(election, nowMs), settings, nowMs),
        mustRead: true,
        failures: election.failures + 1,
        quietUntilMs: nowMs + Math.min(event.quietMs ?? 0, quietMsMax),
      })
    case 'raise':
      return stay(raise(election, event.to, nowMs))
    case 'hold-back':
      return stay(holdBack(election, event.ms, nowMs))
    case 'leave':
      return startLeaving(election, nowMs)
  }
}

/** Who holds it raises it now; a candidate when it takes it. */
function raise(election: Election, to: number, nowMs: number): Election {
  const wanted = Math.max(election.wanted, to)
  return election.role.kind === 'candidate' ? { ...election, wanted } : { ...election, wanted, dueAtMs: nowMs }
}

function holdBack(election: Election, heldBackMs: number, nowMs: number): Election {
  if (heldBackMs === election.heldBackMs) return election
  const isCandidate = election.role.kind === 'candidate'
  return { ...election, heldBackMs, dueAtMs: isCandidate ? Math.min(election.dueAtMs, nowMs) : election.dueAtMs }
}

const stay = (election: Election): Step => ({ election, effects: [] })
/** Answered, and followed up at once unless that has been done too often. */
const answered = (election: Election, nowMs: number): Election => ({ ...election, asked: 'nothing', dueAtMs: nowMs })
const rest = (election: Election, { retryMs, jitter01 }: ElectionSettings, nowMs: number): Election => ({
  ...election,
  round: 0,
  dueAtMs: nowMs + retryMs * (1 + (jitterFactor - 1) * jitter01),
})

// One failed request is bad luck; two in a row, and the holder may have been as blind.
const blindFailures = 2

/** The record as it is seen now; its age begins anew when a holder wrote, or when nobody could have seen that he did. */
function see(election: Election, record: LeaseRecord | undefined, nowMs: number): Election {
  const isSame = record?.stamp === election.record?.stamp && election.failures < blindFailures
  const highest = Math.max(election.highest, record?.transitions ?? 0)
  return { ...election, record, seenAtMs: isSame ? election.seenAtMs : nowMs, highest, failures: 0 }
}

/**
 * The watch spoke. To a candidate that is news enough: whatever it writes is written under a condition. To a leader it is a
 * reason to look, and no more, for the watch may tell of the past.
 */
function hear(election: Election, record: LeaseRecord | undefined, { me }: ElectionSettings, nowMs: number): Election {
  const isOfOthers = record?.holder !== me
  if (election.asked !== 'nothing') return { ...election, toldMeanwhile: election.toldMeanwhile || isOfOthers }
  if (election.role.kind === 'candidate')
    return record === undefined
      ? { ...election, mustRead: true, dueAtMs: nowMs }
      : { ...see(election, record, nowMs), mustRead: false, dueAtMs: nowMs }
  const namesAnother = isOfOthers && record !== undefined && record.holder !== ''
  return election.role.kind === 'leading' && namesAnother ? { ...election, mustRead: true, dueAtMs: nowMs } : election
}

function judge(before: Election, record: LeaseRecord | undefined, settings: ElectionSettings, nowMs: number): Step {
  const election = { ...see(before, record, nowMs), mustRead: before.toldMeanwhile, toldMeanwhile: false }
  // Gone: whoever made it makes it again. Until then nothing can be held, and nothing is lost.
  if (record === undefined)
    return election.role.kind === 'leaving'
      ? leave(election, true)
      : stay({ ...rest(election, settings, nowMs), mustRead: true })
  const { role } = election
  const isMine = record.holder === settings.me
  if (role.kind === 'leaving' && !isMine) return leave(election, true)
  if (role.kind === 'leading' && !isMine && record.holder !== '')
    return lose(election, `the Lease names ${record.holder}`, nowMs)
  return stay(election)
}

function settle(
  before: Election,
  writing: Writing,
  record: LeaseRecord,
  settings: ElectionSettings,
  nowMs: number,
): Step {
  const seen = see(answered(before, nowMs), record, nowMs)
  const election = { ...seen, mustRead: before.toldMeanwhile, toldMeanwhile: false }
  if (writing.kind === 'release') return leave(election, true)
  const highest = Math.max(election.highest, writing.term)
  // The deadline passed while the renewal was under way: what it held is lost, and has to be won again.
  if (election.role.kind === 'candidate' && writing.kind === 'renew') return stay({ ...election, highest })
  if (election.role.kind !== 'candidate' && election.role.kind !== 'leading') return stay({ ...election, highest })
  const { role } = election
  const isNews = role.kind === 'candidate' || role.term !== writing.term
  const leading: Election = {
    ...election,
    highest,
    role: { kind: 'leading', term: writing.term, renewedAtMs: writing.sentAtMs },
  }
  return {
    // A term that was asked for meanwhile does not wait, nor does a look at what the watch told.
    election: leading.wanted > writing.term || leading.mustRead ? leading : rest(leading, settings, nowMs),
    effects: isNews ? [{ kind: 'leads', term: writing.term }] : [],
  }
}

const lose = (election: Election, why: string, nowMs: number): Step => ({
  // What the lost term wanted dies with it.
  election: { ...election, role: { kind: 'candidate' }, wanted: 0, dueAtMs: nowMs },
  effects: [{ kind: 'lost', why }],
})

const leave = (election: Election, released: boolean): Step => ({
  election: { ...election, role: { kind: 'left' }, asked: 'nothing' },
  effects: [{ kind: 'left', released }],
})

function startLeaving(election: Election, nowMs: number): Step {
  const { role, asked } = election
  if (role.kind === 'leaving') return stay(election)
  // A write under way may still win.
  const mayHold = role.kind === 'leading' || typeof asked === 'object'
  if (!mayHold) return leave(election, true)
  return stay({ ...election, role: { kind: 'leaving', sinceMs: nowMs }, dueAtMs: nowMs, round: 0 })
}

/** What is to be asked now, if anything: one request at a time. */
function act(election: Election, settings: ElectionSettings, nowMs: number): Step {
  const { role, record, asked, round } = election
  if (role.kind === 'left' || asked !== 'nothing' || nowMs < askableAtMs(election)) return stay(election)
  if (round >= roundMax) return stay(rest(election, settings, nowMs))
  if (election.mustRead || record === undefined)
    return { election: { ...election, asked: 'read', round: round + 1 }, effects: [{ kind: 'read' }] }
  if (role.kind === 'leaving') return write(election, record, 'release', settings, nowMs)
  if (role.kind === 'leading')
    return write(election, record, record.holder === settings.me ? 'renew' : 'acquire', settings, nowMs)
  const freeAtMs = freeAt(election, record, settings) + election.heldBackMs
  if (nowMs >= freeAtMs) return write(election, record, 'acquire', settings, nowMs)
  return stay({ ...election, round: 0, dueAtMs: freeAtMs })
}

// Long enough for who leads to find it again.
const newLeaseRetries = 2

/** From when on the record binds nobody. Under the own name without leading: a write whose answer was lost, or a lost term. */
function freeAt(election: Election, record: LeaseRecord, settings: ElectionSettings): number {
  const { me, leaseMs, foreignLeaseMsMax, retryMs } = settings
  const { seenAtMs } = election
  if (record.holder === me) return seenAtMs
  if (record.holder === '') return record.transitions === 0 ? seenAtMs + newLeaseRetries * retryMs : seenAtMs
  return seenAtMs + Math.min(record.durationMs ?? leaseMs, foreignLeaseMsMax)
}

function write(
  election: Election,
  record: LeaseRecord,
  kind: Writing['kind'],
  { me, leaseMs }: ElectionSettings,
  nowMs: number,
): Step {
  const { role, wanted, highest } = election
  const held = role.kind === 'leading' ? role.term : 0
  // Let go by somebody under a term above the own: that one is spent.
  const isNew = kind === 'acquire' && (held === 0 || record.transitions > held)
  const term = Math.max(isNew ? Math.max(record.transitions, highest) + 1 : record.transitions, held, wanted)
  const change: LeaseChange =
    kind === 'release'
      ? { holder: '', transitions: record.transitions, durationS: 1, acquires: false } // zero is refused
      : { holder: me, transitions: term, durationS: Math.ceil(leaseMs / 1000), acquires: kind === 'acquire' }
  return {
    election: { ...election, asked: { kind, term, sentAtMs: nowMs }, round: election.round + 1 },
    effects: [{ kind: 'write', record, change }],
  }
}
