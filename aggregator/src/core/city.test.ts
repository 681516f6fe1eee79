// One city, one situation at a time.
import { describe, expect, it } from 'vitest'
import { at, cityOf, cityOptions, come, daemonUserId, follow, go, is, lose, onlineOf } from '../testing/cities.ts'
import { presenceIn, respond, type, user, write } from '../testing/cities.ts'
import * as c from './city.ts'
import { isMember, onlineIn } from './presence-state.ts'

const everybody = (people: number, state: 'online' | 'offline') =>
  Array.from({ length: people }, (_, index) => is(user(index), state))

describe('counting', () => {
  it('[P1] online, unavailable and busy count, offline does not, the daemon never', () => {
    const city = cityOf(0)
    const people = ['online', 'unavailable', 'busy', 'offline'] as const
    respond(
      city,
      2,
      ...people.map((state) => come('!r', user(state))),
      come('!r', daemonUserId),
      ...people.map((state) => is(user(state), state)),
      is(daemonUserId, 'online'),
    )
    expect(onlineOf(city, 'r')).toBe(3)
  })

  it('[P3] presence heard before the first room counts when the person comes in', () => {
    const city = cityOf(0)
    respond(city, 2, is(user('a'), 'online'))
    respond(city, 3, come('!r', user('a')))
    expect(onlineOf(city, 'r')).toBe(1)
  })

  it('[P3] of people without a room only the last few are remembered, and offline ones not at all', () => {
    const city = cityOf(0, { outsidersMax: 3 })
    for (let index = 0; index < 10; index++) respond(city, 2 + index, is(user(index), 'online'))
    respond(city, 20, is(user(9), 'offline'), is(user(8), 'online'))
    expect([...city.observation.state.outsiders.keys()]).toEqual([user(7), user(8)])
  })

  it('[P4] who left the last shared room is forgotten, and comes back as unknown', () => {
    const city = cityOf(1)
    respond(city, 2, go('!r', user(0)))
    expect(city.observation.state.users.indexOf.size).toBe(0)
    respond(city, 3, come('!r', user(0)))
    expect(onlineOf(city, 'r')).toBe(0)
  })

  it('[P4] leaving and coming back in one response loses nothing', () => {
    const city = cityOf(1)
    respond(city, 2, go('!r', user(0)), come('!r', user(0)))
    expect(onlineOf(city, 'r')).toBe(1)
  })
})

describe('typing and activity', () => {
  it('[P5] the list replaces the one before, in any order the same, members only', () => {
    const city = cityOf(3)
    respond(city, 2, type('!r', user(1), user(0), user('stranger')))
    expect(presenceIn(city, 'r').typing_users).toEqual([user(0), user(1)])
    c.takeChanged(city)
    respond(city, 3, type('!r', user(0), user(1)))
    expect(c.takeChanged(city).size).toBe(0)
    respond(city, 4, go('!r', user(1)))
    expect(presenceIn(city, 'r').typing_users).toEqual([user(0)])
    respond(city, 5, type('!r'))
    expect(presenceIn(city, 'r')).toMatchObject({ typing_count: 0, typing_users: [] })
  })

  it('[P5] typing ends by itself 130 s after its last event', () => {
    const city = cityOf(1)
    respond(city, 1000, type('!r', user(0)))
    respond(city, 2000, type('!r', user(0)))
    c.advance(city, at(131_999))
    expect(presenceIn(city, 'r').typing_count).toBe(1)
    c.advance(city, at(132_000))
    expect(presenceIn(city, 'r').typing_count).toBe(0)
    expect(presenceIn(city, 'r').last_event_ts).toBe(at(132_000).wallMs)
  })

  it('[P5] a lost connection ends all typing', () => {
    const city = cityOf(1)
    respond(city, 2, type('!r', user(0)))
    c.clearTyping(city, at(3))
    expect(presenceIn(city, 'r').typing_count).toBe(0)
  })

  it('[P5] a list longer than a message may hold is cut, and its count with it', () => {
    const city = cityOf(1200)
    respond(city, 2, type('!r', ...Array.from({ length: 1200 }, (_, index) => user(index))))
    expect(presenceIn(city, 'r')).toMatchObject({ typing_count: 1000 })
    expect(presenceIn(city, 'r').typing_users).toHaveLength(1000)
  })

  it('[P6] who types makes active; a message does for a window, an old or late one for what is left of it', () => {
    const city = cityOf(1)
    expect(presenceIn(city, 'r').active).toBe(false)
    respond(city, 1000, type('!r', user(0)))
    expect(presenceIn(city, 'r').active).toBe(true)
    respond(city, 2000, type('!r'))
    expect(presenceIn(city, 'r').active).toBe(false)
    respond(city, 200_000, write('!r', at(100_000).wallMs))
    expect(presenceIn(city, 'r')).toMatchObject({ active: true, last_activity_ts: at(100_000).wallMs })
    c.advance(city, at(200_001))
    expect(c.nextDueAtMs(city)).toBe(290_000)
    c.advance(city, at(399_999))
    expect(presenceIn(city, 'r').active).toBe(true)
    c.advance(city, at(400_000))
    expect(presenceIn(city, 'r').active).toBe(false)
    respond(city, 400_001, write('!r', at(90_000).wallMs))
    expect(presenceIn(city, 'r')).toMatchObject({ active: false, last_activity_ts: at(100_000).wallMs })
  })

  it('[P6] a stamp of the future counts as now', () => {
    const city = cityOf(1)
    respond(city, 1000, write('!r', at(9_000_000).wallMs))
    expect(presenceIn(city, 'r').last_activity_ts).toBe(at(1000).wallMs)
    c.advance(city, at(301_000))
    expect(presenceIn(city, 'r').active).toBe(false)
  })

  it('[P6] coming in is activity, changing a name is not', () => {
    const city = cityOf(1)
    respond(city, 1000, come('!r', user(0), at(1000).wallMs))
    expect(presenceIn(city, 'r').active).toBe(false)
    respond(city, 2000, come('!r', user(1), at(2000).wallMs))
    expect(presenceIn(city, 'r').active).toBe(true)
  })
})

