// Single users, for those who publish them too. Only users of the home server unless told otherwise: others are their own
// homeserver's to tell of.
import type { UserPresence } from '@citypresence/wire/user-presence'
import { nameOf } from './id-table.ts'
import { statusCode, type PresenceState } from './presence-state.ts'
import { serverOf } from './sync-json.ts'
import { isReported, takeMarks } from './user-watch.ts'

export type UserScope = { readonly homeServer: string; readonly remoteUsers: boolean }

const tells = ({ homeServer, remoteUsers }: UserScope, userId: string): boolean =>
  remoteUsers || serverOf(userId) === homeServer

/** The users whose status changed since the last time, and those who share no room any more. */
export function takeUsers(state: PresenceState, scope: UserScope): Map<string, UserPresence | 'erased'> {
  const users = new Map<string, UserPresence | 'erased'>()
  if (state.watch === undefined) return users
  const { changed, gone } = takeMarks(state.watch)
  for (const userId of gone) if (tells(scope, userId)) users.set(userId, 'erased')
  for (const user of changed) {
    const userId = nameOf(state.users, user)
    if (tells(scope, userId)) users.set(userId, userPresenceOf(state, user, userId))
  }
  return users
}

/** Everybody who was told of, or is not offline: all that a new leader has to say. */
export function* usersOf(state: PresenceState, scope: UserScope): Generator<UserPresence> {
  if (state.watch === undefined) return
  for (const [userId, user] of state.users.indexOf)
    if (tells(scope, userId) && (state.shown[user] !== 0 || isReported(state.watch, user)))
      yield userPresenceOf(state, user, userId)
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
