// Ends of processes and polls of any number and order, against rules written out plainly.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { checkProcesses } from './check-processes.ts'
import type { Entry } from './history.ts'

const brokenIn = (history: readonly Entry[]): readonly string[] =>
  checkProcesses(history).map(({ invariant }) => invariant)

const anyEnds = fc
  .array(
    fc.record({
      service: fc.constantFrom('aggregator', 'gateway-1'),
      code: fc.constantFrom<number | null>(0, 0, 1, 3, 2, null),
      asked: fc.constantFrom(false, false, true),
      waitMs: fc.constantFrom(1, 9_000, 12_000, 31_000),
    }),
    { maxLength: 12, size: 'max' },
  )
  .map((ends) => {
    let atMs = 0
    return ends.map(({ service, code, asked, waitMs }) => {
      atMs += waitMs
      return { atMs, kind: 'exit' as const, service, code, signal: code === null ? 'SIGSEGV' : null, asked }
    })
  })

it('[K5] an end is a fault with an unknown word, or as the fourth of its service in half a minute, and only where nobody asked for it', () => {
  fc.assert(
    fc.property(anyEnds, (ends) => {
      const own = ends.filter(({ asked }) => !asked)
      const wrongWords = own.filter(({ code }) => code === null || ![0, 1, 3].includes(code)).length
      const loops = own.filter(
        ({ service, atMs }, index) =>
          own.slice(0, index + 1).filter((one) => one.service === service && atMs - one.atMs < 30_000).length > 3,
      ).length
      expect(brokenIn(ends)).toEqual(Array.from({ length: wrongWords + loops }, () => 'INV-20'))
    }),
  )
})

const anyPolls = fc.array(fc.record({ gapMs: fc.nat(2_000), heldMs: fc.nat(30_000), moves: fc.boolean() }), {
  minLength: 1,
  maxLength: 10,
})
const poll = (number: number, since: string | undefined, fromMs: number, toMs: number): Entry[] => [
  { atMs: fromMs, kind: 'poll', phase: 'begins', poll: number, since },
  { atMs: toMs, kind: 'poll', phase: 'ends', poll: number, since },
]

/** One poll after the other, each from where it was or one place on. */
function honest(polls: readonly { readonly gapMs: number; readonly heldMs: number; readonly moves: boolean }[]) {
  let [atMs, place] = [0, 0]
  return polls.map(({ gapMs, heldMs, moves }, number) => {
    if (moves) place++
    const fromMs = atMs + gapMs
    atMs = fromMs + heldMs
    return { number, since: `s${place}`, fromMs, toMs: atMs }
  })
}
const byTime = (entries: readonly Entry[]): Entry[] => entries.toSorted((one, other) => one.atMs - other.atMs)

it('[K5] one poll after the other from places that never go back is no fault; nor is asking for everything and beginning anew', () => {
  fc.assert(
    fc.property(anyPolls, fc.nat(10), (polls, anewAt) => {
      const made = honest(polls)
      const history = made.flatMap(({ number, since, fromMs, toMs }) =>
        poll(number, number === anewAt ? undefined : since, fromMs, toMs),
      )
      expect(brokenIn(history)).toEqual([])
    }),
  )
})

it('[K5] a poll beside another is a fault from half a second on, and one from a place that was left always', () => {
  fc.assert(
    fc.property(anyPolls, fc.integer({ min: 0, max: 3_000 }), (polls, besideMs) => {
      const made = honest(polls)
      const last = made.at(-1)
      if (last === undefined) return
      const overlapMs = Math.min(besideMs, last.toMs - last.fromMs)
      const beside = poll(100, last.since, last.toMs - overlapMs, last.toMs + 10_000)
      const whole = made.flatMap(({ number, since, fromMs, toMs }) => poll(number, since, fromMs, toMs))
      expect(brokenIn(byTime([...whole, ...beside]))).toEqual(overlapMs > 500 ? ['INV-15'] : [])
      const left = made.find(({ since }) => since !== last.since)
      if (left === undefined) return
      const back = poll(101, left.since, last.toMs + 1, last.toMs + 2)
      expect(brokenIn([...whole, ...back])).toEqual(['INV-15'])
    }),
  )
})

it('[K5] what is kept between two faults is a fault above its allowance, whatever was used in between', () => {
  const anyUse = fc.array(fc.record({ mb: fc.nat(800), descriptors: fc.nat(200) }), { maxLength: 5 })
  fc.assert(
    fc.property(anyUse, fc.nat(200), fc.nat(40), (uses, moreMb, moreDescriptors) => {
      let atMs = 0
      const sample = (mb: number, descriptors: number): Entry => ({
        atMs: ++atMs,
        kind: 'sample',
        service: 'gateway-1',
        rssBytes: mb * 1024 * 1024,
        descriptors,
      })
      const history: Entry[] = [sample(90, 30), { atMs: ++atMs, kind: 'settled', tookMs: 1 }]
      for (const { mb, descriptors } of uses) history.push(sample(90 + moreMb + mb, 30 + moreDescriptors + descriptors))
      history.push(sample(90 + moreMb, 30 + moreDescriptors))
      const wanted = [...(moreMb > 96 ? ['INV-13'] : []), ...(moreDescriptors > 16 ? ['INV-13'] : [])]
      // What the first sample itself holds is the least of all, unless the fault's end forgets it.
      const end: Entry = { atMs: 2, kind: 'fault', id: 'F0', phase: 'ends', blindMs: 0, breaksPolls: false }
      expect(brokenIn([...history.slice(0, 2), end, ...history.slice(2)])).toEqual(wanted)
    }),
  )
})
