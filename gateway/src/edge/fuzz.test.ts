// A share of the fuzzing with every run of the tests: `make chaos` plays a million steps on a process (row S13).
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fuzz, stepOf } from '@citypresence/sim/hostile/fuzz'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeToken } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { startHall, tokenFor, type Hall } from '../testing/hall.ts'

let hall: Hall
beforeAll(async () => (hall = await startHall({ connectionsMax: 1_000 })))
afterAll(() => stopAll(hall))

const steps = 3_000
const tokens = () => ({ good: tokenFor(), bad: makeToken({ secret: 'another secret of more than thirty-two bytes' }) })

it(
  '[G33] thousands of bent handshakes and mad frames harm nobody, and no stranger is told anything',
  { timeout: 90_000 },
  async () => {
    hall.room('energy', 3)
    const good = hall.open()
    await until(() => good.isOpen, { deadlineMs: 10_000, what: 'a good browser to be in' })
    const report = await fuzz(hall.port, tokens(), { from: 1, steps })
    expect(report.wrong).toEqual([])
    expect(report.steps).toBe(steps)
    // Both kinds were played, and not all of it at the first look.
    expect(Object.keys(report.statuses)).toEqual(expect.arrayContaining(['101', '400', '401', '404', '431']))
    await until(() => hall.gateway.size() === 1, { deadlineMs: 15_000, what: 'the mad ones to be forgotten' })
    hall.room('energy', 4)
    await until(() => good.shows('energy') === 4, { deadlineMs: 10_000, what: 'the good one to be told' })
    expect(good.closed).toBeUndefined()
    expect(await hall.written()).not.toMatch(/"level":(?:50|60)/)
  },
)

it('[G33] the same seed is the same bytes', () => {
  const some = tokens()
  for (let seed = 1; seed < 200; seed++) expect(stepOf(seed, some)).toEqual(stepOf(seed, some))
})