describe('offline grace', () => {
  const graceMs = 20_000

  it('[P7] who goes offline is shown until the grace ends; who comes back was never gone', () => {
    const city = cityOf(2, { offlineGraceMs: graceMs })
    respond(city, 1000, is(user(0), 'offline'), is(user(1), 'offline'))
    respond(city, 5000, is(user(0), 'unavailable'), is(user(1), 'offline'))
    expect([onlineOf(city, 'r'), c.takeChanged(city).size, c.nextDueAtMs(city)]).toEqual([2, 0, 21_000])
    c.advance(city, at(20_999))
    expect(onlineOf(city, 'r')).toBe(2)
    c.advance(city, at(21_000))
    expect(onlineOf(city, 'r')).toBe(1)
    c.advance(city, at(60_000))
    expect(onlineOf(city, 'r')).toBe(1)
  })

  it('[P7] leaving a room counts at once, grace or not', () => {
    const city = cityOf(2, { offlineGraceMs: graceMs })
    respond(city, 1000, is(user(0), 'offline'))
    respond(city, 2000, go('!r', user(0)))
    expect(onlineOf(city, 'r')).toBe(1)
  })

  it('[P7] an initial sync that no longer lists somebody leaves the grace, and does not begin it anew', () => {
    const city = cityOf(30, { offlineGraceMs: graceMs })
    respond(city, 1000, is(user(0), 'offline'))
    const replacement = c.startReplacement(city)
    const listed = Array.from({ length: 28 }, (_, index) => is(user(index + 2), 'online'))
    const people = Array.from({ length: 30 }, (_, index) => come('!r', user(index)))
    c.learnInto(replacement, [follow('!r'), ...people, ...listed], at(5000))
    c.finishReplacement(city, replacement, at(5000))
    expect(onlineOf(city, 'r')).toBe(30)
    c.advance(city, at(21_000))
    expect(onlineOf(city, 'r')).toBe(29)
    c.advance(city, at(25_000))
    expect(onlineOf(city, 'r')).toBe(28)
  })
})

