// What the aggregator relies on about a homeserver, as one suite for the double and for a real Synapse. Each test is named for
// the trap that it keeps open to the eye. A test makes its own people and rooms, so that all share one server.
//
// "Never" is shown by a fence: something that must be told happens after what must not be, and the reader reads up to it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Account, MatrixClient, SyncAnswer } from '@citypresence/stack/matrix-client'
import { createMatrixClient } from '@citypresence/stack/matrix-client'
import {
  joinTold,
  leaveTold,
  membersTold,
  presenceTold,
  readFrom,
  stateTold,
  timelineTold,
  typingTold,
  type Reader,
} from './homeserver/testing/reader.ts'
import { askRaw, recommendedFilter, seedFilter, withTimeline } from './homeserver/testing/filters.ts'

export type ContractServer = {
  readonly url: string
  readonly serverName: string
  /** A person nobody has met. */
  account(localpart: string): Promise<Account>
  /** One more session of somebody. */
  logIn(userId: string): Promise<void>
  /** Down and up again, as after a crash. */
  restart(): Promise<void>
  /** The same, and up with presence switched off, or on again. */
  restartWithPresence(isOn: boolean): Promise<void>
  /** The same, and up with these rooms out of presence, and no others. */
  restartBlindIn(roomIds: readonly string[]): Promise<void>
  /** From now on a person's second join is too many. */
  limitJoins(): Promise<void>
  stop(): Promise<void>
}

type Person = MatrixClient & { readonly userId: string }
type Scene = {
  readonly roomId: string
  readonly daemon: Account
  readonly mayor: Person
  readonly people: readonly Person[]
}

