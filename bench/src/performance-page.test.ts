// The page and its plots, on a run that is made up: what was measured stands there, and nothing else.
import { expect, it } from 'vitest'
import { figure, type KeptRow, type KeptRun } from './core/result.ts'
import { connectionMemory, gatewayMemory, idleCost, writeCost } from './core/sizing.ts'
import { performancePage } from './performance-page.ts'
import { curvesPlot, goalsPlot, headroomOf } from './performance-plot.ts'

const curve = (what: string, value: number) => ({
  what,
  across: 'browsers',
  unit: 'us',
  points: [
    { at: 1_000, value: value / 2 },
    { at: 10_000, value },
  ],
})
const row = (id: string, more: Partial<KeptRow>): KeptRow => ({
  id,
  title: `Row <${id}>`,
  workload: 'some work',
  boundBy: 'the machine',
  figures: [],
  goals: [],
  curves: [],
  notRun: [],
  notes: [],
  day: '2026-01-01',
  tookS: 10,
  load: '0.1 to 0.2',
  ...more,
})
const run: KeptRun = {
  machine: 'a machine',
  rows: {
    P1: row('P1', {
      figures: [figure('ours', 'this | that', 'messages/s', [1e6, 1.1e6, 1.2e6], 'beside')],
      goals: [
        { what: 'enough', value: 1.1e6, unit: 'messages/s', bar: 1e6, bound: 'least' },
        { what: 'too slow & more', value: 20, unit: 'ms', bar: 10, bound: 'most' },
      ],
      curves: [curve(writeCost, 10)],
      notRun: [{ what: 'a peer', why: 'not to be had' }],
      profile: [{ what: 'writeBuffer', percent: 61.5 }],
    }),
    P3: row('P3', { curves: [curve(connectionMemory, 8)], figures: [figure('ours', gatewayMemory, 'MB', [100])] }),
    P11: row('P11', { curves: [curve(idleCost, 2)] }),
  },
}

it('[BN4] each figure, each goal with what came of it, what was not run, and where the time went stand on the page', () => {
  const page = performancePage(run)
  expect(page).toContain('| ours | this \\| that | 1.1 M messages/s | ±9 % of 3 | beside |')
  expect(page).toContain('| P1 | enough | 1.1 M messages/s | >= 1 M messages/s | met |')
  expect(page).toContain('| P1 | too slow & more | 20 ms | <= 10 ms | **missed** |')
  expect(page).toContain('Not run: a peer (not to be had).')
  expect(page).toContain('writeBuffer 61.5 %')
  expect(page).toContain('Measured on 2026-01-01 in 10 s, load of the machine 0.1 to 0.2.')
})

it('[BN4] the table of sizes is made of what was measured, and not there before', () => {
  expect(performancePage(run)).toContain('a write with ten rooms costs 10 us')
  expect(performancePage({ ...run, rows: {} })).toContain('Printed once the rows P1, P3 and P11 are measured.')
})

it('[BN4] the plots show each goal and each curve once, as text that stays text; a met goal lies right of the missed one', () => {
  const [goals, curves] = [goalsPlot(run), curvesPlot(run)]
  expect(goals).toContain('too slow &amp; more')
  expect(goals.match(/<circle/g)).toHaveLength(2)
  expect(curves.match(/<polyline/g)).toHaveLength(3)
  const [enough = 0, slow = 0] = [...goals.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x))
  expect(enough).toBeGreaterThan(slow)
  expect(`${goals}${curves}`).not.toMatch(/NaN|Infinity|undefined/)
})

it('[BN4] headroom counts the same for what must be reached and for what must not be passed', () => {
  const goal = { what: '', unit: '', bar: 10 }
  expect(headroomOf({ ...goal, value: 20, bound: 'least' })).toBe(2)
  expect(headroomOf({ ...goal, value: 5, bound: 'most' })).toBe(2)
  expect(headroomOf({ ...goal, value: 0, bar: 0, bound: 'most' })).toBeGreaterThan(1)
})
