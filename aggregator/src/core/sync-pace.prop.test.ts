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
  turned,
  wentBack,
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
    failure: fc.constantFrom<SyncFailure>('unreachable', 'unreadable', 'too-large', 'refused', 'not-now'),
  }),
)

it('[M32] since moves only by an applied answer, and back only to an initial sync after a refusal, three unreadable answers or a minute of silence', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(outcome, random01), { maxLength: 80 }), (steps) => {
      let [nowMs, silentSinceMs] = [0, Infinity]
      let pace: SyncPace = firstPace
      let since: string | undefined
      let unreadable = 0
      for (const [step, random] of steps) {
        expect(nextRequest(pace, settings).since).toBe(since)
        nowMs += random * 30_000
        if (step.kind === 'applied') {
          pace = applied(pace, step, random).pace
          since = step.nextBatch
          silentSinceMs = Infinity
          unreadable = 0
          continue
        }
        pace = failed(pace, step.failure, random, nowMs).pace
        if (step.failure === 'not-now') continue
        if (step.failure === 'unreadable' || step.failure === 'too-large') unreadable++
        if (step.failure === 'unreachable') silentSinceMs = Math.min(silentSinceMs, nowMs)
        if (step.failure === 'refused' || unreadable === 3 || nowMs - silentSinceMs >= 60_000) {
          since = undefined
          unreadable = 0
        }
      }
      expect(nextRequest(pace, settings).since).toBe(since)
    }),
  )
})

const after = (...tokens: string[]): SyncPace =>
  tokens.reduce((pace, nextBatch) => applied(pace, { nextBatch, cameAtOnce: false }, 0).pace, firstPace)

it('[M32] a minute without any answer is forgotten, whatever comes between; refusals to answer yet are no silence', () => {
  const steps = (...failures: readonly (readonly [SyncFailure, number])[]) =>
    nextRequest(
      failures.reduce((pace, [failure, nowMs]) => failed(pace, failure, 0, nowMs).pace, after('a')),
      settings,
    ).since
  expect(steps(['unreachable', 1_000], ['unreachable', 60_999])).toBe('a')
  expect(steps(['unreachable', 1_000], ['unreachable', 61_000])).toBeUndefined()
  expect(steps(['unreachable', 1_000], ['unreadable', 61_000])).toBeUndefined()
  expect(steps(['unreadable', 1_000], ['unreadable', 61_000])).toBe('a')
  expect(steps(['not-now', 1_000], ['unreachable', 61_000])).toBe('a')
})

it('[M33] at most 25 requests in five minutes go to a server that fails, and a recovered one is asked within 30 s', () => {
  const draws = fc.array(random01, { minLength: 400, maxLength: 400 })
  fc.assert(
    fc.property(draws, (randoms) => {
      let [pace, atMs, requests] = [firstPace, 0, 0]
      for (const random of randoms) {
        if (atMs >= 300_000) break
        requests++
        const next = failed(pace, 'unreachable', random, atMs)
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
        ? failed(applied(pace, { nextBatch: 's', cameAtOnce: false }, 0).pace, 'refused', 0, 0).pace
        : failed(pace, attempt % 2 === 0 ? 'unreachable' : 'not-now', 0, 0).pace
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
    pace = failed(pace, 'unreachable', 0, 0).pace
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
  const lost = failed(firstPace, 'unreachable', 0, 0).pace
  expect(lost.typingSuspect).toBe(true)
  for (const failure of ['not-now', 'unreadable', 'refused'] as const)
    expect(failed(lost, failure, 0, 0).pace.typingSuspect).toBe(true)
  expect(failed(firstPace, 'unreadable', 0, 0).pace.typingSuspect).toBe(false)
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

it('[M52] a server went back when it names a token that was left, or one whose numbers are less', () => {
  expect(wentBack(firstPace, 's1_1')).toBe(false)
  const steps = after('a', 'b', 'c')
  expect(['a', 'b', 'c', 'd'].map((token) => wentBack(steps, token))).toEqual([true, true, false, false])
  const counted = after('s20_30_7_1')
  expect(['s20_30_0_0', 's21_30', 's20_31', 's300_31'].map((token) => wentBack(counted, token))).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect(['s19_31', 's20_29_8', 's3_400'].map((token) => wentBack(counted, token))).toEqual([true, true, true])
  // Of another form: nobody can tell.
  expect(['m19~1.2_3', 'x'].map((token) => wentBack(counted, token))).toEqual([false, false])
  expect(after(...Array.from({ length: 500 }, (_, token) => `t${token}`)).left).toHaveLength(64)
})

it('[M52] after a turn comes an initial sync at once; where it turns again and again, ever more slowly', () => {
  let pace = after('s5_5')
  const waits: number[] = []
  for (let turn = 0; turn < 6; turn++) {
    const next = turned(pace, 0)
    waits.push(next.waitMs)
    expect(nextRequest(next.pace, settings).since).toBeUndefined()
    pace = applied(next.pace, { nextBatch: 's5_5', cameAtOnce: true }, 0).pace
  }
  expect(waits).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000])
  pace = applied(pace, { nextBatch: 's5_6', cameAtOnce: true }, 0).pace
  expect(turned(pace, 0).waitMs).toBe(0)
})

it('[M54] a first sync that is too large is asked for without the members from then on, a later one after three such answers', () => {
  expect(nextRequest(firstPace, settings).lazy).toBe(false)
  const large = failed(firstPace, 'too-large', 0, 0).pace
  expect(nextRequest(large, settings).lazy).toBe(true)
  const followed = applied(large, { nextBatch: 'a', cameAtOnce: true }, 0).pace
  expect(nextRequest(followed, settings)).toMatchObject({ since: 'a', lazy: false, bytesMax: 8 })
  let pace = after('a')
  for (let answer = 0; answer < 3; answer++) pace = failed(pace, 'too-large', 0, 0).pace
  expect(nextRequest(pace, settings)).toMatchObject({ since: undefined, lazy: false, bytesMax: 64 })
})
