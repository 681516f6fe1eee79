import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  nextTickAtMs,
  reflectorDefaults,
  startReflector,
  step,
  type Reflector,
  type ReflectorEffect,
  type ReflectorEvent,
} from './reflector.ts'

const settings = reflectorDefaults
const words = ['KubeGone', 'KubeMissing', 'KubeForbidden', 'KubeBusy', 'KubeUnreachable', 'KubeGarbled'] as const
const anyEvent: fc.Arbitrary<ReflectorEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'tick' } as const) },
  fc.record({ kind: fc.constantFrom('listed' as const, 'told' as const), version: fc.nat(99).map(String) }),
  fc.constantFrom({ kind: 'active' } as const, { kind: 'ended' } as const),
  fc.record({
    kind: fc.constant('failed' as const),
    word: fc.constantFrom(...words),
    quietMs: fc.constantFrom(0, 0, 5_000, 30_000),
  }),
)
const anyMove = fc.record({
  event: anyEvent,
  afterMs: fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(700_000)),
  random01: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
})

/** What runs at the rim: at most one request, and only the events that it could tell. */
class Rim {
  request: 'none' | 'list' | 'watch' = 'none'
  lists = 0
  cutOrFailedAtMs = Number.NEGATIVE_INFINITY
  carryOut(effects: readonly ReflectorEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'cut') {
        expect(this.request).not.toBe('none')
        this.request = 'none'
      }
      if (effect.kind === 'list' || effect.kind === 'watch') {
        expect(this.request).toBe('none')
        this.request = effect.kind
        this.lists += effect.kind === 'list' ? 1 : 0
      }
    }
  }
  /** Whether this can happen now at all. */
  allows({ kind }: ReflectorEvent): boolean {
    if (kind === 'listed') return this.request === 'list'
    if (kind === 'told' || kind === 'ended' || kind === 'active') return this.request === 'watch'
    return kind !== 'failed' || this.request !== 'none'
  }
  heed({ kind }: ReflectorEvent): void {
    if (kind === 'listed' || kind === 'ended' || kind === 'failed') this.request = 'none'
  }
}

it('[OV2] one request at a time; nothing is known before a list; a watch goes on from what was told last; whoever fails waits', () => {
  fc.assert(
    fc.property(fc.array(anyMove, { maxLength: 80 }), fc.boolean(), (moves, optional) => {
      const rim = new Rim()
      let nowMs = 1_000
      let reflector = startReflector(nowMs)
      let told: string | undefined
      let isListed = false
      for (const { event, afterMs, random01 } of moves) {
        nowMs += afterMs
        if (!rim.allows(event)) continue
        const before = reflector
        rim.heed(event)
        const { reflector: after, effects } = step(reflector, event, { ...settings, optional }, { nowMs, random01 })
        reflector = after
        if (event.kind === 'listed' || event.kind === 'told') told = event.version
        isListed ||= event.kind === 'listed' || effects.some(({ kind }) => kind === 'absent')
        rim.carryOut(effects)
        expect(reflector.synced).toBe(isListed)
        for (const effect of effects) {
          if (effect.kind !== 'watch') continue
          expect(effect.version).toBe(told)
          expect(effect.timeoutS).toBeGreaterThanOrEqual(settings.watchSMin)
          expect(effect.timeoutS).toBeLessThanOrEqual(settings.watchSMax)
        }
        if (event.kind === 'failed' && before.phase !== 'waiting') {
          expect(reflector.phase).toBe('waiting')
          const waitMs = reflector.dueAtMs - nowMs
          const isFirstGone = before.failures === 0 && (event.word === 'KubeGone' || event.word === 'KubeMissing')
          expect(waitMs).toBeGreaterThanOrEqual(isFirstGone ? event.quietMs : Math.max(500, event.quietMs))
          if (reflector.failures > 0) expect(waitMs).toBeLessThanOrEqual(30_000)
        }
        expect(rim.request).toBe(
          { waiting: 'none', listing: 'list', watching: 'watch', stopped: 'none' }[reflector.phase],
        )
      }
    }),
    { numRuns: 1_000 },
  )
})

/** From here on all goes well: lists and watches are answered, and a bookmark comes each minute. */
function goesWell(reflector: Reflector, nowMs: number, untilMs: number): { reflector: Reflector; watchedAtMs: number } {
  let watchedAtMs = Number.POSITIVE_INFINITY
  let bookmarkAtMs = nowMs + 60_000
  while (nowMs <= untilMs) {
    const event: ReflectorEvent =
      reflector.phase === 'listing'
        ? { kind: 'listed', version: '100' }
        : reflector.phase === 'watching' && nowMs >= bookmarkAtMs
          ? { kind: 'told', version: '101' }
          : { kind: 'tick' }
    if (event.kind === 'told') bookmarkAtMs += 60_000
    reflector = step(reflector, event, settings, { nowMs, random01: 0.5 }).reflector
    if (reflector.phase === 'watching') watchedAtMs = Math.min(watchedAtMs, nowMs)
    if (reflector.phase !== 'listing')
      nowMs = Math.max(nowMs + 1, Math.min(nextTickAtMs(reflector, settings) ?? Number.POSITIVE_INFINITY, bookmarkAtMs))
  }
  return { reflector, watchedAtMs }
}

