// The pace of /sync against every order of answers and failures.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  applied,
  backoffMs,
  failed,
  firstPace,
  lateByMs,
  nextRequest,
  type SyncFailure,
  type SyncPace,
  type SyncSettings,
} from './sync-pace.ts'

const settings: SyncSettings = {
  timeoutMs: 30_000,
  slackMs: 10_000,
  initialBytesMax: 64,
  incrementBytesMax: 8,
  variationStart: 9_998,
}
const random01 = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const outcome = fc.oneof(
  fc.record({
    kind: fc.constant('applied' as const),
    nextBatch: fc.string({ minLength: 1 }),
    cameAtOnce: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('failed' as const),
    failure: fc.constantFrom<SyncFailure>('unreachable', 'unreadable', 'refused', 'not-now'),
  }),
)

it('[M32] since moves only by an applied answer, and back only to an initial sync after a refusal or three unreadable answers', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(outcome, random01), { maxLength: 80 }), (steps) => {
      let pace: SyncPace = firstPace
      let since: string | undefined
      let unreadable = 0
      for (const [step, random] of steps) {
        expect(nextRequest(pace, settings).since).toBe(since)
        if (step.kind === 'applied') {
          pace = applied(pace, step, random).pace
          since = step.nextBatch
          unreadable = 0
          continue
        }
        pace = failed(pace, step.failure, random).pace
        if (step.failure === 'unreadable') unreadable++
        if (step.failure === 'refused' || unreadable === 3) {
          since = undefined
          unreadable = 0
        }
      }
      expect(nextRequest(pace, settings).since).toBe(since)
    }),
  )
})

it('[M33] at most 25 requests in five minutes go to a server that fails, and a recovered one is asked within 30 s', () => {
  const draws = fc.array(random01, { minLength: 400, maxLength: 400 })
  fc.assert(
    fc.property(draws, (randoms) => {
      let [pace, atMs, requests] = [firstPace, 0, 0]
      for (const random of randoms) {
        if (atMs >= 300_000) break
        requests++
        const next = failed(pace, 'unreachable', random)
        expect(next.waitMs).toBeLessThanOrEqual(30_000)
        pace = next.pace
        atMs += next.waitMs
      }
      expect(requests).toBeLessThanOrEqual(25)
    }),
  )
})

it('[M34] no two initial syncs in a row are the same request', () => {
  let pace = firstPace
  const timeouts = new Set<number>()
  for (let attempt = 0; attempt < 100; attempt++) {
    const { timeoutMs, bytesMax } = nextRequest(pace, settings)
    expect(timeoutMs).toBeGreaterThan(0)
    expect(bytesMax).toBe(64)
    timeouts.add(timeoutMs)
    pace =
      attempt % 3 === 0
        ? failed(applied(pace, { nextBatch: 's', cameAtOnce: false }, 0).pace, 'refused', 0).pace
        : failed(pace, attempt % 2 === 0 ? 'unreachable' : 'not-now', 0).pace
  }
  expect(timeouts.size).toBe(100)
})

it('[M34] a poll that failed is asked again as another request: the answer that was lost is kept, and would be taken for news', () => {
  let pace = applied(firstPace, { nextBatch: 'a', cameAtOnce: false }, 0).pace
  const asked = new Set<number>()
  for (let attempt = 0; attempt < 200; attempt++) {
    const { timeoutMs, deadlineMs } = nextRequest(pace, settings)
    asked.add(timeoutMs)
    expect(deadlineMs - timeoutMs).toBe(settings.slackMs)
    pace = failed(pace, 'unreachable', 0).pace
  }
  expect(asked.size).toBe(200)
})

it('[M35] a poll ends ten seconds after its time; an initial sync that took too long gets twice as long, up to five minutes', () => {
  expect(nextRequest({ ...firstPace, since: 's' }, settings).deadlineMs).toBe(40_000)
  expect([0, 1, 2, 3, 9].map((failures) => nextRequest({ ...firstPace, failures }, settings).deadlineMs)).toEqual([
    40_000, 80_000, 160_000, 300_000, 300_000,
  ])
})

it('[M53] an answer that came later than its poll may be held was old when it came, by as much', () => {
  expect([0, 29_000, 31_000, 31_001, 90_000].map((tookMs) => lateByMs(tookMs, 30_000))).toEqual([0, 0, 0, 1, 59_000])
})

it('[M36] typing is suspect from a lost connection until an answer was applied', () => {
  const lost = failed(firstPace, 'unreachable', 0).pace
  expect(lost.typingSuspect).toBe(true)
  for (const failure of ['not-now', 'unreadable', 'refused'] as const)
    expect(failed(lost, failure, 0).pace.typingSuspect).toBe(true)
  expect(failed(firstPace, 'unreadable', 0).pace.typingSuspect).toBe(false)
  expect(applied(lost, { nextBatch: 'a', cameAtOnce: true }, 0).pace.typingSuspect).toBe(false)
})

it('[M37] a server that repeats our token at once is asked ever more slowly, a quiet one without a pause', () => {
  let pace = applied(firstPace, { nextBatch: 'a', cameAtOnce: true }, 0.5).pace
  const waits: number[] = []
  for (let turn = 0; turn < 8; turn++) {
    const next = applied(pace, { nextBatch: 'a', cameAtOnce: true }, 0.5)
    waits.push(next.waitMs)
    pace = next.pace
  }
  expect(waits).toEqual([...waits].sort((a, b) => a - b))
  expect(waits[0]).toBeGreaterThan(0)
  expect(waits.at(-1)).toBe(backoffMs(7, 0.5))
  expect(applied(pace, { nextBatch: 'a', cameAtOnce: false }, 0.5).waitMs).toBe(0)
  expect(applied(pace, { nextBatch: 'b', cameAtOnce: true }, 0.5).waitMs).toBe(0)
})