describe('unknown is not zero', () => {
  it('[P8] a room is unobserved until it was counted; a lost one keeps its last value, marked stale; found again it lives', () => {
    const city = c.createCity(cityOptions)
    c.mapRooms(city, [{ slug: 'r', roomId: '!r', alias: '#r:test.local' }], at(0))
    expect(c.takeChanged(city)).toEqual(new Set(['r']))
    expect(c.valueOf(city, 'r')).toEqual({ kind: 'unobserved' })
    respond(city, 1, follow('!r'), come('!r', user(0)), is(user(0), 'online'), type('!r', user(0)))
    expect(c.takeChanged(city)).toEqual(new Set(['r']))
    const known = presenceIn(city, 'r')
    expect(known).toEqual({
      type: 'room.presence',
      room_slug: 'r',
      matrix_room_id: '!r',
      matrix_room_alias: '#r:test.local',
      online_count: 1,
      typing_count: 1,
      typing_users: [user(0)],
      last_event_ts: at(1).wallMs,
      active: true,
    })
    respond(city, 2, lose('!r'))
    expect(c.takeChanged(city)).toEqual(new Set(['r']))
    expect(presenceIn(city, 'r')).toEqual({ ...known, stale: true, last_event_ts: at(2).wallMs })
    respond(city, 3, follow('!r'), come('!r', user(1)), come('!r', user(2)), is(user(1), 'online'))
    expect(c.takeChanged(city)).toEqual(new Set(['r']))
    expect(presenceIn(city, 'r')).toMatchObject({ online_count: 1, typing_count: 0, matrix_room_id: '!r' })
    expect(presenceIn(city, 'r').stale).toBeUndefined()
  })

  it('[P9] one response that takes 90 % of at least 20 people offline is held until a probe works', () => {
    const city = cityOf(20)
    c.takeChanged(city)
    respond(city, 1000, ...everybody(18, 'offline'))
    expect([onlineOf(city, 'r'), c.takeChanged(city).size, c.isPresenceHeld(city)]).toEqual([20, 0, true])
    c.presenceProbed(city, true, at(2000))
    expect([onlineOf(city, 'r'), c.isPresenceHeld(city)]).toEqual([2, false])
    expect(c.takeChanged(city)).toEqual(new Set(['r']))
  })

  it('[P9] fewer people, or fewer of them, are believed', () => {
    const small = cityOf(19)
    respond(small, 1000, ...everybody(19, 'offline'))
    expect(onlineOf(small, 'r')).toBe(0)
    const many = cityOf(21)
    respond(many, 1000, ...everybody(18, 'offline'))
    expect(onlineOf(many, 'r')).toBe(3)
  })

  it('[P9] the slices of one response are one response', () => {
    const city = cityOf(20)
    const facts = everybody(20, 'offline')
    for (const fact of facts) c.learn(city, [fact], at(1000))
    c.syncSucceeded(city, at(1000))
    expect([onlineOf(city, 'r'), c.isPresenceHeld(city)]).toEqual([20, true])
  })

  it('[P9] what comes between two slices does not end the response', () => {
    const city = cityOf(20)
    c.learn(city, everybody(10, 'offline'), at(1000))
    c.advance(city, at(1001))
    c.clearTyping(city, at(1002))
    c.confirmMembers(city, '!elsewhere', [], at(1003))
    c.presenceProbed(city, true, at(1004))
    expect([onlineOf(city, 'r'), c.isPresenceHeld(city)]).toEqual([20, false])
    c.learn(city, everybody(20, 'offline'), at(1000))
    c.syncSucceeded(city, at(1000))
    expect([onlineOf(city, 'r'), c.isPresenceHeld(city)]).toEqual([20, true])
  })

  it('[P9] two responses are two, also when nobody says where the first one ended', () => {
    const city = cityOf(20)
    c.learn(city, everybody(10, 'offline'), at(1000))
    c.learn(city, everybody(18, 'offline'), at(2000))
    c.syncSucceeded(city, at(2000))
    expect([onlineOf(city, 'r'), c.isPresenceHeld(city)]).toEqual([2, false])
  })

  it('[P9] while held, membership moves and presence does not', () => {
    const city = cityOf(20)
    respond(city, 1000, ...everybody(20, 'offline'))
    respond(city, 2000, go('!r', user(3)), come('!r', user('new')), is(user('new'), 'online'))
    expect(onlineOf(city, 'r')).toBe(19)
    c.presenceProbed(city, true, at(3000))
    expect(onlineOf(city, 'r')).toBe(1)
  })

  it('[P10] held for 30 s without an answer, or presence found off: stale, counts frozen, still asking', () => {
    const city = cityOf(20)
    respond(city, 1000, ...everybody(20, 'offline'))
    respond(city, 30_000)
    expect(c.sourceOf(city, at(30_999)).source).toBe('live')
    expect(c.nextDueAtMs(city)).toBe(31_000)
    expect(c.sourceOf(city, at(31_000))).toEqual({ source: 'stale', sourceAgeMs: 1000, reason: 'presence-unproven' })
    c.presenceProbed(city, false, at(31_500))
    expect(c.sourceOf(city, at(31_500)).reason).toBe('presence-off')
    expect([onlineOf(city, 'r'), c.isPresenceHeld(city)]).toEqual([20, true])
  })

  it('[P10] no good sync for 90 s, or none yet, is stale; counts stay', () => {
    const city = c.createCity(cityOptions)
    expect(c.sourceOf(city, at(5))).toEqual({ source: 'stale', sourceAgeMs: 5, reason: 'no-sync' })
    const lively = cityOf(3)
    expect(c.sourceOf(lively, at(90_000))).toEqual({ source: 'live', sourceAgeMs: 89_999 })
    expect(c.nextDueAtMs(lively)).toBe(90_001)
    c.advance(lively, at(90_001))
    expect(c.sourceOf(lively, at(90_001))).toEqual({ source: 'stale', sourceAgeMs: 90_000, reason: 'no-sync' })
    expect([onlineOf(lively, 'r'), c.nextDueAtMs(lively)]).toEqual([3, undefined])
  })

  it('[P11] an initial sync that empties a city of any size is held; membership is not', () => {
    const city = cityOf(3)
    const replacement = c.startReplacement(city)
    c.learnInto(replacement, [follow('!r'), come('!r', user(0)), come('!r', user(1))], at(1000))
    c.finishReplacement(city, replacement, at(1000))
    expect([onlineOf(city, 'r'), c.isPresenceHeld(city)]).toEqual([2, true])
    c.presenceProbed(city, true, at(2000))
    expect(onlineOf(city, 'r')).toBe(0)
  })

  it('[P11] a first sync that lists nobody leaves the rooms unobserved until presence was seen to work', () => {
    const city = c.createCity(cityOptions)
    c.mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(0))
    const replacement = c.startReplacement(city)
    c.learnInto(replacement, [follow('!r'), come('!r', user(0))], at(1000))
    c.finishReplacement(city, replacement, at(1000))
    expect(c.valueOf(city, 'r').kind).toBe('unobserved')
    c.takeChanged(city)
    c.presenceProbed(city, true, at(2000))
    expect(c.takeChanged(city)).toEqual(new Set(['r']))
    expect(onlineOf(city, 'r')).toBe(0)
    expect(city.rooms.awaiting.size).toBe(0)
  })

  it('[P11] with presence seen to work, a city at night may be empty from the start', () => {
    const city = c.createCity(cityOptions)
    c.mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(0))
    c.presenceProbed(city, true, at(500))
    const replacement = c.startReplacement(city)
    c.learnInto(replacement, [follow('!r'), come('!r', user(0))], at(1000))
    c.finishReplacement(city, replacement, at(1000))
    expect(onlineOf(city, 'r')).toBe(0)
  })
})