it('[OV3] whatever happened, half a minute after all is well it watches, and goes on', () => {
  fc.assert(
    fc.property(fc.array(anyMove, { maxLength: 60 }), (moves) => {
      const rim = new Rim()
      let nowMs = 0
      let reflector = startReflector(nowMs)
      for (const { event, afterMs, random01 } of moves) {
        nowMs += Math.min(afterMs, 5_000)
        if (!rim.allows(event)) continue
        rim.heed(event)
        const { reflector: after, effects } = step(reflector, event, settings, { nowMs, random01 })
        reflector = after
        rim.carryOut(effects)
      }
      if (reflector.phase === 'watching') reflector = { ...reflector, phase: 'waiting', dueAtMs: nowMs }
      const well = goesWell(reflector, nowMs, nowMs + 3_600_000)
      expect(well.watchedAtMs).toBeLessThanOrEqual(nowMs + 30_000)
      expect(well.reflector).toMatchObject({ phase: 'watching', synced: true, failures: 0 })
    }),
    { numRuns: 300 },
  )
})

const watching: Reflector = {
  ...startReflector(0),
  phase: 'watching',
  version: '7',
  synced: true,
  dueAtMs: 400_000,
  relistAtMs: 600_000,
}
const at = (nowMs: number) => ({ nowMs, random01: 0.5 })
const failure = (word: (typeof words)[number]) => ({ kind: 'failed', word, quietMs: 0 }) as const

it('[OV4] a forgotten version is listed at once, and the second time in a row after a wait', () => {
  const first = step(watching, failure('KubeGone'), settings, at(5_000)).reflector
  expect(first).toMatchObject({ phase: 'waiting', version: undefined, dueAtMs: 5_000, synced: true })
  const listed = step(
    step(first, { kind: 'tick' }, settings, at(5_000)).reflector,
    { kind: 'listed', version: '9' },
    settings,
    at(5_000),
  )
  expect(listed.effects).toEqual([{ kind: 'watch', version: '9', timeoutS: 360 }])
  const second = step(listed.reflector, failure('KubeGone'), settings, at(5_000)).reflector
  expect(second.dueAtMs).toBeGreaterThanOrEqual(5_500)
})

it('[OV4] after three failures in a row it lists instead of going on; a watch that had lived begins anew', () => {
  let reflector = watching
  for (const version of ['7', '7', undefined]) {
    reflector = step({ ...reflector, phase: 'watching' }, failure('KubeUnreachable'), settings, at(1_000)).reflector
    expect(reflector.version).toBe(version)
  }
  const lived = step({ ...watching, failures: 2 }, failure('KubeUnreachable'), settings, at(61_000)).reflector
  expect(lived).toMatchObject({ version: '7', failures: 1 })
})

it('[OV4] a watch that ends at once is a failure; one that was ended in time goes on', () => {
  expect(step(watching, { kind: 'ended' }, settings, at(999)).reflector).toMatchObject({ failures: 1, version: '7' })
  expect(step(watching, { kind: 'ended' }, settings, at(1_000)).reflector).toMatchObject({
    failures: 0,
    dueAtMs: 1_000,
  })
})

it('[OV5] a silent watch is cut after three minutes, one that does not end is replaced, and every ten minutes all is listed', () => {
  const cut = (reflector: Reflector, nowMs: number) =>
    step(reflector, { kind: 'tick' }, settings, at(nowMs)).effects.map((effect) =>
      'why' in effect ? effect.why : effect.kind,
    )
  expect(cut(watching, 179_999)).toEqual([])
  expect(cut(watching, 180_000)).toEqual(['silent'])
  expect(cut({ ...watching, activeAtMs: 399_999 }, 400_000)).toEqual(['overdue', 'watch'])
  expect(cut({ ...watching, activeAtMs: 599_999, dueAtMs: 700_000 }, 600_000)).toEqual(['relist', 'list'])
  expect(nextTickAtMs(watching, settings)).toBe(180_000)
})

it("[OV6] somebody else's kind that is missing or forbidden counts as an empty list, and is looked for again", () => {
  const optional = { ...settings, optional: true }
  const listing = step(startReflector(0), { kind: 'tick' }, optional, at(0)).reflector
  for (const word of ['KubeMissing', 'KubeForbidden'] as const) {
    const { reflector, effects } = step(listing, failure(word), optional, at(0))
    expect(effects).toEqual([{ kind: 'absent' }])
    expect(reflector).toMatchObject({ phase: 'waiting', synced: true, dueAtMs: 600_000 })
    expect(step(listing, failure(word), settings, at(0)).reflector.synced).toBe(false)
  }
})

it('[OV2] once stopped it says nothing more', () => {
  const { reflector, effects } = step(watching, { kind: 'stop' }, settings, at(0))
  expect(effects).toEqual([{ kind: 'cut', why: 'stop' }])
  fc.assert(
    fc.property(anyEvent, (event) => {
      expect(step(reflector, event, settings, at(1e9))).toEqual({ reflector, effects: [] })
    }),
  )
  expect(nextTickAtMs(reflector, settings)).toBeUndefined()
})
