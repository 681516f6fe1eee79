// Which single users changed, for those who publish users too. Made only where that is switched on; owned by the presence
// state and changed in place.
//
//   a user's shown status changed -> changed        the last shared room went, and the user had been told of -> gone
import { grown } from './growable.ts'
import { createIndexQueue, drain, enqueue, unqueue, type IndexQueue } from './index-queue.ts'

export type UserWatch = {
  readonly changed: IndexQueue
  /** By user: 1 where the world was told of this user. */
  reported: Uint8Array
  readonly gone: Set<string>
  /** Told of before, and in no room that is known while others are to be listed: gone only if no list of members has them. */
  readonly doubted: Set<string>
}

export const createUserWatch = (): UserWatch => ({
  changed: createIndexQueue(),
  reported: new Uint8Array(0),
  gone: new Set(),
  doubted: new Set(),
})

export function markChanged(watch: UserWatch | undefined, user: number): void {
  if (watch !== undefined) enqueue(watch.changed, user)
}

export function markReported(watch: UserWatch, user: number): void {
  watch.reported = grown(watch.reported, user + 1)
  watch.reported[user] = 1
}

export const isReported = (watch: UserWatch, user: number): boolean => watch.reported[user] === 1

/** Nobody needs to hear that somebody is gone of whom nobody heard. */
export function markGone(watch: UserWatch | undefined, user: number, userId: string): void {
  if (wasReported(watch, user)) watch?.gone.add(userId)
}

/** Out of every room that is known, while others are to be listed yet. */
export function markDoubted(watch: UserWatch | undefined, user: number, userId: string): void {
  if (wasReported(watch, user)) watch?.doubted.add(userId)
}

function wasReported(watch: UserWatch | undefined, user: number): boolean {
  if (watch === undefined) return false
  unqueue(watch.changed, user)
  if (!isReported(watch, user)) return false
  watch.reported[user] = 0
  return true
}

/** So many users that are gone, then those that changed, now taken as told. Who is gone may have come again: that is told after it. */
export function takeMarks(watch: UserWatch, max: number): { changed: number[]; gone: string[] } {
  const gone: string[] = []
  for (const userId of watch.gone) {
    if (gone.length >= max) break
    watch.gone.delete(userId)
    gone.push(userId)
  }
  const changed = drain(watch.changed, max - gone.length)
  for (const user of changed) markReported(watch, user)
  return { changed, gone }
}

export const hasMarks = ({ changed, gone }: UserWatch): boolean => gone.size > 0 || changed.list.length > 0

/** Nobody is told: what changed is no news any more. */
export function forgetMarks({ changed, gone }: UserWatch): void {
  drain(changed)
  gone.clear()
}