describe('replacement', () => {
  it('[P12] who is not listed is offline, who is gone is gone; activity stays, typing does not', () => {
    const city = cityOf(4)
    respond(city, 1000, write('!r'), type('!r', user(0)))
    const replacement = c.startReplacement(city)
    const people = [come('!r', user(0)), come('!r', user(1)), come('!r', user(2))]
    c.learnInto(replacement, [follow('!r'), ...people, is(user(0), 'online')], at(2000))
    expect(onlineOf(city, 'r')).toBe(4)
    c.finishReplacement(city, replacement, at(2000))
    expect(presenceIn(city, 'r')).toMatchObject({
      online_count: 1,
      typing_count: 0,
      active: true,
      last_activity_ts: at(1000).wallMs,
    })
  })

  it('[P12] who was there before and changed a name is listed as a join, and did not come in', () => {
    const city = cityOf(1)
    const replacement = c.startReplacement(city)
    c.learnInto(replacement, [follow('!r'), come('!r', user(0), at(1900).wallMs), is(user(0), 'online')], at(2000))
    c.finishReplacement(city, replacement, at(2000))
    expect(presenceIn(city, 'r').active).toBe(false)
  })

  it('[P12] a room that is not listed is lost', () => {
    const city = cityOf(2)
    const replacement = c.startReplacement(city)
    c.finishReplacement(city, replacement, at(2000))
    expect(presenceIn(city, 'r')).toMatchObject({ online_count: 2, stale: true })
  })
})

