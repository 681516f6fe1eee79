// Whether this aggregator does its duty: as the leader it has said the whole city, as a standby it hears one, and follows
// Matrix where it is meant to.
import type { Role } from '@citypresence/chassis/admin-server'
import { reasonOf } from '@citypresence/chassis/nats-health'
import type { CityError } from '@citypresence/chassis/errors'

export type LeadersView = {
  leads(): boolean
  /** While it leads. */
  term(): number | undefined
  /** On the monotonic clock: when another leader's beat was last heard. */
  foreignBeatAtMs(): number | undefined
  /** Why it cannot write, or cannot hear who leads. */
  trouble(): CityError | undefined
}

// As long as gateways wait before they call a silence stale.
const silenceMs = 5_000

export type Followed = {
  readonly standby?: 'follows' | 'waits'
  /** Why there is no new map, and why the source is not believed. */
  readonly map?: CityError | undefined
  readonly source?: CityError | undefined
}

export function whyNotReady(
  known: { readonly synced: boolean; readonly mapped: boolean },
  speech: { isComplete(): boolean },
  leaders: Omit<LeadersView, 'term'>,
  nowMs: number,
  { standby = 'follows', map, source }: Followed = {},
): string[] {
  const reasons: string[] = []
  if (leaders.leads() || standby === 'follows') {
    if (!known.mapped) reasons.push(map === undefined ? 'no room map yet' : reasonOf(map))
    if (!known.synced) reasons.push('no sync with Matrix yet')
    if (source !== undefined) reasons.push(reasonOf(source))
  }
  const heardAtMs = leaders.foreignBeatAtMs()
  const follows = heardAtMs !== undefined && nowMs - heardAtMs <= silenceMs
  if (leaders.leads() ? !speech.isComplete() : !follows)
    reasons.push(leaders.leads() ? 'the city is not published completely yet' : 'nobody leads yet')
  const trouble = leaders.trouble()
  if (trouble !== undefined) reasons.push(reasonOf(trouble))
  return reasons
}

/** For whoever asks: a standby is as ready as a leader. */
export function roleOf(leaders: Pick<LeadersView, 'leads' | 'term'>): Role {
  const term = leaders.term()
  if (!leaders.leads()) return { role: 'standby' }
  return term === undefined ? { role: 'claiming' } : { role: 'leader', term }
}

/**
 * Whether it may speak for the city where no fence refuses it, as in a status: it leads, and the vote is of now. A leader that was frozen
 * believes for a moment that it leads still, while another has long said something else.
 */
export const mayTell = (
  leaders: Pick<LeadersView, 'leads'>,
  election: { elected(nowMs: number): number | undefined },
  nowMs: number,
): boolean => leaders.leads() && election.elected(nowMs) !== undefined
