// Rooms that the homeserver keeps out of presence (Synapse's `exclude_rooms_from_presence`): nobody is ever told of there, which
// looks like a room that sleeps. Asked beside the audit of a room: a few of its members, first of all those whom no other room
// shows to us.
//
//   one of them may be seen                                    -> seen
//   403 M_FORBIDDEN for each, all are listed there before and
//   after, and the daemon's own presence is answered meanwhile -> refused; a second time in a row: the room is blind
//   anything else (no answer, a proxy's 403, somebody left)    -> nothing was learned
//
// The specification lets us see whoever shares a room with us, so a homeserver that shows a room cannot refuse one of its
// members; and one person who may not be seen says nothing about a room in which another may.
import { isMember, roomsNumberOf, type PresenceState } from './presence-state.ts'

export type Blindness = 'seen' | 'doubted' | 'blind'
export type Round = 'seen' | 'refused' | 'unknown'
export type Answer = { readonly userId: string; readonly kind: 'told' | 'forbidden' | 'unknown' }

/** One may have come and gone between two lists; three at the same time, twice, hardly do. */
export const askedMax = 3

/** Of a longer list so many are looked at, from another place each time: a look at everybody of a crowd takes too long. */
const lookedAtMax = 1_000

/** Whom to ask for: listed members whom only this room shows to us; where there are none, any. `turn` moves on through them. */
export function whomToAsk(
  state: PresenceState,
  roomId: string,
  listed: readonly string[],
  turn: number,
): readonly string[] {
  const members = windowOf(listed, turn).filter((userId) => isMember(state, roomId, userId))
  const alone = members.filter((userId) => roomsNumberOf(state, userId) === 1)
  const asked = alone.length > 0 ? alone : members
  const { length } = asked
  return Array.from({ length: Math.min(length, askedMax) }, (_, index) => asked[(turn + index) % length] ?? '')
}

function windowOf(listed: readonly string[], turn: number): readonly string[] {
  if (listed.length <= lookedAtMax) return listed
  const start = (turn * askedMax) % listed.length
  return [
    ...listed.slice(start, start + lookedAtMax),
    ...listed.slice(0, Math.max(0, start + lookedAtMax - listed.length)),
  ]
}

/** What a round of questions says. `listedAfter` and `ownTold` matter only where somebody was refused. */
export function roundOf(
  answers: readonly Answer[],
  { listedAfter, ownTold }: { readonly listedAfter: readonly string[]; readonly ownTold: boolean },
): Round {
  if (answers.some(({ kind }) => kind === 'told')) return 'seen'
  const still = new Set(listedAfter)
  const isRefused = ({ userId, kind }: Answer): boolean => kind === 'forbidden' && still.has(userId)
  return answers.length > 0 && ownTold && answers.every(isRefused) ? 'refused' : 'unknown'
}

export function judgeBlindness(before: Blindness, round: Round): Blindness {
  if (round === 'unknown') return before
  if (round === 'seen') return 'seen'
  return before === 'seen' ? 'doubted' : 'blind'
}
