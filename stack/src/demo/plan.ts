// What the residents of the demo do next. Pure: the same seed and the same times give the same life.
//
//   decide(plan, nowMs) -> { plan, acts }     whoever is due decides one thing, and when to decide again
//
// The pace is set so that the city visibly lives while its rooms also have quiet moments longer than the throttle:
// only in those can the way from Matrix to the browser be timed without the wait that the throttle adds.
import type { Presence } from '../matrix-client.ts'
import { dice } from './random.ts'

export type Act =
  | { kind: 'presence'; who: string; presence: Presence }
  | { kind: 'typing'; who: string; room: string; typing: boolean }
  | { kind: 'message'; who: string; room: string }
  | { kind: 'leave' | 'join'; who: string; room: string }

export type ResidentPlan = {
  who: string
  presence: Presence
  rooms: readonly string[]
  /** Left for a while; goes back there before anything else is left. */
  left: string | undefined
  typingIn: string | undefined
  nextAtMs: number
}

export type Plan = { seed: number; residents: readonly ResidentPlan[] }
export type Dice = ReturnType<typeof dice>

// The first residents arrive within 12 s, so that a demo of half a minute has something to show.
const arrivalWithinMs = 12_000
// Between two decisions of one resident: 40 residents at 8 to 40 s make about two acts a second.
const pauseLeastMs = 8_000
const pauseMostMs = 40_000
// Somebody who types goes on for 2 to 6 s, then sends.
const typingLeastMs = 2_000
const typingMostMs = 6_000

export function createPlan(
  seed: number,
  residents: readonly { localpart: string; rooms: readonly string[] }[],
  nowMs: number,
): Plan {
  const roll = dice(seed)
  return {
    residents: residents.map(({ localpart, rooms }) => ({
      who: localpart,
      presence: 'offline',
      rooms,
      left: undefined,
      typingIn: undefined,
      nextAtMs: nowMs + roll.next() * arrivalWithinMs,
    })),
    seed: roll.seed(),
  }
}

export function decide(plan: Plan, nowMs: number): { plan: Plan; acts: readonly Act[] } {
  const roll = dice(plan.seed)
  const acts: Act[] = []
  const residents = plan.residents.map((resident) => {
    if (resident.nextAtMs > nowMs) return resident
    const step = nextStep(resident, roll)
    acts.push(...step.acts)
    return { ...step.resident, nextAtMs: nowMs + pauseMs(step.resident, roll) }
  })
  return { plan: { residents, seed: roll.seed() }, acts }
}

/** Everybody stops typing; presence and rooms stay as they are. What a demo does before it compares. */
export function fallSilent(plan: Plan): { plan: Plan; acts: readonly Act[] } {
  const acts = plan.residents.flatMap((resident) => stopTyping(resident))
  return {
    plan: { ...plan, residents: plan.residents.map((resident) => ({ ...resident, typingIn: undefined })) },
    acts,
  }
}

export const peopleOnline = (plan: Plan): number =>
  plan.residents.filter(({ presence }) => presence !== 'offline').length

type Step = { resident: ResidentPlan; acts: readonly Act[] }

function nextStep(resident: ResidentPlan, roll: Dice): Step {
  if (resident.presence === 'offline') return changePresence(resident, 'online')
  if (resident.typingIn !== undefined) return finishTyping(resident, resident.typingIn)
  const chance = roll.next()
  // Out of ten decisions five are typing, two a short absence, one a goodbye and one a move between rooms.
  if (chance < 0.5) return startTyping(resident, roll)
  if (chance < 0.7) return changePresence(resident, resident.presence === 'online' ? 'unavailable' : 'online')
  if (chance < 0.8) return changePresence(resident, 'offline')
  if (chance < 0.9) return move(resident, roll)
  return { resident, acts: [] }
}

function changePresence(resident: ResidentPlan, presence: Presence): Step {
  return { resident: { ...resident, presence }, acts: [{ kind: 'presence', who: resident.who, presence }] }
}

function startTyping(resident: ResidentPlan, roll: Dice): Step {
  const room = roll.pick(resident.rooms)
  if (room === undefined) return { resident, acts: [] }
  const acts: Act[] = [{ kind: 'typing', who: resident.who, room, typing: true }]
  // On Synapse somebody who types is online again.
  return { resident: { ...resident, presence: 'online', typingIn: room }, acts }
}

function finishTyping(resident: ResidentPlan, room: string): Step {
  const acts: Act[] = [{ kind: 'message', who: resident.who, room }, ...stopTyping(resident)]
  return { resident: { ...resident, typingIn: undefined }, acts }
}

function stopTyping({ who, typingIn }: ResidentPlan): Act[] {
  return typingIn === undefined ? [] : [{ kind: 'typing', who, room: typingIn, typing: false }]
}

function move(resident: ResidentPlan, roll: Dice): Step {
  const { who, left, rooms } = resident
  if (left !== undefined) {
    return {
      resident: { ...resident, left: undefined, rooms: [...rooms, left] },
      acts: [{ kind: 'join', who, room: left }],
    }
  }
  const room = roll.pick(rooms)
  // Nobody leaves the last room: a resident without rooms would never be seen again.
  if (room === undefined || rooms.length === 1) return { resident, acts: [] }
  return {
    resident: { ...resident, left: room, rooms: rooms.filter((slug) => slug !== room) },
    acts: [{ kind: 'leave', who, room }],
  }
}

function pauseMs({ typingIn }: ResidentPlan, roll: Dice): number {
  return typingIn === undefined
    ? pauseLeastMs + roll.next() * (pauseMostMs - pauseLeastMs)
    : typingLeastMs + roll.next() * (typingMostMs - typingLeastMs)
}
