// What only the double can do: faults, sessions that end, limits, a clock that is turned by hand.
import { createMatrixClient, MatrixFailure } from '@citypresence/stack/matrix-client'
import { until } from '@citypresence/stack/until'
import { afterEach, describe, expect, it } from 'vitest'
import { startHomeserver, type Homeserver, type HomeserverOptions } from '../homeserver.ts'
import type { Fault } from './faults.ts'
import { keptAnswerMs } from './polls.ts'

const running: Homeserver[] = []
afterEach(() => Promise.all(running.splice(0).map((homeserver) => homeserver.stop())))

const start = async (options?: HomeserverOptions): Promise<Homeserver> => {
  const homeserver = await startHomeserver(options)
  running.push(homeserver)
  return homeserver
}

/** A clock whose timers run when they are told to. */
function handClock() {
  let nowMs = 1_000_000
  const timers = new Set<{ dueMs: number; run: () => void }>()
  return {
    wallMs: () => nowMs,
    after(ms: number, run: () => void) {
      const timer = { dueMs: nowMs + ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    turn(ms: number) {
      nowMs += ms
      for (const timer of [...timers]) if (timer.dueMs <= nowMs && timers.delete(timer)) timer.run()
    },
  }
}

describe('a fault', () => {
  const ask = async (fault: Fault, options: { headersOnly?: boolean } = {}) => {
    const homeserver = await start()
    const { accessToken } = homeserver.account('ada')
    homeserver.fault({ path: /^\/sync$/, times: 1, fault })
    const control = new AbortController()
    const answer = await fetch(`${homeserver.url}/_matrix/client/v3/sync`, {
      headers: { authorization: `Bearer ${accessToken}` },
      signal: control.signal,
    })
    const text = options.headersOnly === true ? '' : await answer.text()
    return { homeserver, answer, text, giveUp: () => control.abort() }
  }

  it('[D9] refuses with any status, body and headers', async () => {
    const { answer, text } = await ask({
      kind: 'status',
      status: 503,
      body: { errcode: 'M_X' },
      headers: { 'x-way': 'proxy' },
    })
    expect([answer.status, answer.headers.get('x-way'), text]).toEqual([503, 'proxy', '{"errcode":"M_X"}'])
  })

  it('[D9] limits with both, one or none of the ways to say how long', async () => {
    const both = await ask({ kind: 'rate-limited', retryAfterHeader: '7', retryAfterMs: 6_500 })
    expect([both.answer.status, both.answer.headers.get('retry-after')]).toEqual([429, '7'])
    expect(JSON.parse(both.text)).toEqual({
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too Many Requests',
      retry_after_ms: 6_500,
    })
    const none = await ask({ kind: 'rate-limited' })
    expect([none.answer.headers.get('retry-after'), none.text.includes('retry_after_ms')]).toEqual([null, false])
  })

  it('[D9] answers with a page of a proxy, or with any bytes', async () => {
    expect((await ask({ kind: 'html' })).answer).toMatchObject({ status: 502 })
    expect((await ask({ kind: 'bytes', body: 'not json' })).text).toBe('not json')
  })

  it('[D9] ends the connection, before the answer or in its middle', async () => {
    await expect(ask({ kind: 'reset' })).rejects.toThrow('fetch failed')
    await expect(ask({ kind: 'truncated' })).rejects.toThrow('terminated')
    const { text } = await ask({ kind: 'truncated', politely: true })
    expect(text).toMatch(/^\{"next_batch"/)
    expect(() => JSON.parse(text) as unknown).toThrow()
  })

  it('[D9] says nothing at all, or nothing after the headers', async () => {
    const stalled = await ask({ kind: 'stalled' }, { headersOnly: true })
    expect(stalled.answer.status).toBe(200)
    const body = stalled.answer.text()
    stalled.giveUp()
    await expect(body).rejects.toThrow('aborted')
    const homeserver = await start()
    homeserver.fault({ fault: { kind: 'silent' } })
    const control = new AbortController()
    const silent = fetch(`${homeserver.url}/_matrix/client/versions`, { signal: control.signal })
    await until(() => homeserver.requests.at(-1)?.fault === 'silent', { deadlineMs: 5_000, what: 'the request' })
    control.abort()
    await expect(silent).rejects.toThrow('aborted')
  })

  it('[D9] drips the right answer a byte at a time, gives it packed, later, or changed', async () => {
    for (const fault of [
      { kind: 'dripping', everyMs: 0 },
      { kind: 'gzipped' },
      { kind: 'delayed', delayMs: 1 },
    ] satisfies Fault[]) {
      const { answer, text } = await ask(fault)
      expect(answer.headers.get('content-encoding')).toBe(fault.kind === 'gzipped' ? 'gzip' : null)
      expect(JSON.parse(text)).toHaveProperty('next_batch')
    }
    const { text } = await ask({ kind: 'rewritten', rewrite: (body) => ({ ...(body as object), next_batch: 7 }) })
    expect(JSON.parse(text)).toMatchObject({ next_batch: 7 })
  })

  it('[D9] pours as many bytes as told, plain or from a small bomb, and stops when nobody reads any more', async () => {
    const bytes = 3 * 65_536
    expect((await ask({ kind: 'huge', bytes })).text.startsWith('x')).toBe(true)
    const bomb = await ask({ kind: 'gzip-bomb', bytes })
    expect(bomb.text).toBe(' '.repeat(bytes))
    for (const kind of ['huge', 'gzip-bomb'] as const) {
      const endless = await ask({ kind, bytes: 1e15 }, { headersOnly: true })
      endless.giveUp()
      // Whoever still poured would keep this from ending.
      await endless.homeserver.stop()
      running.splice(running.indexOf(endless.homeserver), 1)
    }
  })

  it('[D10] meets the requests that match, as often as told, and ends when told; the first rule counts', async () => {
    const homeserver = await start()
    const ada = createMatrixClient(homeserver.url, homeserver.account('ada'))
    const end = homeserver.fault({ method: 'GET', path: /^\/joined_rooms/, fault: { kind: 'status', status: 500 } })
    homeserver.fault({ path: /^\/joined_rooms/, fault: { kind: 'status', status: 418 } })
    homeserver.fault({ method: 'POST', path: /^\/createRoom/, times: 1, fault: { kind: 'status', status: 500 } })
    const statusOf = (call: Promise<unknown>) =>
      call.then(
        () => 200,
        (error: unknown) => (error as MatrixFailure).status,
      )
    expect(await statusOf(ada.joinedRooms())).toBe(500)
    expect(await statusOf(ada.joinedRooms())).toBe(500)
    end()
    expect(await statusOf(ada.joinedRooms())).toBe(418)
    expect(await statusOf(ada.createRoom({}))).toBe(500)
    expect(await statusOf(ada.createRoom({}))).toBe(200)
    const [first] = homeserver.requests
    expect(first).toMatchObject({ method: 'GET', path: '/joined_rooms', fault: 'status' })
    expect(homeserver.requests.map(({ fault }) => fault)).toEqual(['status', 'status', 'status', 'status', undefined])
  })
})

describe('a session', () => {
  it('[D10] ends in each way of Matrix, and lives again', async () => {
    const homeserver = await start()
    const account = homeserver.account('daemon')
    const daemon = createMatrixClient(homeserver.url, account)
    const roomId = homeserver.script.createRoom()
    const refusalOf = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      return error instanceof MatrixFailure ? `${error.status} ${error.errcode}` : 'none'
    }
    const sync = () => daemon.sync({ setPresence: 'offline', timeoutMs: 0 })
    const states = ['unknown', 'soft', 'locked', 'suspended', 'live'] as const
    const seen: string[][] = []
    for (const state of states) {
      homeserver.setSession(account.userId, state)
      seen.push([await refusalOf(sync()), await refusalOf(daemon.join(roomId))])
    }
    expect(seen).toEqual([
      ['401 M_UNKNOWN_TOKEN', '401 M_UNKNOWN_TOKEN'],
      ['401 M_UNKNOWN_TOKEN', '401 M_UNKNOWN_TOKEN'],
      ['401 M_USER_LOCKED', '401 M_USER_LOCKED'],
      ['none', '403 M_USER_SUSPENDED'],
      ['none', 'none'],
    ])
    homeserver.setSession(account.userId, 'unknown')
    const fresh = createMatrixClient(homeserver.url, homeserver.account('daemon'))
    expect(await fresh.joinedRooms()).toEqual([roomId])
  })
})

describe('with a clock turned by hand', () => {
  const city = async () => {
    const clock = handClock()
    const homeserver = await start({ clock })
    const daemon = homeserver.account('daemon')
    const ada = homeserver.account('ada')
    const roomId = homeserver.script.createRoom({ members: [daemon.userId, ada.userId] })
    const client = createMatrixClient(homeserver.url, daemon)
    const sync = (since: string | undefined, timeoutMs: number) =>
      client.sync({ setPresence: 'offline', timeoutMs, ...(since !== undefined && { since }) })
    const { next_batch: since } = await sync(undefined, 0)
    const held = () => until(() => homeserver.waitingPolls() === 1, { deadlineMs: 5_000, what: 'the poll' })
    return { clock, homeserver, ada, roomId, sync, since, held }
  }

  it('[D11] a poll ends when its time is up, with its own token, and an act of the script ends it before', async () => {
    const { clock, homeserver, ada, sync, since, held } = await city()
    const empty = sync(since, 30_000)
    await held()
    clock.turn(29_999)
    expect(homeserver.waitingPolls()).toBe(1)
    clock.turn(1)
    expect((await empty).next_batch).toBe(since)
    const news = sync(since, 30_001)
    await held()
    homeserver.script.presence(ada.userId, 'online')
    expect((await news).presence?.events).toMatchObject([{ sender: ada.userId, content: { presence: 'online' } }])
    expect(homeserver.waitingPolls()).toBe(0)
  })

  it('[D11] the same question is answered from memory for two minutes and then anew; an empty answer is not kept', async () => {
    const { clock, homeserver, ada, sync, since } = await city()
    homeserver.script.presence(ada.userId, 'online')
    const first = await sync(since, 10)
    homeserver.script.presence(ada.userId, 'unavailable')
    clock.turn(keptAnswerMs - 1)
    expect((await sync(since, 10)).next_batch).toBe(first.next_batch)
    clock.turn(1)
    const anew = await sync(since, 10)
    expect(anew.next_batch).not.toBe(first.next_batch)
    expect((await sync(anew.next_batch, 0)).next_batch).toBe(anew.next_batch)
    homeserver.script.presence(ada.userId, 'offline')
    expect((await sync(anew.next_batch, 0)).next_batch).not.toBe(anew.next_batch)
  })

  it('[D11] typing ends when its time is up and not before, saying it again begins the time anew, two minutes are the most', async () => {
    const { clock, homeserver, ada, roomId, since, sync, held } = await city()
    const client = createMatrixClient(homeserver.url, ada)
    const typists = (answer: Awaited<ReturnType<typeof sync>>) =>
      answer.rooms?.join?.[roomId]?.ephemeral?.events?.[0]?.content?.['user_ids']
    await client.typing(roomId, true, 10_000)
    clock.turn(9_000)
    await client.typing(roomId, true, 600_000)
    const told = await sync(since, 1)
    expect(typists(told)).toEqual([ada.userId])
    const end = sync(told.next_batch, 999_999)
    await held()
    clock.turn(119_999)
    expect(homeserver.waitingPolls()).toBe(1)
    clock.turn(1)
    expect(typists(await end)).toEqual([])
  })

  it('[D11] unchanged presence is told once more when the script says so, and wakes nobody', async () => {
    const { homeserver, ada, clock, sync, since, held } = await city()
    homeserver.script.presence(ada.userId, 'online')
    const told = await sync(since, 1)
    const poll = sync(told.next_batch, 5_000)
    await held()
    homeserver.repeatPresence()
    expect(homeserver.waitingPolls()).toBe(1)
    clock.turn(5_000)
    expect((await poll).presence?.events).toMatchObject([{ sender: ada.userId, content: { last_active_ago: 5_000 } }])
  })

  it('[D11] a room can be purged without a word, be blind for presence, and a login wakes a poll with nothing of interest', async () => {
    const { homeserver, ada, roomId, sync, since, held } = await city()
    const blind = homeserver.script.createRoom({
      members: ['@daemon:test.local', homeserver.account('ben').userId],
      blind: true,
    })
    homeserver.script.presence('@ben:test.local', 'online')
    const told = await sync(since, 1)
    expect(Object.keys(told.rooms?.join ?? {})).toEqual([blind])
    expect(told.presence).toBeUndefined()
    const poll = sync(told.next_batch, 9_000)
    await held()
    homeserver.script.deviceListChanged(ada.userId)
    const woken = await poll
    expect([woken.rooms, woken.presence]).toEqual([undefined, undefined])
    homeserver.script.purge(roomId)
    expect((await sync(woken.next_batch, 0)).rooms).toBeUndefined()
  })

  it('[D11] joins beyond the limit are refused, and allowed again after the time that was told', async () => {
    const { homeserver, clock } = await city()
    homeserver.limitJoins({ burst: 2, perSecond: 0.1 })
    const late = createMatrixClient(homeserver.url, homeserver.account('late'))
    const rooms = [
      homeserver.script.createRoom(),
      homeserver.script.createRoom(),
      homeserver.script.createRoom(),
    ] as const
    await late.join(rooms[0])
    await late.join(rooms[1])
    await expect(late.join(rooms[2])).rejects.toMatchObject({ status: 429, retryAfterMs: 10_000 })
    clock.turn(9_999)
    await expect(late.join(rooms[2])).rejects.toMatchObject({ status: 429, retryAfterMs: 1 })
    clock.turn(1)
    await late.join(rooms[2])
    homeserver.limitJoins(undefined)
    await late.join(homeserver.script.createRoom())
  })
})
