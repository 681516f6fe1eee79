// What the leader says about users, in their own stream: whose status changed, and whose last shared room is gone.
//
//   begin -> stored users read, in pieces -> everybody who is known counts as changed
//   changed, gone   -> said, a batch at a time: the city keeps who waits, so that nothing is got ready before its turn
//   then who is left of the stored ones -> erased (a last word with TTL), once the city knows everybody: rooms may wait to be
//                      taken over, or for their lists, and presence may be held. Of who is only in rooms without presence the last word stands.
import { CityError } from '@citypresence/chassis/errors'
import { decodeJson } from '@citypresence/wire/decode'
import { epochHeader, formatEpoch, type Epoch } from '@citypresence/wire/epoch'
import { encodeUser, type Subjects } from '@citypresence/wire/subjects'
import { erasedUserTtlSeconds, userPresence, type UserPresence } from '@citypresence/wire/user-presence'
import { batchMax, type OutMessage } from './core/batch.ts'
import {
  changeAllUsers,
  forgetChangedUsers,
  haveUsersChanged,
  isUserInTheDark,
  knowsEverybody,
  takeChangedUsers,
  type City,
} from './core/city.ts'
import { visit, type Pieces } from './core/pieces.ts'
import type { Speech, Stored } from './voice.ts'

export type UserSpeech = Speech & {
  /** Users may have changed. Not in the middle of a response. */
  changed(): void
}

export type UserSpeechOptions = {
  readonly city: City
  readonly subjects: Subjects
  /** One full sync was learned, and none is half learned. */
  readonly isKnown: () => boolean
  /** The rooms were taken over, and with them what the leader before knew of rooms without presence. */
  readonly areRoomsTold: () => boolean
  /** Somebody of whom nothing can be told, each time something would have been. */
  readonly untold: (error: CityError) => void
}

/** To decode so many stored users takes some ten milliseconds. */
const storedPerPiece = 2_000
/** What a word names that nobody could read: it is there to be erased. */
const nobody = ''

export function createUserSpeech({ city, subjects, isKnown, areRoomsTold, untold }: UserSpeechOptions): UserSpeech {
  // Of whom the stream tells, and nothing was said yet: subject -> user. Bounded by what the stream may hold.
  const doubted = new Map<string, string>()
  let epoch: Epoch | undefined
  let reading: Pieces<void> | undefined
  let state: 'waiting' | 'read' | 'ready' = 'waiting'

  const subjectOf = (userId: string): string | undefined => {
    const token = encodeUser(userId, city.options.homeServer)
    return token === undefined ? undefined : subjects.user(token)
  }
  function* read(stored: readonly Stored[]): Pieces<void> {
    yield* visit(stored, storedPerPiece, ({ subject, body }) => {
      const decoded = decodeJson(userPresence, body)
      doubted.set(subject, decoded.ok ? decoded.value.matrix_user_id : nobody)
    })
  }
  const message = (subject: string, user: UserPresence, voice: string, isErased = false): OutMessage => {
    const ttl = isErased ? { 'Nats-TTL': `${erasedUserTtlSeconds}s` } : {}
    return { subject, body: JSON.stringify(user), headers: { [epochHeader]: voice, ...ttl } }
  }
  const erased = (subject: string, userId: string, voice: string): OutMessage =>
    message(
      subject,
      { type: 'user.presence', matrix_user_id: userId, status: 'offline', last_active_ts: 0 },
      voice,
      true,
    )

  const sayChanged = (voice: string): OutMessage[] =>
    [...takeChangedUsers(city, batchMax)].flatMap(([userId, change]) => {
      const subject = subjectOf(userId)
      if (subject === undefined) {
        untold(new CityError('UserUntold', 'a user id is too long for a subject once it is encoded'))
        return []
      }
      doubted.delete(subject)
      return change === 'erased' ? erased(subject, userId, voice) : message(subject, change, voice)
    })

  /** Whoever is left when everybody was said: gone, or a word that is not where we would say it, or that nobody can read. */
  const eraseDoubted = (voice: string, max: number): OutMessage[] => {
    const messages: OutMessage[] = []
    let looks = Math.min(max, doubted.size)
    for (const [subject, userId] of doubted) {
      if (looks-- <= 0) break
      doubted.delete(subject)
      // Looked at again, after all others: once the room is shown, or left, it is known how it stands with them.
      if (subjectOf(userId) === subject && isUserInTheDark(city, userId)) doubted.set(subject, userId)
      else messages.push(erased(subject, userId, voice))
    }
    return messages
  }

  return {
    begin(next) {
      epoch = next
      state = 'waiting'
      reading = undefined
      doubted.clear()
    },
    takeStored(messages) {
      doubted.clear()
      reading = read(messages)
    },
    next(): readonly OutMessage[] {
      if (reading?.next().done === true) [reading, state] = [undefined, 'read']
      // Before one full sync nobody is known, and everybody would be erased; in the middle of a response nobody is.
      if (epoch === undefined || state === 'waiting' || !isKnown()) return []
      if (state === 'read') changeAllUsers(city)
      state = 'ready'
      const voice = formatEpoch(epoch)
      const messages = sayChanged(voice)
      // A new process learns from the stream of the rooms which of them have no presence: until then everybody there looks gone.
      if (doubted.size > 0 && areRoomsTold() && !haveUsersChanged(city) && knowsEverybody(city))
        messages.push(...eraseDoubted(voice, batchMax - messages.length))
      return messages
    },
    // A batch that was not stored is followed by a new epoch, in which everybody is said again.
    said: () => undefined,
    changed() {
      if (state !== 'ready') forgetChangedUsers(city)
    },
    isBusy: () => reading !== undefined || (state === 'ready' && isKnown() && haveUsersChanged(city)),
  }
}
