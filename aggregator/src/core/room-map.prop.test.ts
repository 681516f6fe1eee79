import fc from 'fast-check'
import { expect, it } from 'vitest'
import { firstJudge, judgeMap, type RoomMapJudge } from './room-map.ts'

const mapOf = (slugs: readonly string[]) => slugs.map((slug) => ({ slug, matrix_room_id: `!${slug}` }))
const slugList = fc.uniqueArray(
  fc.integer({ min: 10, max: 21 }).map((number) => number.toString(36)),
  { maxLength: 12 },
)
const garbage = fc.constantFrom<unknown>(null, 7, 'x', {}, [{ slug: 'A b' }], [...mapOf(['a']), ...mapOf(['a'])])

const after = (judge: RoomMapJudge, ...answers: unknown[]) => {
  let kind = ''
  for (const answer of answers) {
    const judged = judgeMap(judge, answer)
    judge = judged.judge
    kind = judged.verdict.kind
  }
  return { judge, kind }
}

it('[P20] the first good map is believed; garbage and a slug twice are refused whole and leave the good map', () => {
  fc.assert(
    fc.property(slugList, fc.array(garbage, { minLength: 1, maxLength: 4 }), (slugs, bad) => {
      const { judge, kind } = after(firstJudge, mapOf(slugs))
      expect(kind).toBe('accepted')
      const judged = after(judge, ...bad)
      expect(judged.kind).toBe('refused')
      expect(judged.judge).toBe(judge)
    }),
  )
})

it('[P20] the refusal names the place', () => {
  const { verdict } = judgeMap(firstJudge, [...mapOf(['a', 'b']), { slug: 'a', matrix_room_id: '!c' }])
  expect(verdict.kind === 'refused' ? verdict.error.path : '').toBe('[2].slug')
})

it('[P21] a map that lost more than half of its rooms is believed when seen twice in a row, any other at once', () => {
  fc.assert(
    fc.property(slugList, slugList, slugList, (first, second, third) => {
      const twin = believes(first, second)
      const { judge } = after(firstJudge, mapOf(first))
      const once = judgeMap(judge, mapOf(second))
      fc.pre(second.length > 0 || first.length === 0)
      fc.pre(third.length > 0)
      expect(once.verdict.kind).toBe(twin ? 'accepted' : 'waiting')
      expect(after(judge, mapOf(second), mapOf(second)).kind).toBe('accepted')
      const other = [...third].sort().join() !== [...second].sort().join()
      if (!twin && other)
        expect(after(once.judge, mapOf(third)).kind).toBe(believes(first, third) ? 'accepted' : 'waiting')
    }),
  )
})

/** The rule in other words: of those that were there, at least half still are. */
const believes = (before: readonly string[], now: readonly string[]): boolean =>
  before.filter((slug) => !now.includes(slug)).length <= before.length / 2

it('[P21] garbage in between does not undo the first sight, a full map does', () => {
  const full = mapOf(['a', 'b', 'c', 'd', 'e'])
  const small = mapOf(['a'])
  expect(after(firstJudge, full, small, null, small).kind).toBe('accepted')
  expect(after(firstJudge, full, small, full, small).kind).toBe('waiting')
})

it('[P20] an empty map is refused where there were rooms, however often it is seen; a city that begins may have none', () => {
  expect(after(firstJudge, mapOf(['a']), [], [], []).kind).toBe('refused')
  expect(after(firstJudge, []).kind).toBe('accepted')
})

it('[P22] it is counted how often in a row a good map was seen, garbage between apart', () => {
  const [full, small] = [mapOf(['a', 'b', 'c']), mapOf(['a'])]
  const sightings = (...answers: unknown[]) => after(firstJudge, ...answers).judge.sightings
  expect([sightings(full), sightings(full, null, full), sightings(full, full, mapOf(['a', 'b']))]).toEqual([1, 2, 1])
  expect([sightings(full, small), sightings(full, small, small)]).toEqual([1, 2])
})
