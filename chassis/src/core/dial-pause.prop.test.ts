import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextDialPause, startDialPauses } from './dial-pause.ts'

const pauseMs = 1_000

/** The client's loop, as far as its pauses go: it dials the servers in turn, each when its last dial plus the pause is past. */
function play(servers: number, acts: readonly { afterMs: number; setByMs: number }[]) {
  let [wallMs, monotonicMs] = [1_700_000_000_000, 0]
  const dialledAtMs = Array.from({ length: servers }, () => wallMs)
  const really = Array.from({ length: servers }, () => monotonicMs)
  let pauses = startDialPauses({ wallMs, monotonicMs })
  let next = 0
  const waits: number[] = []
  const pass = (ms: number): void => {
    wallMs += ms
    monotonicMs += ms
  }
  for (const { afterMs, setByMs } of acts) {
    pass(afterMs)
    wallMs += setByMs
    // One whole turn of all servers, as after a lost connection.
    for (let dialled = 0; dialled < servers;) {
      const step = nextDialPause(pauses, { wallMs, monotonicMs }, { pauseMs, servers })
      pauses = step.pauses
      const dueMs = (dialledAtMs[next] ?? 0) + step.waitMs
      if (dueMs <= wallMs) {
        waits.push(monotonicMs - (really[next] ?? 0))
        dialledAtMs[next] = wallMs
        really[next] = monotonicMs
        next = (next + 1) % servers
        dialled++
      } else pass(Math.max(1, Math.min(step.waitMs, dueMs - wallMs)))
    }
  }
  return { waits, monotonicMs, turns: acts.length }
}

const anyAct = fc.record({
  afterMs: fc.integer({ min: 0, max: 20_000 }),
  setByMs: fc.oneof(fc.constant(0), fc.integer({ min: -7_200_000, max: 7_200_000 })),
})

it('[C27] however the wall clock is set, no turn of all servers waits longer than the pause for each', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(anyAct, { minLength: 1, maxLength: 8 }), (servers, acts) => {
      const { monotonicMs } = play(servers, acts)
      const passedMs = acts.reduce((sum, { afterMs }) => sum + afterMs, 0)
      expect(monotonicMs - passedMs).toBeLessThanOrEqual(acts.length * servers * (pauseMs + 200))
    }),
  )
})

it('[C27] while the clock runs as it should, each server is left alone for the pause', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 20 }),
      (servers, afters) => {
        const { waits } = play(
          servers,
          afters.map((afterMs) => ({ afterMs, setByMs: 0 })),
        )
        expect(Math.min(...waits)).toBeGreaterThanOrEqual(pauseMs)
      },
    ),
  )
})

it('[C27] a clock that was set back hurries each server once, not for ever', () => {
  const { waits } = play(3, [
    { afterMs: 60_000, setByMs: -3_600_000 },
    { afterMs: 0, setByMs: 0 },
    { afterMs: 0, setByMs: 0 },
  ])
  // The first turn comes at once, the later ones after the pause.
  expect(waits.slice(0, 3)).toEqual([60_000, 60_000, 60_000])
  expect(Math.min(...waits.slice(3))).toBeGreaterThanOrEqual(pauseMs)
})
