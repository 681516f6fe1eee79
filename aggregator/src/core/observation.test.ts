import fc from 'fast-check'
import { expect, it } from 'vitest'
import { at, come, daemonUserId, follow, go, is, lose, news, old, type, user, write } from '../testing/cities.ts'
import { createObservation, endLives, observe, stopAllTyping, type Lesson } from './observation.ts'
import { isMember, statusCode, type PresenceState } from './presence-state.ts'
import type { Fact } from './sync-facts.ts'

const limits = { activeWindowMs: 300_000, typingMaxMs: 130_000 }
const lessonAt = (ms: number, former?: PresenceState): Lesson => ({ at: at(ms), limits, former })

function observed(ms: number, ...facts: Fact[]) {
  const observation = createObservation(daemonUserId, 10, undefined)
  for (const fact of facts) observe(observation, fact, lessonAt(ms))
  return observation
}

it('[P1] nothing is observed of a room that is not followed', () => {
  const { state, lives, touched } = observed(1, come('!r', user(0)), type('!r', user(0)), write('!r'))
  expect([state.users.indexOf.size, lives.size, touched.size]).toEqual([0, 0, 0])
})

it('[P1] being told again that a room is followed forgets nobody', () => {
  const { state } = observed(1, follow('!r'), come('!r', user(0)), follow('!r'))
  expect(isMember(state, '!r', user(0))).toBe(true)
})

it('[P8] a lost room is forgotten with its people and its life', () => {
  const { state, lives } = observed(1, follow('!r'), come('!r', user(0)), write('!r'), lose('!r'), follow('!r'))
  expect([isMember(state, '!r', user(0)), lives.get('!r')?.lastActivityTs]).toEqual([false, 0])
})

it('[P6] life is looked through only when its earliest end has come', () => {
  const observation = observed(1000, follow('!a'), follow('!b'), type('!a', user(0)), write('!b'))
  expect(observation.lifeDueMs).toBe(131_000)
  observation.touched.clear()
  endLives(observation, 131_000)
  expect([[...observation.touched], observation.lifeDueMs]).toEqual([['!a'], 301_000])
})

it('[P5] only rooms where somebody typed are touched when all typing stops', () => {
  const observation = observed(1000, follow('!a'), follow('!b'), type('!a', user(0)))
  observation.touched.clear()
  stopAllTyping(observation)
  expect([...observation.touched]).toEqual(['!a'])
})

it('[P15] the time of last activity is counted back from the receipt, and kept where nothing is told of it', () => {
  const { state } = observed(5000, follow('!r'), come('!r', user(0)), is(user(0), 'online', 2000), is(user(0), 'busy'))
  const index = state.users.indexOf.get(user(0)) ?? -1
  expect([state.lastActiveTs[index], state.told[index]]).toEqual([at(3000).wallMs, statusCode.busy])
})

it('[P13] a room remembers of whom anything was told, also what changed nothing and what was not believed', () => {
  const observation = observed(1, follow('!r'), come('!r', user(0)))
  observe(observation, come('!r', user(0)), lessonAt(5))
  observe(observation, go('!r', user(1)), lessonAt(6))
  observe(observation, news(come('!r', user(2), 700)), lessonAt(7))
  observe(observation, old(go('!r', user(2), 600)), lessonAt(8))
  expect([...(observation.lives.get('!r')?.movers.lately ?? [])]).toEqual([
    [user(0), 5],
    [user(1), 6],
    [user(2), 8],
  ])
})

it('[P12] learned anew, who was there before has not come in', () => {
  const { state: former } = observed(1, follow('!r'), come('!r', user(0)))
  const fresh = createObservation(daemonUserId, 10, undefined)
  for (const fact of [follow('!r'), come('!r', user(0), at(90).wallMs)]) observe(fresh, fact, lessonAt(100, former))
  expect(fresh.lives.get('!r')?.lastActivityTs).toBe(0)
  observe(fresh, come('!r', user(1), at(95).wallMs), lessonAt(100, former))
  expect(fresh.lives.get('!r')?.lastActivityTs).toBe(at(95).wallMs)
})

it('[M13] what a Synapse told of a room that forked: the join, and after it, as state, the leave before it', () => {
  const { state } = observed(
    1,
    follow('!r'),
    old(come('!r', user(0), 100)),
    news(go('!r', user(0), 731)),
    old(come('!r', user(0), 100)),
    old(go('!r', user(0), 731)),
    news(come('!r', user(0), 3001)),
    old(go('!r', user(0), 731)),
  )
  expect(isMember(state, '!r', user(0))).toBe(true)
})

// Everybody's comings and goings, each told once as news; and now and then, as state, one that was told before.
it('[M13] membership is what the news say, whatever older state is told again', () => {
  const step = fc.record({ who: fc.nat(3), again: fc.array(fc.tuple(fc.nat(3), fc.nat(20)), { maxLength: 3 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const observation = observed(1, follow('!r'))
      const said: Fact[][] = [[], [], [], []]
      steps.forEach(({ who, again }, index) => {
        const move = (said[who]?.length ?? 0) % 2 === 0 ? come : go
        said[who]?.push(move('!r', user(who), index + 1))
        const toldAgain = again.flatMap(([whose, nth]) => said[whose]?.slice(nth, nth + 1).map(old) ?? [])
        for (const fact of [news(move('!r', user(who), index + 1)), ...toldAgain])
          observe(observation, fact, lessonAt(index))
      })
      said.forEach((moves, who) => {
        expect(isMember(observation.state, '!r', user(who))).toBe(moves.length % 2 === 1)
      })
    }),
  )
})

it('[M13] state that is younger than the news is believed, and so is state without a time', () => {
  const was = [follow('!r'), news(go('!r', user(0), 50))]
  expect(isMember(observed(1, ...was, old(come('!r', user(0), 60))).state, '!r', user(0))).toBe(true)
  expect(isMember(observed(1, ...was, old(come('!r', user(0)))).state, '!r', user(0))).toBe(true)
})

it('[M13] what another did to somebody, and the state of a cut timeline, are believed whatever the clocks say', () => {
  const { state } = observed(1, follow('!r'), news(come('!r', user(0), 6_000)), go('!r', user(0), 4_000))
  expect(isMember(state, '!r', user(0))).toBe(false)
})
