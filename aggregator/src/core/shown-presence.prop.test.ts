// From told to shown against a plain list of people, each with what was told, what is shown and when a grace ends.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { user } from '../testing/cities.ts'
import {
  createPresenceState,
  joinRoom,
  onlineIn,
  openRoom,
  tell,
  type PresenceState,
  type StatusCode,
} from './presence-state.ts'
import { wholly } from './pieces.ts'
import * as s from './shown-presence.ts'

// Thirty people, so that the rule of twenty is met, and twenty of them, so that it is just met.
const people = 30
const those = (count: number): number[] => Array.from({ length: count }, (_, one) => one)
const graceMs = 20_000
const anyWho = fc.oneof(
  fc.nat(4).map((one) => [one]),
  fc.constantFrom(those(people), those(20), those(18), those(17)),
)
const anyStatus = fc.constantFrom<StatusCode>(0, 0, 1, 2, 3)
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('tell' as const), who: anyWho, status: anyStatus }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('settle' as const), held: fc.constantFrom(false, false, true) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('settle-all' as const, 'end' as const) }) },
)
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never
const anySteps = fc.array(fc.record({ step: anyStep, waitMs: fc.constantFrom(0, 1, 9_999, 20_000) }), {
  maxLength: 25,
  size: 'max',
})

type Person = { told: number; shown: number; endsMs: number | undefined; isNews: boolean }

class Crowd {
  people: Person[] = Array.from({ length: people }, () => ({ told: 0, shown: 0, endsMs: undefined, isNews: false }))
  readonly graceMs: number
  constructor(grace: number) {
    this.graceMs = grace
  }

  do(step: Step, nowMs: number): void {
    if (step.kind === 'tell')
      for (const person of this.people.filter((_, one) => step.who.includes(one))) {
        person.isNews ||= person.told !== step.status
        person.told = step.status
      }
    else if (step.kind === 'end') this.#end(nowMs)
    else {
      for (const person of this.people) {
        const isHeld = step.kind === 'settle' && step.held
        if (step.kind === 'settle-all' || (person.isNews && !isHeld)) this.#settle(person, nowMs)
        person.isNews = false
      }
    }
  }

  #settle(person: Person, nowMs: number): void {
    if (person.told === 0 && person.shown !== 0 && this.graceMs > 0) person.endsMs ??= nowMs + this.graceMs
    else [person.endsMs, person.shown] = [undefined, person.told]
  }

  #end(nowMs: number): void {
    for (const person of this.people) {
      if (person.endsMs === undefined || person.endsMs > nowMs) continue
      person.endsMs = undefined
      if (person.told === 0) person.shown = 0
    }
  }

  online = (): number => this.people.filter(({ shown }) => shown !== 0).length
  nextEndMs = (): number | undefined =>
    this.people.reduce<number | undefined>(
      (least, { endsMs }) => (endsMs === undefined ? least : Math.min(least ?? Infinity, endsMs)),
      undefined,
    )
  takesMost = (): boolean => {
    const shown = this.people.filter((one) => one.shown !== 0 && one.endsMs === undefined)
    const gone = shown.filter(({ told, isNews }) => told === 0 && isNews)
    return shown.length >= 20 && gone.length * 10 >= shown.length * 9
  }
}

function crowdState(): PresenceState {
  const state = createPresenceState('@daemon:test.local', 10, undefined)
  openRoom(state, '!r')
  for (let one = 0; one < people; one++) joinRoom(state, '!r', user(one))
  return state
}

function play(state: PresenceState, step: Step, grace: number, nowMs: number): void {
  if (step.kind === 'tell') for (const one of step.who) tell(state, user(one), step.status, undefined)
  else if (step.kind === 'settle') s.settleShown(state, { held: step.held, graceMs: grace, nowMs })
  else if (step.kind === 'settle-all') s.settleEverybody(state, { held: false, graceMs: grace, nowMs })
  else s.endGraces(state, nowMs)
}

it('[P7] [P9] whatever is told, held, settled and ended, the count and the doubts are those of the crowd', () => {
  fc.assert(
    fc.property(anySteps, fc.constantFrom(0, graceMs), (steps, grace) => {
      const [state, crowd] = [crowdState(), new Crowd(grace)]
      let nowMs = 1_000
      for (const { step, waitMs } of steps) {
        nowMs += waitMs
        play(state, step, grace, nowMs)
        crowd.do(step, nowMs)
        expect([onlineIn(state, '!r'), state.shownCount]).toEqual([crowd.online(), crowd.online()])
        expect(s.nextGraceEndMs(state)).toBe(crowd.nextEndMs())
        expect(s.takesMostOffline(state)).toBe(crowd.takesMost())
      }
    }),
  )
})

const anyTold = fc.array(fc.constantFrom<StatusCode>(0, 1, 2, 3), { minLength: people, maxLength: people })
/** The first so many are online, the others offline. */
const firstOnline = fc
  .constantFrom(2, 3, 19, 20, 30)
  .map((count) => Array.from({ length: people }, (_, one): StatusCode => (one < count ? 1 : 0)))
const anyCrowd = fc.oneof(anyTold, firstOnline)
const stateOf = (told: readonly StatusCode[]): PresenceState => {
  const state = crowdState()
  for (const [one, status] of told.entries()) tell(state, user(one), status, undefined)
  return state
}
const open: s.ShownRule = { held: false, graceMs: 0, nowMs: 1_000 }

it('[P11] an initial sync is doubted exactly where it takes most of those shown offline, or lists nobody of some', () => {
  fc.assert(
    fc.property(anyCrowd, fc.oneof(anyCrowd, fc.constant<StatusCode[]>([])), fc.boolean(), (before, after, worked) => {
      const former = stateOf(before)
      s.settleShown(former, open)
      const shown = before.flatMap((status, one) => (status === 0 ? [] : [one]))
      const gone = shown.filter((one) => (after[one] ?? 0) === 0)
      const listed = after.filter((status) => status !== 0).length
      const doubt = { presenceWorked: worked, allListed: true }
      const isMost = shown.length >= 20 && gone.length * 10 >= shown.length * 9
      const listsNobody = listed === 0 && (shown.length > 0 || !worked)
      expect(wholly(s.emptiesCity(former, stateOf(after), doubt))).toBe(isMost || listsNobody)
    }),
  )
})

it('[P12] [M55] what a replacement shows is the same whether it was counted while it was learned or not', () => {
  const anyRule = fc.record({ held: fc.boolean(), graceMs: fc.constantFrom(0, graceMs), nowMs: fc.constant(5_000) })
  fc.assert(
    fc.property(anyTold, anyTold, anyRule, fc.nat(people), (before, after, rule, early) => {
      const fresh = [false, true].map((counts) => {
        const former = stateOf(before)
        s.settleShown(former, open)
        const state = crowdState()
        for (const [one, status] of after.entries()) {
          tell(state, user(one), status, undefined)
          if (counts && one >= early) s.showAsTold(state)
        }
        wholly(s.carryShown(former, state, rule))
        return {
          online: onlineIn(state, '!r'),
          count: state.shownCount,
          shown: [...state.shown],
          leaving: [...state.leaving],
        }
      })
      expect(fresh[1]).toEqual(fresh[0])
      const expected = after.map((status, one) => {
        const was = before[one] ?? 0
        return rule.held || (status === 0 && rule.graceMs > 0) ? was : status
      })
      expect(fresh[0]?.online).toBe(expected.filter((status) => status !== 0).length)
    }),
  )
})
