// What lies are put into: a quiet day, and the tools to change one entry of it.
import { expect } from 'vitest'
import { checkHistory } from '../core/check-history.ts'
import type { Invariant } from '../core/violation.ts'
import type { Entry } from '../core/history.ts'
import { honestDay, type Act } from './honest-day.ts'

export type Lie = { readonly says: string; readonly broken: Invariant; readonly tell: (day: Entry[]) => Entry[] }
export type Frame = Extract<Entry, { kind: 'frame' }>
export type StoredEntry = Extract<Entry, { kind: 'stored' }>

// Somebody comes, much later somebody else: what lies between is quiet.
const quietDay: readonly Act[] = [
  { slug: 'energy', online: 5, typing: 0, afterMs: 500 },
  { slug: 'energy', online: 6, typing: 1, afterMs: 20_000 },
  { slug: 'square', online: 2, typing: 0, afterMs: 20_000 },
]

const invariantsIn = (history: readonly Entry[]): readonly Invariant[] =>
  checkHistory(history).map(({ invariant }) => invariant)

/** The day without the lie has nothing to confess; with it, the invariant is named. */
export function expectFound({ broken, tell }: Lie): void {
  const day = honestDay(quietDay)
  expect(invariantsIn(day)).toEqual([])
  expect(invariantsIn(tell(day))).toContain(broken)
}

/** The place of the last entry of this kind that fits. */
export const at = <K extends Entry['kind']>(
  day: readonly Entry[],
  kind: K,
  which: (entry: Extract<Entry, { kind: K }>) => boolean,
): number => day.findLastIndex((entry) => entry.kind === kind && which(entry as Extract<Entry, { kind: K }>))

export const frameOf =
  (slug: string, online: number) =>
  ({ message }: Frame): boolean =>
    message.type === 'room.presence' && message.room_slug === slug && message.online_count === online

export const storedRoom =
  (slug: string) =>
  ({ what }: StoredEntry): boolean =>
    what.kind === 'room' && what.room.room_slug === slug

export const without = (day: readonly Entry[], index: number): Entry[] => day.filter((_, other) => other !== index)

export const changed = (day: readonly Entry[], index: number, change: (entry: never) => Entry): Entry[] =>
  day.map((entry, other) => (other === index ? change(entry as never) : entry))

export const after = (day: readonly Entry[], index: number, ...more: readonly Entry[]): Entry[] => [
  ...day.slice(0, index + 1),
  ...more,
  ...day.slice(index + 1),
]
