// What a new leader says about users, and whom it erases.
import { beforeEach, expect, it } from 'vitest'
import { defaultPrefix, encodeUser, subjectsBelow } from '@citypresence/wire/subjects'
import type { UserPresence } from '@citypresence/wire/user-presence'
import { batchMax, type OutMessage } from './core/batch.ts'
import {
  createCity,
  finishReplacement,
  haveUsersChanged,
  learnInto,
  listMembers,
  noteBlindness,
  presenceProbed,
  startReplacement,
  type City,
} from './core/city.ts'
import { at, cityOf, cityOptions, come, follow, go, is, respond, user } from './testing/cities.ts'
import { createUserSpeech } from './user-speech.ts'

const subjects = subjectsBelow(defaultPrefix)
const stored = (userId: string, status: UserPresence['status'] = 'online', token?: string) => ({
  subject: subjects.user(token ?? encodeUser(userId, 'test.local') ?? ''),
  body: JSON.stringify({ type: 'user.presence', matrix_user_id: userId, status, last_active_ts: 5 }),
})
const withUsers = { userEvents: true }

/** What could not be told. */
const untold: string[] = []
beforeEach(() => {
  untold.length = 0
})

function speechOf(city: City, isKnown = () => true, areRoomsTold = () => true) {
  const speech = createUserSpeech({
    city,
    subjects,
    isKnown,
    areRoomsTold,
    untold: (error) => void untold.push(error.code),
  })
  speech.begin({ term: 1, epoch: 2 })
  return speech
}

type Said = { readonly who: string; readonly status: string; readonly ttl: string | undefined }
const saidIn = (messages: readonly OutMessage[]): Said[] =>
  messages.map(({ body, headers }) => {
    const { matrix_user_id: who, status } = JSON.parse(body) as UserPresence
    return { who, status, ttl: headers['Nats-TTL'] }
  })
const online = (who: string): Said => ({ who, status: 'online', ttl: undefined })
const erased = (who: string): Said => ({ who, status: 'offline', ttl: '30s' })

it('[L57] everybody who is known is said once; whom only the stream knows is erased by a word that expires', () => {
  const speech = speechOf(cityOf(2, withUsers))
  speech.takeStored([stored(user(1)), stored(user('gone')), stored(user('erased'), 'offline')])
  const messages = speech.next(0)
  expect(saidIn(messages)).toEqual([online(user(0)), online(user(1)), erased(user('gone')), erased(user('erased'))])
  expect(messages.map(({ subject }) => subject)).toEqual(['u0', 'u1', 'ugone', 'uerased'].map(subjects.user))
  expect(new Set(messages.map(({ headers }) => headers['Presence-Epoch']))).toEqual(new Set(['1.2']))
  expect(speech.next(0)).toEqual([])
})

it('[L57] before the stream was read, and before one whole sync, nobody is said and nobody erased', () => {
  let known = false
  const speech = speechOf(cityOf(1, withUsers), () => known)
  speech.changed()
  known = true
  expect(speech.next(0)).toEqual([])
  known = false
  speech.takeStored([stored(user('gone'))])
  expect(speech.next(0)).toEqual([])
  known = true
  expect(saidIn(speech.next(0))).toEqual([online(user(0)), erased(user('gone'))])
})

it('[L57] while a room waits for its list nobody is erased who may be there', () => {
  const city = createCity({ ...cityOptions, ...withUsers })
  const replacement = startReplacement(city, true)
  learnInto(replacement, [follow('!r'), come('!r', user(0)), is(user(0), 'online'), is(user(1), 'online')], at(1))
  finishReplacement(city, replacement, at(1))
  presenceProbed(city, true, at(1))
  const speech = speechOf(city)
  speech.changed()
  speech.takeStored([stored(user(1)), stored(user('gone'))])
  expect(saidIn(speech.next(0))).toEqual([online(user(0))])
  expect(speech.next(0)).toEqual([])
  listMembers(city, '!r', [user(0), user(1)], { at: at(3), askedAt: at(2) })
  speech.changed()
  expect(saidIn(speech.next(0))).toEqual([online(user(1)), erased(user('gone'))])
})

it('[L57] whom the stream of another epoch held is no matter of this one', () => {
  const city = createCity({ ...cityOptions, ...withUsers })
  const replacement = startReplacement(city, true)
  learnInto(replacement, [follow('!r'), is(user(0), 'online')], at(1))
  finishReplacement(city, replacement, at(1))
  presenceProbed(city, true, at(1))
  const speech = speechOf(city)
  speech.takeStored([stored(user('gone'))])
  expect(speech.next(0)).toEqual([])
  speech.begin({ term: 1, epoch: 3 })
  speech.takeStored([])
  listMembers(city, '!r', [], { at: at(3), askedAt: at(2) })
  expect(speech.next(0)).toEqual([])
})

