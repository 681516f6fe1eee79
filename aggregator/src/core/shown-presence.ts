// From what was told to what is shown. In between stand two doubts:
//
//   told offline --> grace > 0? shown until it ends, unless the person comes back first
//                --> one response takes most of the city offline? nothing of presence is shown until a probe says it works:
//                    a homeserver whose presence is switched off looks exactly like a city that fell asleep
//
// Leaving a room is neither: it counts at once, held or not.
import { nameOf } from './id-table.ts'
import { countWaiting, drain } from './index-queue.ts'
import { peoplePerPiece, visit, type Pieces } from './pieces.ts'
import { isShown, show, showUnheard, type PresenceState } from './presence-state.ts'
import { isReported, markChanged, markReported } from './user-watch.ts'

export type ShownRule = { readonly held: boolean; readonly graceMs: number; readonly nowMs: number }

// A small city may well go to bed within one response; twenty people hardly do.
const peopleMin = 20
const offlineShareMax = 0.9

/** Would this response take at least 90 % of at least 20 shown people offline? Those already on their way out are no part. */
export function takesMostOffline(state: PresenceState): boolean {
  const people = state.shownCount - state.leaving.size
  // Seldom true: the exact count is taken only where it could matter.
  if (!isMost(state.unsettled.list.length, people)) return false
  const offline = countWaiting(
    state.unsettled,
    (user) => isShown(state, user) && state.told[user] === 0 && !state.leaving.has(user),
  )
  return isMost(offline, people)
}

const isMost = (offline: number, people: number): boolean => people >= peopleMin && offline >= people * offlineShareMax

/** Shows what was told since the last time, as far as the rule lets it. */
export function settleShown(state: PresenceState, rule: ShownRule): void {
  for (const user of drain(state.unsettled)) if (!rule.held) settleUser(state, user, rule)
}

/** After a hold: everything that was told meanwhile. */
export function settleEverybody(state: PresenceState, rule: ShownRule): void {
  drain(state.unsettled)
  for (const user of state.users.indexOf.values()) settleUser(state, user, rule)
}

function settleUser(state: PresenceState, user: number, { graceMs, nowMs }: ShownRule): void {
  const told = state.told[user] ?? 0
  if (told === 0 && isShown(state, user) && graceMs > 0) {
    // Each grace is as long as any other, so the map stays in the order of their ends.
    if (!state.leaving.has(user)) state.leaving.set(user, nowMs + graceMs)
    return
  }
  state.leaving.delete(user)
  show(state, user, told)
}

/** Ends every grace that is over. Who was told to be back meanwhile, while that could not be shown, stays. */
export function endGraces(state: PresenceState, nowMs: number): void {
  for (const [user, endsMs] of state.leaving) {
    if (endsMs > nowMs) return
    state.leaving.delete(user)
    if (state.told[user] === 0) show(state, user, 0)
  }
}

export function nextGraceEndMs(state: PresenceState): number | undefined {
  for (const endsMs of state.leaving.values()) return endsMs
  return undefined
}

/**
 * An initial sync says that everybody who is not listed is offline. May that be believed? Not when it takes most of the people
 * offline, and not when it lists nobody at all while people were shown, or while presence was never seen to work.
 */
export function* emptiesCity(
  former: PresenceState,
  fresh: PresenceState,
  { presenceWorked, allListed }: { readonly presenceWorked: boolean; readonly allListed: boolean },
): Pieces<boolean> {
  // Where the members of rooms are still to be listed, presence came for people who are in no room yet.
  const listed = countTold(fresh) + (allListed ? 0 : fresh.outsiders.size)
  const { people, offline } = yield* compareShown(former, fresh, allListed)
  if (isMost(offline, people)) return true
  return listed === 0 && (people > 0 || (!presenceWorked && (fresh.users.indexOf.size > 0 || !allListed)))
}

/**
 * Shows everybody as told in a state that nobody looks at yet. An initial sync is counted slice by slice with it, so that the
 * swap has only those to count who are shown otherwise than told.
 */
export function showAsTold(state: PresenceState): void {
  for (const user of drain(state.unsettled)) showUnheard(state, user, state.told[user] ?? 0)
}

/** Whoever is no user (any more) is told as nothing. */
function countTold({ told }: PresenceState): number {
  let count = 0
  for (const status of told) if (status !== 0) count++
  return count
}

/** Of the people shown before who are or may be in a room (leaving is not held): how many, and how many are now offline. */
function* compareShown(
  former: PresenceState,
  fresh: PresenceState,
  allListed: boolean,
): Pieces<{ people: number; offline: number }> {
  let people = 0
  let offline = 0
  yield* visit(former.users.indexOf, peoplePerPiece, ([userId, before]) => {
    if (!isShown(former, before) || former.leaving.has(before)) return
    const user = fresh.users.indexOf.get(userId)
    if (user === undefined && allListed) return
    people++
    if (user === undefined ? !fresh.outsiders.has(userId) : fresh.told[user] === 0) offline++
  })
  return { people, offline }
}

/** Shows the people of a new state as the rule says, seen from what was shown of them before. */
export function* carryShown(former: PresenceState, fresh: PresenceState, rule: ShownRule): Pieces<void> {
  drain(fresh.unsettled)
  carryLeaving(former, fresh, rule)
  yield* visit(fresh.users.indexOf, peoplePerPiece, ([userId, user]) => {
    const before = former.users.indexOf.get(userId)
    const shownBefore = before === undefined ? 0 : (former.shown[before] ?? 0)
    if (before !== undefined) carryWatch(former, fresh, before, user)
    const after = shownAfter(fresh, user, shownBefore, rule)
    showUnheard(fresh, user, after)
    if (after !== shownBefore) markChanged(fresh.watch, user)
  })
  yield* carryGone(former, fresh)
}

function shownAfter(fresh: PresenceState, user: number, shownBefore: number, rule: ShownRule): number {
  const told = fresh.told[user] ?? 0
  if (rule.held) return shownBefore
  if (told !== 0 || shownBefore === 0 || rule.graceMs === 0) return told
  if (!fresh.leaving.has(user)) fresh.leaving.set(user, rule.nowMs + rule.graceMs)
  return shownBefore
}

/** Who was on the way out stays so, with the same end; first of all, so that the ends stay in order. */
function carryLeaving(former: PresenceState, fresh: PresenceState, { held }: ShownRule): void {
  for (const [before, endsMs] of former.leaving) {
    const user = fresh.users.indexOf.get(nameOf(former.users, before))
    if (user !== undefined && (held || fresh.told[user] === 0)) fresh.leaving.set(user, endsMs)
  }
}

function carryWatch(former: PresenceState, fresh: PresenceState, before: number, user: number): void {
  if (former.watch === undefined || fresh.watch === undefined) return
  if (isReported(former.watch, before)) markReported(fresh.watch, user)
  if (former.watch.changed.marks[before] === 1) markChanged(fresh.watch, user)
}

function* carryGone(former: PresenceState, fresh: PresenceState): Pieces<void> {
  const { watch: before } = former
  const { watch: after } = fresh
  if (before === undefined || after === undefined) return
  for (const userId of before.gone) after.gone.add(userId)
  for (const userId of before.doubted) after.doubted.add(userId)
  yield* visit(former.users.indexOf, peoplePerPiece, ([userId, user]) => {
    if (isReported(before, user) && !fresh.users.indexOf.has(userId)) after.doubted.add(userId)
  })
}
