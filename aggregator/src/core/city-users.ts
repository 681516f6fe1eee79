// Single users, for those who publish them too. Only users of the home server unless told otherwise: others are their own
// homeserver's to tell of.
import type { UserPresence } from '@citypresence/wire/user-presence'
import { nameOf } from './id-table.ts'
import { statusCode, type PresenceState } from './presence-state.ts'
import { serverOf } from './sync-json.ts'
import { forgetMarks, isReported, markChanged, takeMarks } from './user-watch.ts'

export type UserScope = { readonly homeServer: string; readonly remoteUsers: boolean }

/** Whether anything is told of somebody. */
export const tells = ({ homeServer, remoteUsers }: UserScope, userId: string): boolean =>
  remoteUsers || serverOf(userId) === homeServer

/** Of the users whose status changed since the last time, and those who share no room any more, the first so many. */
export function takeUsers(state: PresenceState, scope: UserScope, max: number): Map<string, UserPresence | 'erased'> {
  const users = new Map<string, UserPresence | 'erased'>()
  if (state.watch === undefined) return users
  const { changed, gone } = takeMarks(state.watch, max)
  for (const userId of gone) if (tells(scope, userId)) users.set(userId, 'erased')
  for (const user of changed) {
    const userId = nameOf(state.users, user)
    if (tells(scope, userId)) users.set(userId, userPresenceOf(state, user, userId))
  }
  return users
}

/** All that a new leader has to say is news: everybody who was told of, or is not offline. A look at a number each, at once. */
export function tellUsersAnew({ watch, shown }: PresenceState): void {
  if (watch === undefined) return
  forgetMarks(watch)
  for (let user = 0; user < shown.length; user++)
    if (shown[user] !== 0 || isReported(watch, user)) markChanged(watch, user)
}

/** Whether somebody is in rooms of which no presence is told, and in no other: then nothing is known. */
export function isInTheDark(state: PresenceState, blind: ReadonlySet<string>, userId: string): boolean {
  const user = state.users.indexOf.get(userId)
  if (user === undefined) return false
  return (state.roomsOf[user] ?? []).every((room) => blind.has(nameOf(state.rooms, room)))
}

function userPresenceOf(state: PresenceState, user: number, userId: string): UserPresence {
  const shown = state.shown[user]
  return {
    type: 'user.presence',
    matrix_user_id: userId,
    status: statusOf(shown),
    last_active_ts: state.lastActiveTs[user] ?? 0,
    ...(shown === statusCode.busy && { busy: true }),
  }
}

function statusOf(shown: number | undefined): UserPresence['status'] {
  if (shown === statusCode.unavailable) return 'unavailable'
  return shown === statusCode.online || shown === statusCode.busy ? 'online' : 'offline'
}