it('[L57] while presence is held nobody is erased: who is known only to the stream may well be there', () => {
  const city = createCity({ ...cityOptions, ...withUsers })
  const replacement = startReplacement(city)
  // A homeserver whose presence was switched off lists everybody and tells of nobody.
  learnInto(replacement, [follow('!r'), come('!r', user(0)), come('!r', user(1))], at(1))
  finishReplacement(city, replacement, at(1))
  const speech = speechOf(city)
  speech.takeStored([stored(user(0))])
  expect(speech.next(0)).toEqual([])
  presenceProbed(city, true, at(2))
  expect(saidIn(speech.next(0))).toEqual([erased(user(0))])
})

it('[L57] nobody is erased in the middle of a response', () => {
  let known = true
  const city = createCity({ ...cityOptions, ...withUsers })
  const replacement = startReplacement(city, true)
  learnInto(replacement, [follow('!r'), come('!r', user(0)), is(user(0), 'online')], at(1))
  finishReplacement(city, replacement, at(1))
  presenceProbed(city, true, at(1))
  const speech = speechOf(city, () => known)
  speech.takeStored([stored(user('gone'))])
  expect(saidIn(speech.next(0))).toEqual([online(user(0))])
  listMembers(city, '!r', [user(0)], { at: at(3), askedAt: at(2) })
  known = false
  expect(speech.next(0)).toEqual([])
  known = true
  expect(saidIn(speech.next(0))).toEqual([erased(user('gone'))])
})

it('[L57] a change is said once, the newest of each user, and who shares no room any more is erased', () => {
  const city = cityOf(2, withUsers)
  const speech = speechOf(city)
  speech.takeStored([])
  speech.next(0)
  respond(city, 2, is(user(0), 'unavailable'))
  speech.changed()
  respond(city, 3, is(user(0), 'offline'), go('!r', user(1)))
  speech.changed()
  expect(saidIn(speech.next(0))).toEqual([erased(user(1)), { who: user(0), status: 'offline', ttl: undefined }])
  expect(speech.next(0)).toEqual([])
})

it('[L57] a batch holds a thousand words at most, and the rest follows', () => {
  const people = 2 * batchMax + 1
  const speech = speechOf(cityOf(people, withUsers))
  speech.takeStored([])
  const batches = [speech.next(0), speech.next(0), speech.next(0), speech.next(0)]
  expect(batches.map(({ length }) => length)).toEqual([batchMax, batchMax, 1, 0])
  expect(new Set(batches.flat().map(({ subject }) => subject)).size).toBe(people)
})

it('[L57] a new epoch says everybody again, once its own stream was read, and nothing that waited in the last', () => {
  const city = cityOf(1, withUsers)
  const speech = speechOf(city)
  speech.takeStored([stored(user('gone'))])
  expect(saidIn(speech.next(0))).toEqual([online(user(0)), erased(user('gone'))])
  respond(city, 2, come('!r', user(5)), is(user(5), 'online'))
  speech.changed()
  respond(city, 3, go('!r', user(5)))
  speech.changed()
  speech.begin({ term: 1, epoch: 9 })
  respond(city, 4, is(user(0), 'unavailable'))
  speech.changed()
  expect(speech.next(0)).toEqual([])
  speech.takeStored([])
  const messages = speech.next(0)
  expect(saidIn(messages)).toEqual([{ ...online(user(0)), status: 'unavailable' }])
  expect(messages[0]?.headers['Presence-Epoch']).toBe('1.9')
  // What was read for an epoch counts in no other.
  speech.begin({ term: 2, epoch: 12 })
  speech.takeStored([stored(user('gone'))])
  speech.begin({ term: 3, epoch: 15 })
  expect(speech.next(0)).toEqual([])
})

it('[L57] what the stream holds and nobody can read is erased by a word without a name; a name without a subject is told as such', () => {
  const long = `@${'.'.repeat(120)}:test.local`
  const city = cityOf(1, withUsers)
  respond(city, 2, come('!r', long), is(long, 'online'))
  const speech = speechOf(city)
  speech.takeStored([{ subject: 'city.presence.user.x', body: '{' }])
  const messages = speech.next(0)
  expect(saidIn(messages)).toEqual([online(user(0)), erased('')])
  expect(messages[1]?.subject).toBe('city.presence.user.x')
  expect([long.length <= 255, untold]).toEqual([true, ['UserUntold']])
})

it('[L57] a word under the token of another home server is erased where it lies, and is no word about who has that token now', () => {
  const speech = speechOf(cityOf(1, withUsers))
  // As a leader wrote them who took `old` for the home server: u0 of old, and u0 of ours as a stranger.
  const former = stored('@u0:old', 'online', 'u0')
  const stranger = stored(user(0), 'online', encodeUser(user(0), 'old'))
  speech.takeStored([former, stranger, stored('@gone:old', 'online', 'gone')])
  const messages = speech.next(0)
  expect(saidIn(messages)).toEqual([online(user(0)), erased(user(0)), erased('@gone:old')])
  expect(messages.map(({ subject }) => subject)).toEqual([subjects.user('u0'), stranger.subject, subjects.user('gone')])
  expect(speech.next(0)).toEqual([])
})

