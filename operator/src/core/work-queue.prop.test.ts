import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createWorkQueue, workQueueDefaults, type WorkQueue, type WorkQueueSettings } from './work-queue.ts'

const keys = ['a', 'b', 'c', 'd']
const anyKey = fc.constantFrom(...keys)
type Act =
  | { readonly do: 'add' | 'retry' | 'forget' | 'done'; readonly key: string }
  | { readonly do: 'after'; readonly key: string; readonly ms: number }
  | { readonly do: 'take' }
  | { readonly do: 'wait'; readonly ms: number }
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constantFrom('add' as const, 'retry' as const, 'forget' as const, 'done' as const), key: anyKey }),
  fc.record({ do: fc.constant('after' as const), key: anyKey, ms: fc.integer({ min: -5, max: 2_000 }) }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 1_500 }) }),
)
const anySettings: fc.Arbitrary<WorkQueueSettings> = fc.record({
  retryMs: fc.integer({ min: 1, max: 100 }),
  retryMsMax: fc.integer({ min: 100, max: 5_000 }),
  retriesPerS: fc.integer({ min: 1, max: 20 }),
  retriesBurst: fc.integer({ min: 1, max: 10 }),
})

/** What nobody would ship: for each key every moment at which it is wanted, and whether somebody has it. */
class Twin {
  readonly wishes = new Map<string, number[]>(keys.map((key) => [key, []]))
  readonly inHands = new Set<string>()
  wish = (key: string, atMs: number): void => void this.wishes.get(key)?.push(atMs)
  /** Since when it may be taken. */
  readySinceMs(key: string, nowMs: number): number | undefined {
    const firstMs = Math.min(...(this.wishes.get(key) ?? []))
    return firstMs <= nowMs && !this.inHands.has(key) ? firstMs : undefined
  }
  ready = (nowMs: number): string[] => keys.filter((key) => this.readySinceMs(key, nowMs) !== undefined)
  take(key: string): void {
    this.wishes.set(key, [])
    this.inHands.add(key)
  }
}

function play(queue: WorkQueue, twin: Twin, acts: readonly Act[], startMs: number): number {
  let nowMs = startMs
  for (const act of acts) {
    if (act.do === 'wait') nowMs += act.ms
    if (act.do === 'add') {
      queue.add(act.key, nowMs)
      twin.wish(act.key, nowMs)
    }
    if (act.do === 'after') {
      queue.addAfter(act.key, act.ms, nowMs)
      twin.wish(act.key, nowMs + Math.max(act.ms, 0))
    }
    if (act.do === 'retry') twin.wish(act.key, nowMs + queue.retry(act.key, nowMs))
    if (act.do === 'forget') queue.forget(act.key)
    if (act.do === 'done' && twin.inHands.delete(act.key)) queue.done(act.key, nowMs)
    if (act.do === 'take') take(queue, twin, nowMs)
  }
  return nowMs
}

/** Takes one, and holds it against the twin: it had to be one that may be taken, and nothing only where none may. */
function take(queue: WorkQueue, twin: Twin, nowMs: number): string | undefined {
  const ready = twin.ready(nowMs)
  expect(queue.depth(nowMs)).toBe(ready.length)
  const sinceMs = ready.map((key) => twin.readySinceMs(key, nowMs) ?? nowMs)
  expect(queue.oldestMs(nowMs)).toBe(ready.length === 0 ? 0 : nowMs - Math.min(...sinceMs))
  const taken = queue.take(nowMs)
  if (taken === undefined) {
    expect(ready).toEqual([])
    return undefined
  }
  expect(ready).toContain(taken.key)
  expect(taken.waitedMs).toBe(nowMs - (twin.readySinceMs(taken.key, nowMs) ?? Number.NaN))
  twin.take(taken.key)
  return taken.key
}

it('[OQ1, OQ2, OQ4, OQ5] whatever comes in whatever order, it gives what a list of all wishes would give, and no key twice', () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 120 }), anySettings, (acts, settings) => {
      const [queue, twin] = [createWorkQueue(settings), new Twin()]
      let nowMs = play(queue, twin, acts, 1_000)
      for (const key of [...twin.inHands]) {
        twin.inHands.delete(key)
        queue.done(key, nowMs)
      }
      // All that is wanted comes, and by the moments that the queue names itself; then it is empty.
      for (let dueAtMs = queue.nextDueAtMs(); dueAtMs !== undefined; dueAtMs = queue.nextDueAtMs()) {
        nowMs = Math.max(nowMs, dueAtMs)
        const key = take(queue, twin, nowMs)
        expect(key).toBeDefined()
        twin.inHands.delete(key ?? '')
        queue.done(key ?? '', nowMs)
      }
      expect([...twin.wishes.values()].flat()).toEqual([])
    }),
    { numRuns: 500 },
  )
})

it('[OQ2] keys are taken in the order in which they were wanted, and one that is wanted again goes to the end', () => {
  const queue = createWorkQueue()
  for (const key of ['a', 'b', 'a', 'c']) queue.add(key, 0)
  expect(queue.take(1)?.key).toBe('a')
  queue.add('a', 2)
  expect([queue.take(3)?.key, queue.take(3)?.key, queue.take(3)]).toEqual(['b', 'c', undefined])
  queue.done('a', 5)
  expect(queue.take(6)).toEqual({ key: 'a', waitedMs: 4 })
})

it('[OQ3] a key that fails waits twice as long each time up to the cap, and from the start after a success', () => {
  fc.assert(
    fc.property(anySettings, fc.integer({ min: 1, max: 60 }), (settings, times) => {
      const queue = createWorkQueue({ ...settings, retriesBurst: 1_000 })
      let expectedMs = settings.retryMs
      for (let failure = 0; failure < times; failure++) {
        expect(queue.failures('a')).toBe(failure)
        expect(queue.retry('a', 0)).toBe(Math.min(expectedMs, settings.retryMsMax))
        expectedMs = Math.min(expectedMs * 2, settings.retryMsMax)
      }
      queue.forget('a')
      expect(queue.retry('a', 0)).toBe(Math.min(settings.retryMs, settings.retryMsMax))
    }),
  )
})

it('[OQ3] of many that fail at once no more come back in any time than burst and rate allow', () => {
  const settings = { ...workQueueDefaults, retriesPerS: 10, retriesBurst: 20 }
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 60_000 }), (count, fromMs) => {
      const queue = createWorkQueue(settings)
      const dueMs = Array.from({ length: count }, (_, index) => queue.retry(`k${index}`, fromMs))
      for (const atMs of dueMs) {
        const until = dueMs.filter((ms) => ms <= atMs).length
        expect(until).toBeLessThanOrEqual(settings.retriesBurst + Math.ceil((atMs / 1000) * settings.retriesPerS) + 1)
      }
    }),
  )
})

it('[OQ3] the cap holds whatever the bucket says', () => {
  const queue = createWorkQueue({ ...workQueueDefaults, retriesPerS: 1, retriesBurst: 1 })
  const waits = Array.from({ length: 1_000 }, (_, index) => queue.retry(`k${index}`, 0))
  expect(Math.max(...waits)).toBe(workQueueDefaults.retryMsMax)
})
