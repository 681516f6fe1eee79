// Long lists of members, which are taken in pieces while the city goes on, and lists that do not come.
import { expect, it } from 'vitest'
import { at, cityOptions, come, follow, go, is, lose, onlineOf, respond, user } from '../testing/cities.ts'
import * as c from './city.ts'
import { peoplePerPiece, wholly, type Pieces } from './pieces.ts'
import { listPatienceMs } from './unlisted-rooms.ts'

const crowd = Array.from({ length: 2.5 * peoplePerPiece }, (_, index) => user(index))
const [first, , last] = [crowd[0] ?? '', '', crowd.at(-1) ?? '']

/** A city after a first sync without the members: `!r`, and nobody in it yet. */
function lazyCity(online: readonly string[], options: Partial<c.CityOptions> = {}, rooms = ['!r']): c.City {
  const city = c.createCity({ ...cityOptions, outsidersMax: 100_000, ...options })
  c.mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(1))
  replace(city, online, 10, rooms)
  return city
}

function replace(city: c.City, online: readonly string[], ms: number, rooms = ['!r']): void {
  const replacement = c.startReplacement(city, true)
  c.learnInto(replacement, [...rooms.map(follow), ...online.map((userId) => is(userId, 'online'))], at(ms))
  c.finishReplacement(city, replacement, at(ms))
  c.presenceProbed(city, true, at(ms))
}

const taking = (city: c.City, userIds: readonly string[], ms = 12): Pieces<boolean> =>
  c.takeMembers(city, '!r', userIds, { at: at(ms), askedAt: at(ms - 1) })

it('[P18] [M55] a long list is taken in pieces: the room says nothing before the last, and changes between two stand over it', () => {
  const city = lazyCity(crowd)
  const pieces = taking(city, crowd)
  const people = () => city.observation.state.users.indexOf.size
  expect([pieces.next().done, people()]).toEqual([false, peoplePerPiece])
  expect(c.valueOf(city, 'r').kind).toBe('unobserved')
  // One who was joined already, one who is still to be, and one who is not listed.
  respond(city, 20, go('!r', first), go('!r', last), come('!r', user('late')), is(user('late'), 'online'))
  expect([pieces.next().done, people()]).toEqual([false, 2 * peoplePerPiece])
  expect(c.valueOf(city, 'r').kind).toBe('unobserved')
  expect(pieces.next()).toEqual({ done: true, value: true })
  expect(onlineOf(city, 'r')).toBe(crowd.length - 1)
})

it.each(['lost', 'lost and entered again', 'learned anew'])(
  '[P18] a room that is %s between two pieces has nothing of that list',
  (how) => {
    const city = lazyCity(crowd)
    const pieces = taking(city, crowd)
    pieces.next()
    if (how === 'learned anew') replace(city, crowd, 20)
    else respond(city, 20, lose('!r'), ...(how === 'lost' ? [] : [follow('!r')]))
    expect(wholly(pieces)).toBe(false)
    const isCounted = how === 'lost and entered again'
    expect(city.observation.state.users.indexOf.size).toBe(0)
    expect(c.valueOf(city, 'r').kind).toBe(isCounted ? 'known' : 'unobserved')
    if (how !== 'learned anew') return
    expect(wholly(taking(city, [first], 22))).toBe(true)
    expect(onlineOf(city, 'r')).toBe(1)
  },
)

it('[P13] [M55] a long list is compared in pieces, too', () => {
  const city = lazyCity(crowd)
  c.listMembers(city, '!r', crowd.slice(1), { at: at(12), askedAt: at(11) })
  const pieces = c.compareMembers(city, '!r', crowd.slice(0, -1), at(30), at(29))
  let steps = 0
  let step = pieces.next()
  for (; step.done !== true; steps++) step = pieces.next()
  expect([steps, step.value]).toEqual([4, { added: 1, removed: 1, end: 'compared' }])
  expect(onlineOf(city, 'r')).toBe(crowd.length - 1)
})

const [ada, boris, chidi, dora] = ['ada', 'boris', 'chidi', 'dora'].map(user) as [string, string, string, string]

it('[P18] who left is erased ten minutes later though a list never comes; of whom is heard is in that room, and is not', () => {
  const city = lazyCity([], { userEvents: true }, ['!r', '!huge'])
  c.listMembers(city, '!r', [ada, boris, chidi, dora], { at: at(12), askedAt: at(11) })
  respond(city, 20, ...[ada, boris, chidi, dora].map((userId) => is(userId, 'online')))
  expect(c.takeChangedUsers(city, Infinity).size).toBe(4)
  respond(city, 30, go('!r', ada), go('!r', boris))
  // Of Boris something is told afterwards, so he shares a room with the daemon.
  respond(city, 40, is(boris, 'unavailable'))
  respond(city, listPatienceMs - 1)
  expect([c.takeChangedUsers(city, Infinity).size, c.knowsEverybody(city)]).toEqual([0, false])
  expect(c.lookoutsIn(city, '!r', [chidi], 0)).toEqual([])
  respond(city, listPatienceMs + 10, is(dora, 'online'))
  expect([[...c.takeChangedUsers(city, Infinity)], c.knowsEverybody(city)]).toEqual([[[ada, 'erased']], true])
  expect(c.lookoutsIn(city, '!r', [chidi], 0)).toEqual([chidi])
  expect([ada, boris, chidi].map((userId) => c.isUserInTheDark(city, userId))).toEqual([false, true, false])
  // From now on nobody who leaves is waited for; and Boris is gone when nothing but that is told of him.
  respond(city, listPatienceMs + 20, go('!r', chidi))
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[chidi, 'erased']])
  respond(city, listPatienceMs + 30, is(boris, 'offline'))
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[boris, 'erased']])
  // A list that comes after all counts, with what was told of the people before.
  c.listMembers(city, '!huge', [chidi], { at: at(listPatienceMs + 50), askedAt: at(listPatienceMs + 40) })
  expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[chidi, expect.objectContaining({ status: 'online' })]])
})

it('[P18] [M55] of many who may have left so many are looked at a time', () => {
  const city = lazyCity([], { userEvents: true })
  c.listMembers(city, '!r', crowd, { at: at(12), askedAt: at(11) })
  respond(city, 20, ...crowd.map((userId) => is(userId, 'online')))
  c.takeChangedUsers(city, Infinity)
  const replacement = c.startReplacement(city)
  c.learnInto(replacement, [follow('!r'), come('!r', first), is(first, 'online')], at(30))
  c.finishReplacement(city, replacement, at(30))
  const erased = [...c.takeChangedUsers(city, Infinity)].length
  expect(erased).toBe(peoplePerPiece)
  for (let turn = 1; turn <= 2; turn++) respond(city, 30 + turn)
  expect(erased + c.takeChangedUsers(city, Infinity).size).toBe(crowd.length - 1)
})
