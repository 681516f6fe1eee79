// A scenario is a test of vitest whose failure leaves evidence behind, and whose times are told.
import { afterEach, type TestContext } from 'vitest'
import { gatherEvidence } from './evidence.ts'
import { tell, type Figure } from './figures.ts'

/** Called once in each file: what a failed scenario leaves behind is gathered while the cluster still shows it. */
export function leavesEvidence(): void {
  afterEach(async ({ task }: TestContext) => {
    if (task.result?.state !== 'fail') return
    const folder = await gatherEvidence(task.name)
    process.stderr.write(`  evidence: ${folder}\n`)
  }, 300_000)
}

/** Seconds that it took, told as a figure. */
export async function timed(figure: Omit<Figure, 'value' | 'unit'>, act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await act()
  const seconds = (performance.now() - startMs) / 1_000
  tell({ ...figure, value: seconds, unit: 's' })
  return seconds
}
