// How many connections each address, or each subject of a token, holds at once. One table for each kind; a key is there only while
// it holds a place, so the table is never larger than the connections are.
export type Places = Map<string, number>

export const createPlaces = (): Places => new Map()

/** False where all of them are taken: nothing was noted then, and nothing is to be left. */
export function takePlace(places: Places, key: string, max: number): boolean {
  const taken = places.get(key) ?? 0
  if (taken >= max) return false
  places.set(key, taken + 1)
  return true
}

export function leavePlace(places: Places, key: string): void {
  const taken = places.get(key) ?? 0
  if (taken > 1) places.set(key, taken - 1)
  else places.delete(key)
}
