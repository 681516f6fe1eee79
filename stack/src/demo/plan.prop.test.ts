// The residents' life as rules: whatever the seed and the moments of asking, it stays a life that Matrix would accept.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createPlan, decide, fallSilent, peopleOnline, type Act, type Plan } from './plan.ts'

const residents = [
  { localpart: 'ada', rooms: ['market', 'library', 'harbour'] },
  { localpart: 'boris', rooms: ['market', 'energy'] },
  { localpart: 'chidi', rooms: ['harbour'] },
]

const seeds = fc.integer()
const steps = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 120 })

function live(seed: number, waitsMs: readonly number[]): { plan: Plan; acts: Act[] } {
  let nowMs = 0
  let plan = createPlan(seed, residents, nowMs)
  const acts: Act[] = []
  for (const waitMs of waitsMs) {
    nowMs += waitMs
    const decided = decide(plan, nowMs)
    plan = decided.plan
    acts.push(...decided.acts)
  }
  return { plan, acts }
}

// The dumb twin: what one would know of the residents who only hears their acts.
function replay(
  acts: readonly Act[],
): Map<string, { presence: string; rooms: Set<string>; typing: string | undefined }> {
  const known = new Map(
    residents.map(({ localpart, rooms }) => [
      localpart,
      { presence: 'offline', rooms: new Set(rooms), typing: undefined as string | undefined },
    ]),
  )
  for (const act of acts) {
    const person = known.get(act.who)
    if (person === undefined) throw new Error(`${act.who} is not of this city`)
    if (act.kind === 'presence') {
      expect(act.presence).not.toBe(person.presence)
      person.presence = act.presence
      continue
    }
    // Only people who are there act in rooms, and only in rooms they are in.
    expect(person.presence).not.toBe('offline')
    expect(person.rooms.has(act.room)).toBe(act.kind !== 'join')
    if (act.kind === 'join') person.rooms.add(act.room)
    if (act.kind === 'leave') person.rooms.delete(act.room)
    if (act.kind === 'typing') {
      expect(person.typing).toBe(act.typing ? undefined : act.room)
      person.typing = act.typing ? act.room : undefined
      if (act.typing) person.presence = 'online'
    }
  }
  return known
}

it('[S19] the same seed and the same moments give the same life', () => {
  fc.assert(
    fc.property(seeds, steps, (seed, waits) => {
      expect(live(seed, waits)).toEqual(live(seed, waits))
    }),
  )
})

it('[S19] every act is possible, and the plan knows what somebody hears who only hears the acts', () => {
  fc.assert(
    fc.property(seeds, steps, (seed, waits) => {
      const { plan, acts } = live(seed, waits)
      const heard = replay(acts)
      for (const resident of plan.residents) {
        const person = heard.get(resident.who)
        expect(person).toEqual({
          presence: resident.presence,
          rooms: new Set(resident.rooms),
          typing: resident.typingIn,
        })
        expect(resident.rooms.length).toBeGreaterThanOrEqual(1)
      }
      const online = [...heard.values()].filter(({ presence }) => presence !== 'offline').length
      expect(peopleOnline(plan)).toBe(online)
    }),
  )
})

it('[S19] after falling silent nobody types, and nothing else has changed', () => {
  fc.assert(
    fc.property(seeds, steps, (seed, waits) => {
      const { plan, acts } = live(seed, waits)
      const silent = fallSilent(plan)
      for (const [, person] of replay([...acts, ...silent.acts])) expect(person.typing).toBeUndefined()
      expect(silent.plan.residents).toEqual(plan.residents.map((one) => ({ ...one, typingIn: undefined })))
    }),
  )
})

it('[S19] within ten minutes everybody has come and every kind of act is seen with some seed', () => {
  const waits = Array.from({ length: 600 }, () => 1_000)
  const kinds = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const { acts } = live(seed, waits)
    for (const { kind } of acts) kinds.add(kind)
    expect(new Set(acts.map(({ who }) => who)).size).toBe(residents.length)
  }
  expect([...kinds].sort()).toEqual(['join', 'leave', 'message', 'presence', 'typing'])
})