it('[L57] of who is only in rooms without presence the last word stands, until they leave, or may be seen', () => {
  const city = cityOf(1, withUsers)
  respond(city, 2, follow('!dark'), ...['stays', 'leaves', 'shown'].map((who) => come('!dark', user(who))))
  noteBlindness(city, '!dark', true, at(2))
  const speech = speechOf(city)
  const stray = stored(user('stays'), 'online', 'elsewhere')
  speech.takeStored([...['stays', 'leaves', 'shown', 'gone'].map((who) => stored(user(who))), stray])
  const messages = speech.next(0)
  expect(saidIn(messages)).toEqual([online(user(0)), erased(user('gone')), erased(user('stays'))])
  expect(messages.at(-1)?.subject).toBe(stray.subject)
  for (let turn = 0; turn < 3; turn++) expect(speech.next(0)).toEqual([])
  respond(city, 3, go('!dark', user('leaves')), come('!r', user('shown')), is(user('shown'), 'unavailable'))
  expect(saidIn(speech.next(0))).toEqual([
    { who: user('shown'), status: 'unavailable', ttl: undefined },
    erased(user('leaves')),
  ])
  expect(speech.next(0)).toEqual([])
  noteBlindness(city, '!dark', false, at(4))
  respond(city, 5, is(user('nobody'), 'online'))
  expect(saidIn(speech.next(0))).toEqual([erased(user('stays'))])
})

it('[L57] before the rooms were taken over nobody is erased: who is there may be in one that has no presence', () => {
  const city = cityOf(1, withUsers)
  respond(city, 2, follow('!dark'), come('!dark', user('stays')))
  let told = false
  const speech = speechOf(city, undefined, () => told)
  speech.takeStored([stored(user('stays')), stored(user('gone'))])
  expect(saidIn(speech.next(0))).toEqual([online(user(0))])
  expect(speech.next(0)).toEqual([])
  // What the takeover of the rooms found in their stream.
  noteBlindness(city, '!dark', true, at(3))
  told = true
  expect(saidIn(speech.next(0))).toEqual([erased(user('gone'))])
})

it('[M55] of a takeover and of a first sync of many no turn looks at more than a piece', () => {
  const people = 6 * batchMax
  const city = cityOf(people, withUsers)
  let decoded = 0
  const all = Array.from({ length: people }, (_, index) => {
    const { subject, body } = stored(user(index + people / 2))
    return {
      subject,
      get body() {
        decoded++
        return body
      },
    }
  })
  const speech = speechOf(city)
  speech.takeStored(all)
  const said = new Map<string, Said>()
  let turns = 0
  for (; turns === 0 || speech.isBusy?.() === true || said.size < people * 1.5; turns++) {
    const before = decoded
    const messages = speech.next(0)
    expect([decoded - before <= 2_000, messages.length <= batchMax, turns < 20]).toEqual([true, true, true])
    for (const one of saidIn(messages)) said.set(one.who, one)
  }
  expect([turns, said.size, [...said.values()].filter(({ ttl }) => ttl !== undefined).length]).toEqual([
    11,
    people * 1.5,
    people / 2,
  ])
})

it('[L57] nobody is erased while somebody is left to be said, also when a whole piece is of others of whom nothing is told', () => {
  const city = createCity({ ...cityOptions, ...withUsers })
  const others = Array.from({ length: batchMax }, (_, index) => `@u${index}:elsewhere`)
  const all = [...others, user(0)]
  respond(city, 1, follow('!r'), ...all.flatMap((who) => [come('!r', who), is(who, 'online')]))
  presenceProbed(city, true, at(1))
  const speech = speechOf(city)
  speech.takeStored([stored(user(0)), stored(user('gone'))])
  expect([speech.isBusy?.(), speech.next(0), speech.isBusy?.()]).toEqual([true, [], true])
  expect(saidIn(speech.next(0))).toEqual([online(user(0)), erased(user('gone'))])
  expect(speech.isBusy?.()).toBe(false)
})

it('[L57] who tells nobody keeps no news: what changes before an epoch is ready is forgotten, because everybody is said then', () => {
  const city = cityOf(1, withUsers)
  const speech = createUserSpeech({
    city,
    subjects,
    isKnown: () => true,
    areRoomsTold: () => true,
    untold: () => undefined,
  })
  for (let turn = 0; turn < 50; turn++) {
    respond(city, turn + 2, come('!r', user('guest')), is(user('guest'), 'online'))
    speech.changed()
    respond(city, turn + 2.5, go('!r', user('guest')))
    speech.changed()
  }
  expect(haveUsersChanged(city)).toBe(false)
  expect(speech.isBusy?.()).toBe(false)
  speech.begin({ term: 1, epoch: 2 })
  speech.takeStored([])
  expect(saidIn(speech.next(0))).toEqual([online(user(0))])
})