describe('audit', () => {
  it('[P13] corrects both ways, tells how many, and leaves the daemon out', () => {
    const city = cityOf(3)
    c.takeChanged(city)
    const drift = c.confirmMembers(city, '!r', [user(0), user('missed'), daemonUserId], at(1000))
    expect(drift).toEqual({ added: 1, removed: 2, end: 'compared' })
    expect([onlineOf(city, 'r'), [...c.takeChanged(city)]]).toEqual([1, ['r']])
    expect(c.confirmMembers(city, '!nowhere', [user(0)], at(1000))).toEqual({ added: 0, removed: 0, end: 'unfollowed' })
  })

  it('[P13] whoever moved since a list was asked for is where the responses say; all others are where the list says', () => {
    const city = cityOf(3)
    respond(city, 1500, go('!r', user(0)), come('!r', user('new')))
    const list = [user(0), user(1), user('missed')]
    expect(c.confirmMembers(city, '!r', list, at(2000), at(1500))).toEqual({ added: 1, removed: 1, end: 'compared' })
    const { state } = city.observation
    expect([0, 1, 2, 'new', 'missed'].filter((name) => isMember(state, '!r', user(name)))).toEqual([1, 'new', 'missed'])
  })

  it('[P13] a list from before the room was followed says nothing', () => {
    const city = cityOf(3)
    respond(city, 1500, lose('!r'), follow('!r'), come('!r', user(0)))
    expect(c.confirmMembers(city, '!r', [], at(2000), at(1500))).toEqual({ added: 0, removed: 0, end: 'overtaken' })
    expect(c.confirmMembers(city, '!r', [], at(2000), at(1501))).toEqual({ added: 0, removed: 1, end: 'compared' })
  })
})

describe('map', () => {
  it('[P14] a room that is mapped later shows at once what is known of it', () => {
    const city = cityOf(2)
    c.mapRooms(
      city,
      [
        { slug: 'r', roomId: '!r', alias: null },
        { slug: 'same', roomId: '!r', alias: null },
      ],
      at(1000),
    )
    expect([...c.takeChanged(city)]).toEqual(['same'])
    expect(presenceIn(city, 'same')).toMatchObject({ online_count: 2, last_event_ts: at(1000).wallMs })
  })

  it('[P14] an unmapped room is removed: zeros, marked; the same map again changes nothing', () => {
    const city = cityOf(2)
    c.mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(900))
    expect(c.takeChanged(city).size).toBe(0)
    c.mapRooms(city, [], at(1000))
    expect([...c.takeChanged(city)]).toEqual(['r'])
    const value = c.valueOf(city, 'r')
    expect(value.kind).toBe('removed')
    expect(value.kind === 'removed' ? value.presence : {}).toMatchObject({
      online_count: 0,
      typing_count: 0,
      removed: true,
      matrix_room_id: '!r',
      last_event_ts: at(1000).wallMs,
    })
    expect(c.mappedSlugs(city)).toEqual([])
    expect(c.valueOf(city, 'never').kind).toBe('removed')
  })

  it('[P14] a slug that moves to a room nobody has counted keeps its last value, stale, until the new one is counted', () => {
    const city = cityOf(2)
    c.mapRooms(city, [{ slug: 'r', roomId: '!next', alias: null }], at(1000))
    expect(presenceIn(city, 'r')).toMatchObject({ online_count: 2, stale: true })
    respond(city, 2000, follow('!next'), come('!next', user(0)))
    expect(presenceIn(city, 'r')).toMatchObject({ online_count: 1, matrix_room_id: '!next' })
    expect(presenceIn(city, 'r').stale).toBeUndefined()
  })
})

