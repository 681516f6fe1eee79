// Plays the short faults of some sections as tests, each section on a city of its own. `make chaos` plays the long ones too.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sections } from '../all-faults.ts'
import { runFault } from '../run-fault.ts'
import { startStage, type Stage } from '../stage.ts'

// Of its bars of time each row may take three times as much: here they are deadlines of tests on a machine that others use too,
// which tell slow from never. The figures, and whether a bar is missed, are the matter of `make chaos`.
const patience = 3

export function playShortFaults(...titles: readonly string[]): void {
  const chosen = sections.filter(({ title }) => titles.includes(title))
  describe.each(chosen)('$title', ({ faults, stage: options }) => {
    let stage: Stage
    beforeAll(async () => {
      stage = await startStage({ ...options, patience })
    })
    afterAll(() => stage.stop())

    it.each(faults.filter(({ length }) => length === 'short'))(
      '[K50] $id $title',
      { timeout: 300_000 },
      async (fault) => {
        const { result, figure } = await runFault(stage, fault)
        expect(`${result}: ${figure}`).toMatch(/^held/)
      },
    )
  })
}
