// When a leader hands over and when a candidate lets others go first; and several of them, cut at random, against one Lease.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstFitness, judgeFitness, type Condition, type Judgement } from './fitness.ts'

const well: Condition = { leads: true, isLinked: true, sourceAgeMs: 0 }
/** Each condition holds for its time, looked at every second; the last judgement. */
function live(...spells: readonly (readonly [seconds: number, condition: Condition])[]): Judgement {
  let nowMs = 0
  let last: Judgement = { fitness: firstFitness, heldBackMs: 0, handOver: undefined }
  for (const [seconds, condition] of spells)
    for (let second = 0; second < seconds; second++) last = judgeFitness(last.fitness, condition, (nowMs += 1_000))
  return last
}

describe('a leader', () => {
  it('[E28] hands over after ten seconds without NATS, and not for a shorter break', () => {
    const cut = { ...well, isLinked: false }
    expect(live([1, well], [10, cut]).handOver).toBeUndefined()
    expect(live([1, well], [11, cut]).handOver).toBe('NATS')
    expect(live([1, well], [9, cut], [1, well], [9, cut]).handOver).toBeUndefined()
  })

  it('[E28] hands over when its last good sync is a minute old', () => {
    expect(live([1, well], [1, { ...well, sourceAgeMs: 59_999 }]).handOver).toBeUndefined()
    expect(live([1, well], [1, { ...well, sourceAgeMs: 60_000 }]).handOver).toBe('Matrix')
  })

  it('[E28] that never was fit while it led does not hand over: nobody is known to be better', () => {
    for (const unfit of [
      { ...well, isLinked: false },
      { ...well, sourceAgeMs: 60_000 },
      { ...well, sourceAgeMs: undefined },
    ]) {
      expect(live([300, unfit]).handOver).toBeUndefined()
      expect(live([300, { ...well, leads: false }], [300, unfit]).handOver).toBeUndefined()
    }
  })
})

it('[E28] a candidate without NATS does not try, one without Matrix lets others go first, a fit one does not wait', () => {
  const candidate = { ...well, leads: false }
  expect(live([1, candidate]).heldBackMs).toBe(0)
  expect(live([1, { ...candidate, sourceAgeMs: undefined }]).heldBackMs).toBe(5_000)
  expect(live([1, { ...candidate, isLinked: false }]).heldBackMs).toBe(Number.POSITIVE_INFINITY)
})

it('[E28] where all are cut for good, the Lease changes hands at most once for each kind of cut, and then no more', () => {
  const cuts = fc.array(fc.record({ link: fc.boolean(), source: fc.boolean() }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(cuts, (pods) => {
      const all = pods.map((cut) => ({ link: cut.link, source: cut.source || !cut.link }))
      let leader: number | undefined = 0
      let freeSinceMs = 0
      let changes = 0
      const fitness = all.map(() => judgeFitness(firstFitness, well, 0).fitness)
      for (let nowMs = 1_000; nowMs < 900_000; nowMs += 1_000)
        for (const [pod, cut] of all.entries()) {
          const condition = { leads: leader === pod, isLinked: !cut.link, sourceAgeMs: cut.source ? nowMs : 0 }
          const { fitness: next, heldBackMs, handOver } = judgeFitness(fitness[pod] ?? firstFitness, condition, nowMs)
          fitness[pod] = next
          if (handOver !== undefined) {
            leader = undefined
            freeSinceMs = nowMs
            fitness[pod] = firstFitness // it starts anew
          } else if (leader === undefined && nowMs - freeSinceMs >= heldBackMs) {
            leader = pod
            changes++
          }
        }
      const kinds = new Set(all.map(({ link }) => link)).size
      expect(changes).toBeLessThanOrEqual(kinds)
    }),
  )
})
