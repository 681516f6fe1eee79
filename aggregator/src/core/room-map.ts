// May this answer of the room directory become the city's map? Pure judgement against the last good map.
//
//   answer -> garbage, a slug twice, no room?   refused whole, the last good map stays
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
  /** How often in a row the good map was seen with these rooms. */
  readonly sightings: number
}

export type RoomMapVerdict =
  | { readonly kind: 'accepted'; readonly map: RoomMap }
  | { readonly kind: 'waiting'; readonly rooms: number; readonly roomsBefore: number }
  | { readonly kind: 'refused'; readonly error: DecodeError }

export const firstJudge: RoomMapJudge = { good: undefined, doubted: undefined, sightings: 0 }

/** Judges one answer. A refused one changes nothing, so that garbage between two equal answers does not undo the first. */
export function judgeMap(judge: RoomMapJudge, answer: unknown): { judge: RoomMapJudge; verdict: RoomMapVerdict } {
  const decoded = roomDirectory.decode(answer)
  if (!decoded.ok) return { judge, verdict: { kind: 'refused', error: decoded.error } }
  const map = decoded.value
  const roomsBefore = judge.good?.length ?? 0
  // A city that had rooms and has none is a city service that lost its table.
  if (map.length === 0 && roomsBefore > 0)
    return { judge, verdict: { kind: 'refused', error: { path: '', expected: 'at least one room', found: 'none' } } }
  if (mayBeBelieved(judge, map))
    return {
      judge: { good: map, doubted: undefined, sightings: sightingsOf(judge, map) },
      verdict: { kind: 'accepted', map },
    }
  return { judge: { ...judge, doubted: map }, verdict: { kind: 'waiting', rooms: map.length, roomsBefore } }
}

function mayBeBelieved({ good, doubted }: RoomMapJudge, map: RoomMap): boolean {
  if (good === undefined || keptOf(good, map) * 2 >= good.length) return true
  return doubted !== undefined && sameSlugs(doubted, map)
}

function sightingsOf({ good, doubted, sightings }: RoomMapJudge, map: RoomMap): number {
  if (good !== undefined && sameSlugs(good, map)) return sightings + 1
  return doubted !== undefined && sameSlugs(doubted, map) ? 2 : 1
}

/** How many of the rooms are still there: a map of as many other rooms is a loss too. */
function keptOf(before: RoomMap, after: RoomMap): number {
  const slugs = new Set(after.map(({ slug }) => slug))
  return before.filter(({ slug }) => slugs.has(slug)).length
}

const sameSlugs = (a: RoomMap, b: RoomMap): boolean => a.length === b.length && keptOf(a, b) === a.length
