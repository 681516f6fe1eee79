// The drawing of the page: every row once, where its time is and how long it may be.
import { expect, it } from 'vitest'
import type { Fault } from './fault.ts'
import type { Measured } from './reliability-page.ts'
import { reliabilityPlot } from './reliability-plot.ts'

const fault = (id: string, title: string): Fault => ({
  id,
  title,
  bar: 'soon',
  length: 'short',
  run: () => Promise.resolve(''),
})
const measured = (more: Partial<Measured>): Measured => ({
  result: 'held',
  figure: '',
  day: '2026-01-01',
  machine: 'any',
  ...more,
})

const sections = [
  { title: 'One & all', faults: [fault('F1', 'a <b>'), fault('F2', 'two'), fault('F3', 'three'), fault('F4', 'four')] },
]
const drawn = reliabilityPlot(sections, {
  F1: measured({ recovery: { tookMs: 1_000, barMs: 10_000 } }),
  F2: measured({ settledMs: 100 }),
  F3: measured({ result: 'not run' }),
})

it('[K8] each row is drawn once, as text that stays text', () => {
  for (const id of ['F1', 'F2', 'F3', 'F4']) expect(drawn.split(`>${id}<`)).toHaveLength(2)
  expect(drawn).toContain('One &amp; all')
  expect(drawn).toContain('a &lt;b&gt;')
})

it('[K8] a bar stands to the right of a time that keeps it; a row that has none says why', () => {
  const dot = Number(/<circle cx="([\d.]+)"[^>]*r="4"/.exec(drawn)?.[1])
  const bar = Number(/<line x1="([\d.]+)"[^>]*stroke-width="2"/.exec(drawn)?.[1])
  expect(dot).toBeGreaterThan(0)
  expect(bar).toBeGreaterThan(dot)
  expect(drawn.match(/<circle/g)).toHaveLength(2)
  expect(drawn).toContain('>not run<')
  expect(drawn).toContain('>not played yet<')
})