describe('users', () => {
  const withUsers = { userEvents: true }

  it('[P15] a change of status is told once, busy as online and busy, with the time of last activity', () => {
    const city = cityOf(0, withUsers)
    respond(city, 2000, come('!r', user(0)), is(user(0), 'busy', 500), come('!r', user(1)))
    const told = c.takeChangedUsers(city, Infinity)
    expect([...told]).toEqual([
      [
        user(0),
        {
          type: 'user.presence',
          matrix_user_id: user(0),
          status: 'online',
          busy: true,
          last_active_ts: at(1500).wallMs,
        },
      ],
    ])
    respond(city, 3000, is(user(0), 'busy', 1500))
    expect(c.takeChangedUsers(city, Infinity).size).toBe(0)
    c.changeAllUsers(city)
    expect([...c.takeChangedUsers(city, Infinity).keys()]).toEqual([user(0)])
  })

  it('[P15] who shares no room any more is erased, if anybody was told of them', () => {
    const city = cityOf(1, withUsers)
    c.takeChangedUsers(city, Infinity)
    respond(city, 2000, come('!r', user('quiet')))
    respond(city, 3000, go('!r', user(0)), go('!r', user('quiet')))
    expect([...c.takeChangedUsers(city, Infinity)]).toEqual([[user(0), 'erased']])
  })

  it('[P15] an initial sync tells the difference only', () => {
    const city = cityOf(4, withUsers)
    c.takeChangedUsers(city, Infinity)
    const replacement = c.startReplacement(city)
    const people = [come('!r', user(0)), come('!r', user(1)), come('!r', user('new'))]
    c.learnInto(replacement, [follow('!r'), ...people, is(user(0), 'online'), is(user('new'), 'unavailable')], at(2000))
    c.finishReplacement(city, replacement, at(2000))
    const told = [...c.takeChangedUsers(city, Infinity)].map(([id, value]) => [
      id,
      value === 'erased' ? value : value.status,
    ])
    expect(new Map(told as [string, string][])).toEqual(
      new Map([
        [user(1), 'offline'],
        [user(2), 'erased'],
        [user(3), 'erased'],
        [user('new'), 'unavailable'],
      ]),
    )
  })

  it('[P15] users of other homeservers only when asked for; nobody at all when switched off', () => {
    const facts = [
      come('!r', '@far:else.where'),
      is('@far:else.where', 'online'),
      come('!r', user(0)),
      is(user(0), 'online'),
    ]
    const namesWith = (options: Partial<c.CityOptions>) => {
      const city = cityOf(0, options)
      respond(city, 2000, ...facts)
      return [...c.takeChangedUsers(city, Infinity).keys()]
    }
    expect(namesWith(withUsers)).toEqual([user(0)])
    expect(namesWith({ ...withUsers, remoteUsers: true })).toEqual(['@far:else.where', user(0)])
    expect(namesWith({})).toEqual([])
  })
})

it('[N1] somebody of another homeserver counts until ours says otherwise, however long nothing is heard of him', () => {
  const city = cityOf(1)
  const far = '@far:elsewhere.example'
  respond(city, 10, come('!r', far), is(far, 'online', 0))
  expect(onlineOf(city, 'r')).toBe(2)
  // A server that died is timed out by ours after half an hour, and not by us: who is silent may just sit there.
  const endMs = 30 * 60_000
  for (let ms = 30_000; ms < endMs; ms += 30_000) {
    respond(city, ms, is(user(0), ms % 60_000 === 0 ? 'online' : 'unavailable'))
    c.advance(city, at(ms))
  }
  expect([onlineOf(city, 'r'), c.sourceOf(city, at(endMs - 30_000)).source]).toEqual([2, 'live'])
  respond(city, endMs, is(far, 'offline', endMs))
  expect(onlineOf(city, 'r')).toBe(1)
})

it('[N2] where people are shown to nobody the city is empty, and believed to be once presence was seen to work', () => {
  const city = c.createCity(cityOptions)
  c.mapRooms(city, [{ slug: 'r', roomId: '!r', alias: null }], at(0))
  const replacement = c.startReplacement(city)
  c.learnInto(replacement, [follow('!r'), come('!r', user(0)), come('!r', user(1))], at(1))
  c.finishReplacement(city, replacement, at(1))
  c.syncSucceeded(city, at(1))
  expect(c.valueOf(city, 'r').kind).toBe('unobserved')
  c.presenceProbed(city, true, at(2))
  expect(presenceIn(city, 'r')).toMatchObject({ online_count: 0 })
  expect([presenceIn(city, 'r').stale, c.sourceOf(city, at(2)).source]).toEqual([undefined, 'live'])
  // One who shares his presence counts among those who do not.
  respond(city, 3, is(user(0), 'online'))
  expect(onlineOf(city, 'r')).toBe(1)
})

it('[M55] an initial sync is counted slice by slice: when it takes its place nobody is left to be counted', () => {
  const city = cityOf(3)
  const replacement = c.startReplacement(city)
  const people = Array.from({ length: 40 }, (_, index) => user(index))
  c.learnInto(replacement, [follow('!r'), ...people.map((one) => come('!r', one))], at(1000))
  // What a slice takes is bounded by its 500 facts and the rooms of the people in them.
  for (const [index, one] of people.entries()) {
    c.learnInto(replacement, [is(one, 'online')], at(1000))
    expect(onlineIn(replacement.observation.state, '!r')).toBe(index + 1)
  }
  const counts = replacement.observation.state.online.slice()
  expect(onlineOf(city, 'r')).toBe(3)
  c.finishReplacement(city, replacement, at(1000))
  expect([city.observation.state.online, onlineOf(city, 'r')]).toEqual([counts, 40])
})
