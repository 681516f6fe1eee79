// Names as small numbers, so that the hot path works on arrays: '@a:x' <-> 7. A number that was given back is given out again,
// so the table is as large as the most names there ever were at one time, not as all there ever were.
//
// Owned by whoever made it and changed in place.

export type IdTable = {
  readonly indexOf: Map<string, number>
  /** Empty where the number is free. */
  readonly names: string[]
  readonly free: number[]
}

export const createIdTable = (): IdTable => ({ indexOf: new Map(), names: [], free: [] })

/** The number of a name, a new one where the name is new. */
export function intern(table: IdTable, name: string): number {
  const known = table.indexOf.get(name)
  if (known !== undefined) return known
  const index = table.free.pop() ?? table.names.length
  table.names[index] = name
  table.indexOf.set(name, index)
  return index
}

export const nameOf = (table: IdTable, index: number): string => table.names[index] ?? ''

export function release(table: IdTable, index: number): void {
  const name = nameOf(table, index)
  if (name === '') return
  table.indexOf.delete(name)
  table.names[index] = ''
  table.free.push(index)
}
