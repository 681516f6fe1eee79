import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isSilent, isSuspect, nextLookMs, seeLease, type LeaseSight } from './lease-sight.ts'

const silenceMs = 10_000

it('[OS4] a Lease is silent only when nobody changed it for the whole time between two questions at the server', () => {
  const look = fc.record({
    afterMs: fc.integer({ min: 0, max: 15_000 }),
    renewed: fc.boolean(),
    isServerAway: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(look, { maxLength: 40 }), (looks) => {
      let nowMs = 0
      let version = 0
      let changedAtMs = 0
      let sight: LeaseSight | undefined
      for (const { afterMs, renewed, isServerAway } of looks) {
        nowMs += afterMs
        if (renewed) {
          version++
          changedAtMs = nowMs
        }
        // While the server is away the cache stands still, and no question is answered.
        const seen: string | undefined = isServerAway ? (sight?.version ?? String(version)) : String(version)
        sight = seeLease(sight, seen, { nowMs, silenceMs, isLive: false })
        if (isSuspect(sight, nowMs, silenceMs) && !isServerAway)
          sight = seeLease(sight, String(version), { nowMs, silenceMs, isLive: true })
        if (isSilent(sight) && !isServerAway) expect(nowMs - changedAtMs).toBeGreaterThanOrEqual(silenceMs)
        expect(nextLookMs(sight, nowMs, silenceMs) ?? 0).toBeLessThanOrEqual(silenceMs)
      }
    }),
  )
})

it('[OS4] a Lease that nobody renews is silent after two silences, and alive with the next change', () => {
  let sight = seeLease(undefined, '1', { nowMs: 0, silenceMs, isLive: false })
  const ask = (nowMs: number, version = '1'): void => {
    sight = seeLease(sight, version, { nowMs, silenceMs, isLive: true })
  }
  ask(10_000)
  expect(isSilent(sight)).toBe(false)
  ask(19_999)
  expect(isSilent(sight)).toBe(false)
  ask(20_000)
  expect(isSilent(sight)).toBe(true)
  ask(20_001, '2')
  expect(isSilent(sight)).toBe(false)
})