export function homeserverContract(name: string, start: () => Promise<ContractServer>): void {
  describe(name, () => {
    let server: ContractServer
    let people = 0
    const person = async (role: string): Promise<Person> =>
      createMatrixClient(server.url, await server.account(`${role}${++people}`))
    /** A room with the daemon and some others in it, everybody offline. */
    const scene = async (residents = 1, options: { roomVersion?: string; alias?: string } = {}): Promise<Scene> => {
      const [daemon, mayor] = [await person('daemon'), await person('mayor')]
      const roomId = await mayor.createRoom(options)
      await daemon.join(roomId)
      const others: Person[] = []
      for (let n = 0; n < residents; n++) others.push(await joined(await person('resident'), roomId))
      return { roomId, daemon, mayor, people: others }
    }
    const joined = async (one: Person, roomId: string): Promise<Person> => {
      await one.join(roomId)
      return one
    }
    const read = (daemon: Account, filter: unknown = recommendedFilter): Promise<Reader> =>
      readFrom(server.url, daemon, filter)
    /** Whatever came before this and is not told by now is never told. */
    const fence = async (reader: Reader, { roomId, mayor }: Scene): Promise<void> => {
      const state = (await mayor.presenceOf(mayor.userId)).presence === 'online' ? 'offline' : 'online'
      const seen = presenceTold(reader.told, mayor.userId).length
      await mayor.setPresence(state)
      await reader.until(`the fence in ${roomId}`, (told) =>
        presenceTold(told, mayor.userId)
          .slice(seen)
          .some(({ presence }) => presence === state),
      )
    }
    const only = (scene: Scene): Person => {
      const [first] = scene.people
      if (first === undefined) throw new Error('the scene has nobody')
      return first
    }

    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.stop())

    describe('filter and membership', () => {
      it('[D1] [M-trap-01] a limit of 0 is taken, a limit that is text is not', async () => {
        const { daemon } = await scene(0)
        const reader = await read(daemon, seedFilter)
        expect(reader.token()).not.toBe('')
        const text = JSON.stringify({ room: { timeline: { limit: '5' } } })
        expect(await askRaw(server.url, daemon, `/sync?filter=${encodeURIComponent(text)}`)).toMatchObject({
          status: 400,
        })
      })

      it("[D1] [M-trap-02] with the seed's filter a join and a leave are there, in state or timeline, and the gap is called limited", async () => {
        const { roomId, daemon, people } = await scene(3)
        const [ada, ben, cem] = people as [Person, Person, Person]
        const late = await person('late')
        const reader = await read(daemon, seedFilter)
        reader.forget()
        await late.join(roomId)
        await ada.leave(roomId)
        await ben.leave(roomId)
        await ben.join(roomId)
        await reader.next()
        const [room] = joinTold(reader.told, roomId)
        expect(room?.timeline?.limited).toBe(true)
        expect(membersTold(reader.told, roomId)).toMatchObject({
          [late.userId]: 'join',
          [ada.userId]: 'leave',
          [ben.userId]: 'join',
        })
        expect(membersTold(reader.told, roomId)).not.toHaveProperty([cem.userId])
      })

      it('[D1] [M-trap-03] asking for state_after changes nothing: there is a state, and it is to be applied before the timeline', async () => {
        const { roomId, daemon, mayor } = await scene()
        const reader = await read(daemon)
        await mayor.send(roomId, 'good day')
        const filter = encodeURIComponent(JSON.stringify(recommendedFilter))
        const since = encodeURIComponent(reader.token())
        const both = 'use_state_after=true&org.matrix.msc4222.use_state_after=true'
        const { body } = await askRaw(
          server.url,
          daemon,
          `/sync?${both}&since=${since}&filter=${filter}&set_presence=offline`,
        )
        const room = (body as { rooms: { join: Record<string, object> } }).rooms.join[roomId]
        expect(room).toHaveProperty('state')
        expect(room).not.toHaveProperty('state_after')
      })

      it('[D1] [M-trap-04] a limit of 0 still brings the last event, and what changed before it as state; a first sync brings all as state', async () => {
        const { roomId, daemon, mayor } = await scene()
        const reader = await read(daemon, seedFilter)
        const [first] = joinTold(reader.told, roomId)
        expect(first?.timeline?.events).toEqual([])
        expect(first?.state?.events?.filter(({ type }) => type === 'm.room.member')).toHaveLength(3)
        const late = [await person('late'), await person('late'), await person('late')] as const
        reader.forget()
        await late[0].join(roomId)
        await reader.next()
        expect(timelineTold(reader.told, roomId).map(({ state_key }) => state_key)).toEqual([late[0].userId])
        expect(stateTold(reader.told, roomId)).toEqual([])
        reader.forget()
        await late[1].join(roomId)
        await late[2].join(roomId)
        await mayor.send(roomId, 'good day')
        await reader.next()
        expect(timelineTold(reader.told, roomId).map(({ type }) => type)).toEqual(['m.room.message'])
        expect(
          stateTold(reader.told, roomId)
            .map(({ state_key }) => state_key)
            .sort(),
        ).toEqual([late[1].userId, late[2].userId].sort())
      })

      it.each([
        ['no types', { types: [] }],
        ['all types but none', { not_types: ['*'] }],
        ['messages only', { types: ['m.room.message'] }],
      ])(
        '[D1] [M-trap-05] a timeline that lets no member event through (%s) loses joins for good',
        async (_, timeline) => {
          const stage = await scene()
          const late = await person('late')
          const reader = await read(stage.daemon, withTimeline(timeline))
          const before = reader.token()
          reader.forget()
          await late.join(stage.roomId)
          await reader.next()
          await fence(reader, stage)
          expect(reader.token()).not.toBe(before)
          expect(membersTold(reader.told, stage.roomId)).toEqual({})
        },
      )

      it('[D1] [M-trap-06] who joins while online is told as online in the same answer; an offline one as offline', async () => {
        const { roomId, daemon } = await scene()
        const [present, absent] = [await person('present'), await person('absent')]
        await present.setPresence('online')
        const reader = await read(daemon)
        reader.forget()
        await present.join(roomId)
        await reader.next()
        expect(membersTold(reader.told, roomId)).toMatchObject({ [present.userId]: 'join' })
        expect(presenceTold(reader.told, present.userId)).toMatchObject([{ presence: 'online' }])
        await absent.join(roomId)
        await reader.next()
        expect(presenceTold(reader.told, absent.userId)).toEqual([{ presence: 'offline' }])
      })

      it('[D1] [M-trap-06] without member events in the timeline a newcomer stays unknown although he is online', async () => {
        const stage = await scene()
        const present = await person('present')
        await present.setPresence('online')
        const reader = await read(stage.daemon, withTimeline({ types: ['m.room.message'] }))
        reader.forget()
        await present.join(stage.roomId)
        await reader.next()
        await fence(reader, stage)
        expect(presenceTold(reader.told, present.userId)).toEqual([])
      })

      it('[D1] [M-trap-07] a long gap with few types and a small limit loses a leave; without types it does not', async () => {
        const { roomId, daemon, mayor, people } = await scene(2)
        const [ada, ben] = people as [Person, Person]
        const few = await read(daemon, withTimeline({ types: ['m.room.member'], limit: 1 }))
        const all = await read(daemon, withTimeline({ limit: 1 }))
        few.forget()
        all.forget()
        await ada.leave(roomId)
        for (let n = 0; n < 60; n++) await mayor.send(roomId, `word ${n}`)
        await ben.leave(roomId)
        await few.next()
        await all.next()
        expect(membersTold(few.told, roomId)).toMatchObject({ [ben.userId]: 'leave' })
        expect(membersTold(all.told, roomId)).toEqual({ [ada.userId]: 'leave', [ben.userId]: 'leave' })
        few.forget()
        await joined(ada, roomId)
        await few.next()
        few.forget()
        await ada.leave(roomId)
        for (let n = 0; n < 60; n++) await mayor.send(roomId, `word ${n}`)
        await few.next()
        expect(membersTold(few.told, roomId)).toEqual({})
        expect(await createMatrixClient(server.url, daemon).joinedMembers(roomId)).not.toContain(ada.userId)
      })

      it('[D1] [M-trap-08] lazily loaded members of a named room are those who speak; joined_members is the list', async () => {
        const { roomId, daemon, mayor, people } = await scene(2, { alias: 'lazy' })
        await mayor.send(roomId, 'good day')
        const filter = withTimeline({ limit: 1 }, { lazy_load_members: true })
        const reader = await read(daemon, filter)
        expect(Object.keys(membersTold(reader.told, roomId)).sort()).toEqual([daemon.userId, mayor.userId].sort())
        const everybody = [daemon.userId, mayor.userId, ...people.map(({ userId }) => userId)]
        expect((await createMatrixClient(server.url, daemon).joinedMembers(roomId)).sort()).toEqual(everybody.sort())
      })

      it('[D1] [M-trap-09] a changed filter with the same token brings what is new, never what the old one left out', async () => {
        const stage = await scene()
        const elsewhere = await stage.mayor.createRoom({})
        const narrow = await read(stage.daemon, {
          ...recommendedFilter,
          room: { ...recommendedFilter.room, rooms: [elsewhere] },
        })
        const late = await person('late')
        await late.join(stage.roomId)
        await narrow.next()
        const answer = await createMatrixClient(server.url, stage.daemon).sync({
          since: narrow.token(),
          filter: recommendedFilter,
          setPresence: 'offline',
          timeoutMs: 0,
        })
        expect(membersTold([answer], stage.roomId)).toEqual({})
      })

      it('[D1] [M-trap-10] a filter of rooms does not trim presence', async () => {
        const stage = await scene()
        const elsewhere = await stage.mayor.createRoom({})
        const reader = await read(stage.daemon, {
          ...recommendedFilter,
          room: { ...recommendedFilter.room, rooms: [elsewhere] },
        })
        await only(stage).setPresence('online')
        await reader.until('presence from a room that is not asked for', (told) =>
          presenceTold(told, only(stage).userId).some(({ presence }) => presence === 'online'),
        )
        expect(joinTold(reader.told, stage.roomId)).toEqual([])
      })
    })

    describe('presence', () => {
      it('[D2] [M-trap-11] who syncs is online unless he says otherwise; the daemon says otherwise and stays offline', async () => {
        const { daemon, mayor, people } = await scene()
        const [ada] = people as [Person]
        await read(daemon)
        await ada.sync({ timeoutMs: 0 })
        expect((await mayor.presenceOf(ada.userId)).presence).toBe('online')
        expect((await mayor.presenceOf(daemon.userId)).presence).toBe('offline')
      })

      it('[D2] [M-trap-12] saying the same again is no news; ages are relative and absent where nobody was ever active', async () => {
        const stage = await scene(2)
        const [ada, ben] = stage.people as [Person, Person]
        const reader = await read(stage.daemon)
        await ada.setPresence('online')
        await ben.setPresence('unavailable')
        await ada.setPresence('online')
        await fence(reader, stage)
        await ada.setPresence('online')
        await fence(reader, stage)
        const [told, ...more] = presenceTold(reader.told, ada.userId)
        expect(more).toEqual([])
        expect(told).toMatchObject({ presence: 'online', currently_active: true })
        expect(told?.['last_active_ago']).toBeGreaterThanOrEqual(0)
        expect(told?.['last_active_ago']).toBeLessThan(60_000)
        expect(presenceTold(reader.told, ben.userId)).toEqual([{ presence: 'unavailable' }])
      })

      it('[D2] [M-trap-12] a message brings back who is away, and tells of an offline person once more that he is offline', async () => {
        const stage = await scene(2)
        const [away, absent] = stage.people as [Person, Person]
        await away.setPresence('unavailable')
        const reader = await read(stage.daemon)
        reader.forget()
        await away.send(stage.roomId, 'good day')
        await absent.send(stage.roomId, 'good day')
        await fence(reader, stage)
        expect(presenceTold(reader.told, away.userId).at(-1)).toMatchObject({ presence: 'online' })
        const told = presenceTold(reader.told, absent.userId)
        expect(new Set(told.map(({ presence }) => presence))).toEqual(new Set(['offline']))
        expect(told.at(-1)).toHaveProperty('last_active_ago')
      })

      it('[D2] [M-trap-13] a first sync leaves out who is offline, an increment tells of it, and full_state lists everybody', async () => {
        const stage = await scene(2)
        const [ada, ben] = stage.people as [Person, Person]
        await ada.setPresence('online')
        await ben.setPresence('online')
        await ben.setPresence('offline')
        const reader = await read(stage.daemon)
        expect(presenceTold(reader.told, ada.userId)).toMatchObject([{ presence: 'online' }])
        expect(presenceTold(reader.told, ben.userId)).toEqual([])
        reader.forget()
        await ada.setPresence('offline')
        await reader.until('somebody going offline', (told) => presenceTold(told, ada.userId).length > 0)
        expect(presenceTold(reader.told, ada.userId)).toMatchObject([{ presence: 'offline' }])
        const { client } = reader
        const whole = await client.sync({
          since: reader.token(),
          fullState: true,
          setPresence: 'offline',
          timeoutMs: 0,
        })
        expect([ada, ben].map(({ userId }) => presenceTold([whole], userId)[0]?.['presence'])).toEqual([
          'offline',
          'offline',
        ])
      })

      it('[D2] [M-trap-14] when the last shared room goes nobody is told, then nothing comes, and asking is forbidden', async () => {
        const stage = await scene()
        const ada = only(stage)
        await ada.setPresence('online')
        const reader = await read(stage.daemon)
        reader.forget()
        await ada.leave(stage.roomId)
        await ada.setPresence('unavailable')
        await ada.setPresence('online')
        await fence(reader, stage)
        expect(membersTold(reader.told, stage.roomId)).toMatchObject({ [ada.userId]: 'leave' })
        expect(presenceTold(reader.told, ada.userId)).toEqual([])
        const ask = (userId: string) =>
          askRaw(server.url, stage.daemon, `/presence/${encodeURIComponent(userId)}/status`)
        const refused = {
          status: 403,
          body: { errcode: 'M_FORBIDDEN', error: 'You are not allowed to see their presence.' },
        }
        expect(await ask(ada.userId)).toMatchObject(refused)
        expect(await ask(`@nobody:${server.serverName}`)).toMatchObject(refused)
      })

      it("[D2] [M-trap-16] the daemon's own presence is told once it is not offline, and never while it says offline", async () => {
        const stage = await scene()
        const reader = await read(stage.daemon)
        await fence(reader, stage)
        expect(presenceTold(reader.told, stage.daemon.userId)).toEqual([])
        await reader.client.setPresence('online')
        await reader.until('the own presence', (told) => presenceTold(told, stage.daemon.userId).length > 0)
      })

      it('[D2] [M-trap-18] a state that the server does not know is refused', async () => {
        const { people } = await scene()
        const [ada] = people as [Person]
        const put = (presence: string) =>
          askRaw(server.url, ada, `/presence/${encodeURIComponent(ada.userId)}/status`, {
            method: 'PUT',
            body: { presence },
          })
        const refused = { status: 400, body: { errcode: 'M_UNKNOWN', error: 'Invalid presence state' } }
        expect(await put('org.matrix.msc3026.busy')).toMatchObject(refused)
        expect(await put('bogus')).toMatchObject(refused)
        expect(await put('unavailable')).toMatchObject({ status: 200, body: {} })
      })

      it('[D2] [M-trap-32] event_fields cuts room events and leaves presence and typing whole', async () => {
        const stage = await scene()
        const ada = only(stage)
        const reader = await read(stage.daemon)
        reader.forget()
        await ada.setPresence('online', 'in the market')
        await ada.typing(stage.roomId, true)
        await ada.send(stage.roomId, 'a secret')
        await reader.until(
          'all three',
          (told) => typingTold(told, stage.roomId).length > 0 && timelineTold(told, stage.roomId).length > 0,
        )
        await fence(reader, stage)
        expect(JSON.stringify(reader.told)).not.toContain('a secret')
        const [message] = timelineTold(reader.told, stage.roomId)
        expect(message).toMatchObject({ type: 'm.room.message', sender: ada.userId })
        expect(message).not.toHaveProperty('content')
        expect(presenceTold(reader.told, ada.userId)[0]).toMatchObject({ status_msg: 'in the market' })
        expect(typingTold(reader.told, stage.roomId)[0]).toEqual([ada.userId])
      })
    })

    describe('typing', () => {
      it('[D3] [M-trap-22] each event is the whole list: it grows, shrinks, and is empty when nobody types', async () => {
        const { roomId, daemon, people } = await scene(2)
        const [ada, ben] = people as [Person, Person]
        const reader = await read(daemon)
        const seen = async (expected: readonly string[]): Promise<void> =>
          reader.until(
            `typing of ${expected.length}`,
            (told) => String(typingTold(told, roomId).at(-1)) === String([...expected].sort()),
          )
        await ada.typing(roomId, true)
        await seen([ada.userId])
        await ben.typing(roomId, true)
        await seen([ada.userId, ben.userId])
        await ada.typing(roomId, false)
        await seen([ben.userId])
        await ben.leave(roomId)
        await reader.until('nobody typing after the leave', (told) => typingTold(told, roomId).at(-1)?.length === 0)
      })

      it('[D3] [M-trap-22] typing that is not said again ends with an empty list, and a message does not end it', async () => {
        const stage = await scene()
        const { roomId, daemon } = stage
        const ada = only(stage)
        const reader = await read(daemon)
        await ada.typing(roomId, true, 30_000)
        await ada.send(roomId, 'good day')
        await fence(reader, stage)
        expect(typingTold(reader.told, roomId)).toEqual([[ada.userId]])
        await ada.typing(roomId, true, 1_000)
        await reader.until('the end of typing', (told) => typingTold(told, roomId).at(-1)?.length === 0)
      })

      it('[D3] [M-trap-22] somebody types in a first sync, the daemon too, and nobody needs to be online for it', async () => {
        const stage = await scene()
        const ada = only(stage)
        await ada.typing(stage.roomId, true)
        const daemon = createMatrixClient(server.url, stage.daemon)
        await daemon.typing(stage.roomId, true)
        const reader = await read(stage.daemon)
        expect(typingTold(reader.told, stage.roomId)).toEqual([[ada.userId, daemon.userId].sort()])
        expect((await stage.mayor.presenceOf(ada.userId)).presence).toBe('offline')
      })

      it('[D3] [M-trap-23] going on typing is no news, so a long typist is told of once', async () => {
        const stage = await scene()
        const ada = only(stage)
        // Who was never active is told of as offline once more when he types; that is not looked at here.
        await ada.setPresence('online')
        const reader = await read(stage.daemon)
        await ada.typing(stage.roomId, true)
        await reader.until('typing', (told) => typingTold(told, stage.roomId).length > 0)
        await fence(reader, stage)
        const before = reader.token()
        await ada.typing(stage.roomId, true)
        await reader.next()
        expect(reader.token()).toBe(before)
        expect(typingTold(reader.told, stage.roomId)).toHaveLength(1)
      })
    })

    describe('tokens, polls and refusals', () => {
      it('[D4] [M-trap-27] no token, a foreign one and one that was logged out are told apart from a server in trouble', async () => {
        const { people } = await scene()
        const [ada] = people as [Person]
        expect(await askRaw(server.url, undefined, '/sync')).toMatchObject({
          status: 401,
          body: { errcode: 'M_MISSING_TOKEN' },
        })
        const gone = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false } }
        expect(await askRaw(server.url, { accessToken: 'syt_nobody' }, '/sync')).toMatchObject(gone)
        await ada.logout()
        expect(await askRaw(server.url, ada, '/sync')).toMatchObject(gone)
      })

      it('[D4] [M-trap-28] the same question gets the same answer although there is news; another timeout gets the news', async () => {
        const stage = await scene()
        const ada = only(stage)
        const reader = await read(stage.daemon)
        const since = reader.token()
        const ask = (timeoutMs: number) =>
          reader.client.sync({ since, filter: recommendedFilter, setPresence: 'offline', timeoutMs })
        await ada.setPresence('online')
        const first = await ask(1_001)
        await ada.setPresence('unavailable')
        const again = await ask(1_001)
        expect(again.next_batch).toBe(first.next_batch)
        expect(presenceTold([again], ada.userId)).toMatchObject([{ presence: 'online' }])
        // What is as old as the moment of sending, and so the only difference.
        const ageOf = (answer: SyncAnswer) => Number(presenceTold([answer], ada.userId)[0]?.['last_active_ago'])
        expect(ageOf(again)).toBeGreaterThanOrEqual(ageOf(first))
        expect(presenceTold([await ask(1_002)], ada.userId)).toMatchObject([{ presence: 'unavailable' }])
      })

      it('[D4] [M-trap-28] a first sync that is repeated is answered from memory too', async () => {
        const stage = await scene()
        const ask = (timeoutMs: number) =>
          createMatrixClient(server.url, stage.daemon).sync({
            filter: recommendedFilter,
            setPresence: 'offline',
            timeoutMs,
          })
        const first = await ask(7)
        await only(stage).setPresence('online')
        expect(presenceTold([await ask(7)], only(stage).userId)).toEqual([])
        expect((await ask(7)).next_batch).toBe(first.next_batch)
        expect(presenceTold([await ask(8)], only(stage).userId)).toMatchObject([{ presence: 'online' }])
      })

      it('[D4] [M-trap-28] a token that is none is refused at once; a short one and one from the future pass in silence', async () => {
        const { daemon } = await scene(0)
        const ask = (since: string) =>
          askRaw(server.url, daemon, `/sync?set_presence=offline&since=${encodeURIComponent(since)}`)
        const refused = { status: 400, body: { errcode: 'M_UNKNOWN', error: 'Invalid stream token' } }
        for (const token of ['x', '', 't1_2']) expect(await ask(token)).toMatchObject(refused)
        const { body } = await ask('s1')
        const future = (body as { next_batch: string }).next_batch.replace(/^s\d+_\d+/, 's99999999_99999999')
        expect(await ask(`${future}_9`)).toMatchObject(refused)
        for (const token of ['s1', 's1_2', future]) expect(await ask(token)).toMatchObject({ status: 200 })
      })

      it('[D4] nothing changed: the token of the question comes back, and neither rooms nor presence', async () => {
        const { daemon } = await scene(0)
        const reader = await read(daemon)
        // The reader's own joins may still ride on the answer after the first.
        await reader.next()
        const before = reader.token()
        const answer = await reader.next(50)
        expect(answer.next_batch).toBe(before)
        expect(Object.keys(answer)).not.toContain('rooms')
        expect(Object.keys(answer)).not.toContain('presence')
      })

      it('[D4] news ends a poll before its time', async () => {
        const stage = await scene()
        const reader = await read(stage.daemon)
        const poll = reader.next(30_000)
        await only(stage).setPresence('online')
        expect(presenceTold([await poll], only(stage).userId)).toMatchObject([{ presence: 'online' }])
      })

      it('[D4] a login of somebody in the room ends a poll with nothing of interest, whatever the filter says', async () => {
        const stage = await scene()
        const reader = await read(stage.daemon)
        await reader.next()
        const before = reader.token()
        const poll = reader.next(30_000)
        await server.logIn(only(stage).userId)
        const answer = await poll
        expect([answer.rooms, answer.presence]).toEqual([undefined, undefined])
        expect(answer.next_batch).not.toBe(before)
      })

      it('[D4] a stored filter has one id for one content; an unknown one and broken JSON are refused', async () => {
        const { daemon } = await scene(0)
        const store = (body: unknown) =>
          askRaw(server.url, daemon, `/user/${encodeURIComponent(daemon.userId)}/filter`, { method: 'POST', body })
        const first = (await store(recommendedFilter)).body as { filter_id: string }
        expect((await store(recommendedFilter)).body).toEqual(first)
        expect((await store(seedFilter)).body).not.toEqual(first)
        expect(await askRaw(server.url, daemon, `/sync?filter=${first.filter_id}`)).toMatchObject({ status: 200 })
        expect(await askRaw(server.url, daemon, '/sync?filter=9999')).toMatchObject({
          status: 400,
          body: { errcode: 'M_INVALID_PARAM' },
        })
        expect(await askRaw(server.url, daemon, '/sync?filter=%7B')).toMatchObject({
          status: 400,
          body: { errcode: 'M_NOT_JSON' },
        })
      })
    })

    describe('rooms', () => {
      it("[D5] [M-trap-30] a kick is told under leave with the working filter, and not at all with the seed's", async () => {
        const stage = await scene()
        const { roomId, daemon, mayor } = stage
        const elsewhere = await mayor.createRoom({})
        await createMatrixClient(server.url, daemon).join(elsewhere)
        const [good, seed] = [await read(daemon), await read(daemon, seedFilter)]
        good.forget()
        seed.forget()
        await mayor.kick(roomId, daemon.userId)
        await fence(good, stage)
        await fence(seed, stage)
        expect(membersTold(good.told, roomId)).toMatchObject({ [daemon.userId]: 'leave' })
        expect(leaveTold(good.told, roomId)).toHaveLength(1)
        expect([...leaveTold(seed.told, roomId), ...joinTold(seed.told, roomId)]).toEqual([])
        expect(await good.client.joinedRooms()).toEqual([elsewhere])
        expect(await askRaw(server.url, daemon, `/rooms/${encodeURIComponent(roomId)}/joined_members`)).toMatchObject({
          status: 403,
          body: { errcode: 'M_FORBIDDEN' },
        })
      })

      it('[D5] [M-trap-30] any first sync lists the rooms one was kicked from, and not those one left', async () => {
        const { roomId, daemon, mayor } = await scene()
        const left = await mayor.createRoom({})
        const client = createMatrixClient(server.url, daemon)
        await client.join(left)
        await client.leave(left)
        await mayor.kick(roomId, daemon.userId)
        for (const filter of [recommendedFilter, seedFilter]) {
          const reader = await read(daemon, filter)
          expect(leaveTold(reader.told, roomId)).toHaveLength(1)
          expect(leaveTold(reader.told, left)).toEqual([])
        }
      })

      it('[D5] [M-trap-30] after a ban, an unban and a new join, state and presence come whole', async () => {
        const stage = await scene()
        const { roomId, daemon, mayor } = stage
        const ada = only(stage)
        await ada.setPresence('online')
        const reader = await read(daemon)
        reader.forget()
        await mayor.ban(roomId, daemon.userId)
        await reader.until('the ban', (told) => membersTold(told, roomId)[daemon.userId] === 'ban')
        expect(
          await askRaw(server.url, daemon, `/join/${encodeURIComponent(roomId)}`, { method: 'POST', body: {} }),
        ).toMatchObject({ status: 403 })
        await mayor.unban(roomId, daemon.userId)
        await reader.until('the unban', (told) => membersTold(told, roomId)[daemon.userId] === 'leave')
        reader.forget()
        await reader.client.join(roomId)
        await reader.until('the room', (told) => joinTold(told, roomId).length > 0)
        expect(membersTold(reader.told, roomId)).toMatchObject({
          [ada.userId]: 'join',
          [mayor.userId]: 'join',
          [daemon.userId]: 'join',
        })
        expect(presenceTold(reader.told, ada.userId)).toMatchObject([{ presence: 'online' }])
      })

      it('[D5] [M-trap-29] an upgrade is a tombstone with its replacement; the daemon stays where it was, the alias moves', async () => {
        const alias = `upgraded${++people}`
        const { roomId, daemon, mayor } = await scene(0, { alias })
        const reader = await read(daemon)
        const replacement = await mayor.upgradeRoom(roomId, '12')
        await reader.until('the tombstone', (told) =>
          timelineTold(told, roomId).some(({ type }) => type === 'm.room.tombstone'),
        )
        const tombstone = timelineTold(reader.told, roomId).find(({ type }) => type === 'm.room.tombstone')
        expect(tombstone).toMatchObject({ sender: mayor.userId, content: { replacement_room: replacement } })
        expect(await reader.client.joinedRooms()).toEqual([roomId])
        expect(await reader.client.resolveAlias(`#${alias}:${server.serverName}`)).toBe(replacement)
      })

      it('[D5] [M-trap-29] a plain alias moves by delete and put, and no event tells of it', async () => {
        const stage = await scene()
        const { roomId, daemon, mayor } = stage
        const alias = `#plain${++people}:${server.serverName}`
        await mayor.setAlias(alias, roomId)
        const elsewhere = await mayor.createRoom({})
        const reader = await read(daemon)
        reader.forget()
        await expect(mayor.setAlias(alias, elsewhere)).rejects.toMatchObject({ status: 409 })
        await mayor.deleteAlias(alias)
        await expect(reader.client.resolveAlias(alias)).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' })
        await mayor.setAlias(alias, elsewhere)
        await fence(reader, stage)
        expect(joinTold(reader.told, roomId)).toEqual([])
        expect(await reader.client.resolveAlias(alias)).toBe(elsewhere)
      })

      it('[D5] room ids of today have no server in them, those of yesterday have; whoever is outside sees no members', async () => {
        const today = await scene(0)
        const yesterday = await scene(0, { roomVersion: '11' })
        expect(today.roomId).toMatch(/^![^:]{43}$/)
        expect(yesterday.roomId).toMatch(new RegExp(`^![^:]+:${server.serverName}$`))
        const filter = { ...recommendedFilter, room: { ...recommendedFilter.room, rooms: [today.roomId] } }
        const reader = await read(today.daemon, filter)
        expect(joinTold(reader.told, today.roomId)).toHaveLength(1)
        const { body } = await askRaw(
          server.url,
          today.daemon,
          `/rooms/${encodeURIComponent(today.roomId)}/joined_members`,
        )
        expect(body).toMatchObject({
          joined: {
            [today.mayor.userId]: { avatar_url: null, display_name: today.mayor.userId.slice(1).split(':')[0] },
          },
        })
      })

      it('[D5] who is invited is told under invite, and a room that is not public wants an invitation', async () => {
        const { daemon, mayor } = await scene(0)
        const roomId = await mayor.createRoom({ preset: 'private_chat' })
        const reader = await read(daemon)
        await expect(reader.client.join(roomId)).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' })
        await mayor.invite(roomId, daemon.userId)
        await reader.until('the invitation', (told) => told.some(({ rooms }) => rooms?.invite?.[roomId] !== undefined))
        expect(await reader.client.join(roomId)).toBe(roomId)
      })

      it('[D5] a room nobody knows cannot be joined, an alias nobody knows is not found', async () => {
        const { daemon } = await scene(0)
        const client = createMatrixClient(server.url, daemon)
        await expect(client.join('!nowhere')).rejects.toMatchObject({ status: 400 })
        for (const roomId of [`!nowhere:${server.serverName}`, `!${'a'.repeat(43)}`])
          await expect(client.join(roomId)).rejects.toMatchObject({ status: 404, errcode: 'M_UNKNOWN' })
        await expect(client.join(`#nowhere:${server.serverName}`)).rejects.toMatchObject({
          status: 404,
          errcode: 'M_NOT_FOUND',
        })
      })
    })

    // Each of these starts the server anew; they come last, because the last one leaves it with a limit.
    describe('a restart', () => {
      it('[D6] [M-trap-24] latches typing for an old token: neither its end is told nor what comes before the next answer, and later typing is', async () => {
        const stage = await scene(2)
        const [ada, ben] = stage.people as [Person, Person]
        const reader = await read(stage.daemon)
        for (const one of [ada, ben]) await one.typing(stage.roomId, true)
        await reader.until('both typing', (told) => typingTold(told, stage.roomId).at(-1)?.length === 2)
        reader.forget()
        await server.restart()
        // Typed before the reader's first question after the restart: skipped as well, because the numbers begin again.
        await ada.typing(stage.roomId, true)
        await fence(reader, stage)
        expect(typingTold(reader.told, stage.roomId)).toEqual([])
        expect(typingTold((await read(stage.daemon)).told, stage.roomId)).toEqual([[ada.userId]])
        await ben.typing(stage.roomId, true)
        await reader.until('typing after the restart', (told) => typingTold(told, stage.roomId).at(-1)?.length === 2)
      })

      it('[D6] [M-trap-13] keeps presence and tokens: an old token goes on with what was missed', async () => {
        const stage = await scene()
        const ada = only(stage)
        await ada.setPresence('online')
        const reader = await read(stage.daemon)
        reader.forget()
        await ada.setPresence('unavailable')
        await server.restart()
        await reader.until('what was missed', (told) =>
          presenceTold(told, ada.userId).some(({ presence }) => presence === 'unavailable'),
        )
        expect((await stage.mayor.presenceOf(ada.userId)).presence).toBe('unavailable')
      })

      it('[D6] [M-trap-17] without presence looks like a city that went home, then like one that was never there', async () => {
        const stage = await scene()
        const ada = only(stage)
        await ada.setPresence('online')
        const reader = await read(stage.daemon)
        reader.forget()
        await server.restartWithPresence(false)
        await reader.until('the leftovers', (told) =>
          presenceTold(told, ada.userId).some(({ presence }) => presence === 'offline'),
        )
        await ada.setPresence('online')
        expect((await ada.presenceOf(ada.userId)).presence).toBe('offline')
        const fresh = await read(stage.daemon)
        await ada.typing(stage.roomId, true)
        await fresh.until('typing without presence', (told) => typingTold(told, stage.roomId).length > 0)
        expect(fresh.told.map(({ presence }) => presence)).toEqual(fresh.told.map(() => undefined))
        await server.restartWithPresence(true)
        await ada.setPresence('online')
        expect((await ada.presenceOf(ada.userId)).presence).toBe('online')
      })

      it('[D6] [M-trap-17] of a room out of presence nobody is told, asking for who is only there is forbidden, and the list goes on', async () => {
        const stage = await scene(2)
        const [ada, ben] = stage.people as [Person, Person]
        const other = await stage.mayor.createRoom({})
        for (const one of [stage.daemon, ben]) await createMatrixClient(server.url, one).join(other)
        await server.restartBlindIn([stage.roomId])
        const reader = await read(stage.daemon)
        reader.forget()
        await ada.setPresence('online')
        await fence(reader, stage)
        expect(presenceTold(reader.told, ada.userId)).toEqual([])
        const statusOf = async (userId: string) =>
          (await askRaw(server.url, stage.daemon, `/presence/${encodeURIComponent(userId)}/status`)).status
        expect(await Promise.all([ada, ben, stage.mayor, stage.daemon].map(({ userId }) => statusOf(userId)))).toEqual([
          403, 200, 200, 200,
        ])
        expect(await reader.client.joinedMembers(stage.roomId)).toContain(ada.userId)
        await server.restartBlindIn([])
        expect(await statusOf(ada.userId)).toBe(200)
      })

      it('[D6] [M-trap-26] one join too many is 429 with both ways to say how long', async () => {
        const { mayor } = await scene(0)
        const roomIds = [await mayor.createRoom({}), await mayor.createRoom({})]
        const late = await person('late')
        await server.limitJoins()
        const join = (roomId: string | undefined) =>
          askRaw(server.url, late, `/join/${encodeURIComponent(roomId ?? '')}`, { method: 'POST', body: {} })
        expect((await join(roomIds[0])).status).toBe(200)
        const refused = await join(roomIds[1])
        expect(refused).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } })
        const { retry_after_ms } = refused.body as { retry_after_ms: number }
        expect(retry_after_ms).toBeGreaterThan(0)
        expect(Number(refused.headers.get('retry-after')) * 1000).toBeGreaterThanOrEqual(retry_after_ms)
        // Being in a room already costs nothing.
        expect((await join(roomIds[0])).status).toBe(200)
      })
    })
  })
}
