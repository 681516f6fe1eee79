// The rules of docs/SPEC.md and the tests that carry their IDs.
//
//   | G4 | A lagging reader gets the newest value. |        it('[G4] a lagging reader gets the newest value', …)
import type { Source } from './sources.ts'

type Rule = { readonly id: string; readonly text: string }

/** The rules in a page: each table row that begins with an ID. */
export function rulesOf(page: string): readonly Rule[] {
  return [...page.matchAll(/^\|\s*([A-Z]+\d+[a-z]?)\s*\|\s*(.+?)\s*\|\s*$/gm)].map(([, id = '', text = '']) => ({
    id,
    text,
  }))
}

/** The IDs in test names; one name may carry several: `[G4][G5]`, `[G4, G5]`, `[G4 G5]`. */
export function idsInTests(tests: readonly Source[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { path, text } of tests)
    for (const [bracket] of text.matchAll(/(?<=['"`(\s\]])\[[A-Z]+\d+[a-z]?(?:[,\s]+[A-Z]+\d+[a-z]?)*\]/g))
      for (const [id] of bracket.matchAll(/[A-Z]+\d+[a-z]?/g)) found.set(id, [...(found.get(id) ?? []), path])
  return found
}
