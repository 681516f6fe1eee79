import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at } from '../testing/cities.ts'
import { firstHealth, hold, isHeld, judgeSource, noteProbe, noteSync, sourceDueMs } from './source-health.ts'

const staleAfterMs = 90_000
const anyStory = fc.array(
  fc.record({
    kind: fc.constantFrom('sync', 'sync', 'hold', 'works', 'off'),
    waitMs: fc.integer({ min: 1, max: 60_000 }),
  }),
)

/** The rule in plain words, over the whole story: when did what happen last? */
function retell(story: readonly { kind: string; waitMs: number }[]) {
  let ms = 0
  let health = firstHealth
  const last: Record<string, number> = {}
  for (const { kind, waitMs } of story) {
    ms += waitMs
    if (kind === 'sync') health = noteSync(health, at(ms))
    else if (kind === 'hold') health = hold(health, at(ms))
    else health = noteProbe(health, kind === 'works', at(ms))
    if (kind === 'works') delete last['held']
    else if (kind !== 'sync') last['held'] ??= ms
    last[kind] = ms
  }
  return { ms, health, last }
}

it('[P10] the source is stale without a sync, with presence off, or held without proof, and for no other reason', () => {
  fc.assert(
    fc.property(anyStory, fc.nat({ max: 100_000 }), (story, laterMs) => {
      const { ms, health, last } = retell(story)
      const nowMs = ms + laterMs
      const isOff = (last['off'] ?? -1) > (last['works'] ?? -1)
      const expected =
        last['sync'] === undefined || nowMs - last['sync'] >= staleAfterMs
          ? 'no-sync'
          : isOff
            ? 'presence-off'
            : last['held'] !== undefined && nowMs - last['held'] >= 30_000
              ? 'presence-unproven'
              : undefined
      const verdict = judgeSource(health, at(nowMs), staleAfterMs)
      expect(verdict.reason).toBe(expected)
      expect(verdict.source).toBe(expected === undefined ? 'live' : 'stale')
      expect(verdict.sourceAgeMs).toBe(nowMs - (last['sync'] ?? 0))
      expect(isHeld(health)).toBe(last['held'] !== undefined)
    }),
  )
})

it('[P10] a live source turns stale at its due time by time alone, and not before', () => {
  fc.assert(
    fc.property(anyStory, (story) => {
      const { ms, health } = retell(story)
      if (judgeSource(health, at(ms), staleAfterMs).source === 'stale') return
      const dueMs = sourceDueMs(health, ms, staleAfterMs) ?? NaN
      expect(judgeSource(health, at(dueMs - 1), staleAfterMs).source).toBe('live')
      expect(judgeSource(health, at(dueMs), staleAfterMs).source).toBe('stale')
      expect(sourceDueMs(health, dueMs, staleAfterMs)).not.toBe(dueMs)
    }),
  )
})
