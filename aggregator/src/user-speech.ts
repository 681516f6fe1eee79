// What the leader says about users, in their own stream: whose status changed, and whose last shared room is gone.
//
//   begin -> stored users read -> everybody known once; stored ones who are not known any more are erased (a last word with TTL),
//                                 once the city knows everybody: rooms may wait for their lists, and presence may be held
//   changed -> the newest status of each waits, one batch at a time
import { CityError } from '@citypresence/chassis/errors'
import { decodeJson } from '@citypresence/wire/decode'
import { epochHeader, formatEpoch, type Epoch } from '@citypresence/wire/epoch'
import { encodeUser, type Subjects } from '@citypresence/wire/subjects'
import { erasedUserTtlSeconds, userPresence, type UserPresence } from '@citypresence/wire/user-presence'
import { batchMax, type OutMessage } from './core/batch.ts'
import { knownUsers, knowsEverybody, takeChangedUsers, type City } from './core/city.ts'
import type { Speech, Stored } from './voice.ts'

type Word = { readonly user: UserPresence; readonly erased: boolean }

export type UserSpeech = Speech & {
  /** Users may have changed. Not in the middle of a response. */
  changed(): void
}

export type UserSpeechOptions = {
  readonly city: City
  readonly subjects: Subjects
  /** One full sync was learned, and none is half learned. */
  readonly isKnown: () => boolean
  /** Somebody of whom nothing can be told, each time something would have been. */
  readonly untold: (error: CityError) => void
}

export function createUserSpeech({ city, subjects, isKnown, untold }: UserSpeechOptions): UserSpeech {
  // Newest word about each user; bounded by who shares a room, and by who stopped to since the last batch.
  const waiting = new Map<string, Word>()
  // Of whom the stream tells, and nothing was said yet; bounded by what the stream may hold.
  const doubted = new Set<string>()
  let epoch: Epoch | undefined
  let stored: readonly Stored[] | undefined
  let ready = false
  const erase = (userId: string): Word => ({
    user: { type: 'user.presence', matrix_user_id: userId, status: 'offline', last_active_ts: 0 },
    erased: true,
  })
  const say = (userId: string, word: Word): void => {
    doubted.delete(userId)
    waiting.set(userId, word)
  }
  const takeOver = (before: readonly Stored[]): void => {
    for (const { body } of before) {
      const decoded = decodeJson(userPresence, body)
      if (decoded.ok) doubted.add(decoded.value.matrix_user_id)
    }
    for (const user of knownUsers(city)) say(user.matrix_user_id, { user, erased: false })
    stored = undefined
    ready = true
  }
  const eraseUnknown = (): void => {
    for (const userId of doubted) say(userId, erase(userId))
  }
  const toMessage = (userId: string, { user, erased }: Word, voice: string): OutMessage[] => {
    const token = encodeUser(userId, city.options.homeServer)
    if (token === undefined) {
      untold(new CityError('UserUntold', 'a user id is too long for a subject once it is encoded'))
      return []
    }
    const ttl = erased ? { 'Nats-TTL': `${erasedUserTtlSeconds}s` } : {}
    return [{ subject: subjects.user(token), body: JSON.stringify(user), headers: { [epochHeader]: voice, ...ttl } }]
  }
  return {
    begin(next) {
      epoch = next
      ready = false
      stored = undefined
      waiting.clear()
      doubted.clear()
    },
    takeStored(messages) {
      stored = messages
    },
    next(): readonly OutMessage[] {
      // Before one full sync nobody is known, and everybody would be erased.
      if (stored !== undefined && isKnown()) takeOver(stored)
      if (doubted.size > 0 && isKnown() && knowsEverybody(city)) eraseUnknown()
      if (epoch === undefined || !ready || waiting.size === 0) return []
      const voice = formatEpoch(epoch)
      const messages: OutMessage[] = []
      for (const [userId, word] of waiting) {
        if (messages.length >= batchMax) break
        waiting.delete(userId)
        messages.push(...toMessage(userId, word, voice))
      }
      return messages
    },
    // A batch that was not stored is followed by a new epoch, in which everybody is said again.
    said: () => undefined,
    changed() {
      for (const [userId, change] of takeChangedUsers(city))
        say(userId, change === 'erased' ? erase(userId) : { user: change, erased: false })
    },
  }
}
