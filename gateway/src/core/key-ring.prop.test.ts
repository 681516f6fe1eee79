// Any sequence of tokens, answers, failures and waits, against what is promised about each.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { emptyRing, learnt, lookUp, notLearnt, type KeyRing } from './key-ring.ts'

const kid = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '../../etc/passwd', "' OR 1=1 --")
const step = fc.record({
  waitMs: fc.integer({ min: 0, max: 700_000 }),
  kid,
  /** What the address would answer, if it is asked. */
  published: fc.option(fc.uniqueArray(kid, { maxLength: 3 }), { nil: undefined }),
})

it('[A4] known keys serve, the address is asked as seldom as promised, and a key counts ten minutes after its withdrawal at most', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let ring: KeyRing<string> = emptyRing()
      let nowMs = 0
      let lastAsk: { atMs: number; well: boolean } | undefined
      for (const { waitMs, kid: wanted, published } of steps) {
        nowMs += waitMs
        const answer = lookUp(ring, wanted, nowMs)
        const isKnown = ring.keys.has(wanted)
        if (answer.kind === 'key') {
          expect(answer.key).toBe(`key of ${wanted}`)
          // Older than ten minutes only while the address is away, or was asked a moment ago.
          if (nowMs - (ring.learntAtMs ?? 0) >= 600_000) expect(lastAsk?.well).toBe(false)
        }
        if (answer.kind === 'cannot-say') expect(isKnown).toBe(false)
        const asks = answer.kind === 'ask-first' || (answer.kind === 'key' && answer.askBeside)
        // Who is known never waits for an address that is away.
        if (isKnown && lastAsk?.well === false) expect(answer.kind).toBe('key')
        if (!asks) continue
        if (lastAsk !== undefined) expect(nowMs - lastAsk.atMs).toBeGreaterThanOrEqual(lastAsk.well ? 30_000 : 2_000)
        lastAsk = { atMs: nowMs, well: published !== undefined }
        const before = ring.keys
        ring =
          published === undefined
            ? notLearnt(ring, nowMs)
            : learnt(new Map(published.map((name) => [name, `key of ${name}`])), nowMs)
        expect([...ring.keys.keys()]).toEqual(published ?? [...before.keys()])
      }
    }),
  )
})

it('[A4] an unknown kid is asked for at once the first time, then after 30 s; after a failure after 2 s', () => {
  const first = emptyRing<string>()
  expect(lookUp(first, 'a', 0)).toEqual({ kind: 'ask-first' })
  const known = learnt(new Map([['a', 'key']]), 1_000)
  expect([30_999, 31_000].map((nowMs) => lookUp(known, 'b', nowMs).kind)).toEqual(['cannot-say', 'ask-first'])
  const away = notLearnt(known, 31_000)
  expect([32_999, 33_000].map((nowMs) => lookUp(away, 'b', nowMs).kind)).toEqual(['cannot-say', 'ask-first'])
  expect(lookUp(away, 'a', 40_000_000)).toEqual({ kind: 'key', key: 'key', askBeside: true })
})
