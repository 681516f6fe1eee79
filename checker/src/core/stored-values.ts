// The values of each room in the order in which the stream stored them, to be found by what a browser was shown.
import type { RoomView } from '@citypresence/wire/client-messages'
import type { Entry } from './history.ts'

export type StoredValue = { readonly atMs: number; readonly key: string }
export type StoredValues = ReadonlyMap<string, readonly StoredValue[]>

type Shown = Pick<RoomView, 'online_count' | 'typing_count' | 'active' | 'stale' | 'removed'>

export const keyOf = ({ online_count, typing_count, active, stale, removed }: Shown): string =>
  [
    `${online_count}/${typing_count}`,
    active === true ? 'active' : '',
    stale === true ? 'stale' : '',
    removed === true ? 'removed' : '',
  ]
    .filter((word) => word !== '')
    .join(' ')

export function storedValuesOf(history: readonly Entry[]): StoredValues {
  const values = new Map<string, StoredValue[]>()
  for (const entry of history) {
    if (entry.kind !== 'stored' || entry.what.kind !== 'room') continue
    const { room } = entry.what
    const list = values.get(room.room_slug) ?? []
    values.set(room.room_slug, list)
    list.push({ atMs: entry.atMs, key: keyOf(room) })
  }
  return values
}

/**
 * Where this value stands: the first place from `from` on that was still the newest at `sinceMs` or later and was stored by
 * `untilMs`. -1 where there is none.
 */
export function findStored(
  list: readonly StoredValue[],
  key: string,
  { from, sinceMs, untilMs }: { from: number; sinceMs: number; untilMs: number },
): number {
  for (let index = from; index < list.length; index++) {
    const value = list[index]
    if (value === undefined || value.atMs > untilMs) return -1
    const replacedAtMs = list[index + 1]?.atMs ?? Infinity
    if (value.key === key && replacedAtMs >= sinceMs) return index
  }
  return -1
}
