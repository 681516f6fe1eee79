// May this answer of the room directory become the city's map? Pure judgement against the last good map.
//
//   answer -> garbage, a slug twice?            refused whole, the last good map stays
//          -> less than half of the last map?   wait: only when the same shrinking is seen twice in a row
//          -> else                              accepted
//
// Half a map is worse than yesterday's: every room that is missing would be shown to everybody as removed.
import type { DecodeError } from '@citypresence/wire/decode'
import { roomDirectory, type RoomDirectoryEntry } from '@citypresence/wire/room-directory'

export type RoomMap = readonly RoomDirectoryEntry[]

export type RoomMapJudge = {
  readonly good: RoomMap | undefined
  /** A map that shrank too much to be believed once; its slugs are compared with the next answer. */
  readonly doubted: RoomMap | undefined
}

export type RoomMapVerdict =
  | { readonly kind: 'accepted'; readonly map: RoomMap }
  | { readonly kind: 'waiting'; readonly rooms: number; readonly roomsBefore: number }
  | { readonly kind: 'refused'; readonly error: DecodeError }

export const firstJudge: RoomMapJudge = { good: undefined, doubted: undefined }

/** Judges one answer. A refused one changes nothing, so that garbage between two equal answers does not undo the first. */
export function judgeMap(judge: RoomMapJudge, answer: unknown): { judge: RoomMapJudge; verdict: RoomMapVerdict } {
  const decoded = roomDirectory.decode(answer)
  if (!decoded.ok) return { judge, verdict: { kind: 'refused', error: decoded.error } }
  const map = decoded.value
  if (mayBeBelieved(judge, map)) return { judge: { good: map, doubted: undefined }, verdict: { kind: 'accepted', map } }
  const roomsBefore = judge.good?.length ?? 0
  return { judge: { ...judge, doubted: map }, verdict: { kind: 'waiting', rooms: map.length, roomsBefore } }
}

function mayBeBelieved({ good, doubted }: RoomMapJudge, map: RoomMap): boolean {
  if (good === undefined || keptOf(good, map) * 2 >= good.length) return true
  return doubted !== undefined && sameSlugs(doubted, map)
}

/** How many of the rooms are still there: a map of as many other rooms is a loss too. */
function keptOf(before: RoomMap, after: RoomMap): number {
  const slugs = new Set(after.map(({ slug }) => slug))
  return before.filter(({ slug }) => slugs.has(slug)).length
}

const sameSlugs = (a: RoomMap, b: RoomMap): boolean => a.length === b.length && keptOf(a, b) === a.length
