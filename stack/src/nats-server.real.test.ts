// The real nats-server as every test gets it: the rights of the two accounts, restarts, and the old one for the refusal.
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NatsUser } from './nats-config.ts'
import { startNats, type NatsServer } from './nats-server.ts'
import { isAlive, StartFailure } from './process.ts'
import { stopAll } from './stop-all.ts'
import { until } from './until.ts'

const open = (server: NatsServer, { user, pass }: NatsUser): Promise<NatsConnection> =>
  connect({
    servers: server.url,
    user,
    pass,
    inboxPrefix: `_INBOX_${user}`,
    ignoreAuthErrorAbort: true,
    reconnect: false,
  })

const roomStream = {
  name: 'CITY_PRESENCE',
  subjects: ['ingest.city.presence.room.>', 'ingest.city.presence.epoch', 'ingest.city.presence.beat'],
  subject_transform: { src: 'ingest.city.presence.>', dest: 'city.presence.>' },
  republish: { src: 'city.presence.>', dest: 'city.presence.>' },
  max_msgs_per_subject: 1,
  allow_direct: true,
}
const userStream = {
  name: 'CITY_PRESENCE_USERS',
  subjects: ['ingest.city.presence.user.>', 'ingest.city.presence.uepoch'],
  subject_transform: { src: 'ingest.city.presence.>', dest: 'city.presence.>' },
  republish: { src: 'city.presence.>', dest: 'city.presence.>' },
  max_msgs_per_subject: 1,
  allow_direct: true,
}

describe('two accounts', () => {
  let server: NatsServer
  let leader: NatsConnection
  let gateway: NatsConnection
  let admin: NatsConnection
  const refusals: string[] = []

  beforeAll(async () => {
    server = await startNats()
    ;[leader, gateway, admin] = await Promise.all([
      open(server, server.leader),
      open(server, server.gateway),
      open(server, server.admin),
    ])
    void collectRefusals(gateway, refusals)
    const manager = await jetstreamManager(leader, { checkAPI: false })
    await manager.streams.add(roomStream)
    await manager.streams.add(userStream)
  })
  afterAll(() => stopAll(leader, gateway, admin, server))

  it('[S7] the leader makes both streams, writes them and reads them back', async () => {
    const ack = await leader.request('ingest.city.presence.room.library', '{}')
    expect(ack.json()).toMatchObject({ stream: 'CITY_PRESENCE' })
    const manager = await jetstreamManager(leader, { checkAPI: false })
    const message = await manager.streams.getMessage('CITY_PRESENCE', { last_by_subj: 'city.presence.room.library' })
    expect(message?.string()).toBe('{}')
    expect((await leader.request('ingest.city.presence.uepoch', '{}')).json()).toMatchObject({
      stream: 'CITY_PRESENCE_USERS',
    })
  })

  it('[S7] a gateway hears what was stored, and reads it, across the accounts', async () => {
    const heard: Msg[] = []
    gateway.subscribe('city.presence.>', { callback: (_error, message) => void heard.push(message) })
    await gateway.flush()
    await leader.request('ingest.city.presence.room.market', '{"n":1}')
    const first = await until(() => heard[0], { deadlineMs: 5_000, what: 'the room message' })
    expect([first.subject, first.headers?.get('Nats-Stream')]).toEqual(['city.presence.room.market', 'CITY_PRESENCE'])
    const rooms = await directGet(gateway, 'CITY_PRESENCE')
    expect(rooms.map((message) => message.headers?.get('Nats-Subject'))).toContain('city.presence.room.market')
  })

  it('[S8] what a gateway forges is refused, heard by nobody and stored nowhere', async () => {
    const heard: string[] = []
    admin.subscribe('>', { callback: (_error, message) => void heard.push(message.subject) })
    await admin.flush()
    const forged = [
      'ingest.city.presence.room.forged',
      'ingest.city.presence.epoch',
      'city.presence.room.forged',
      'city.presence.beat',
      '$JS.API.STREAM.DELETE.CITY_PRESENCE',
      '$JS.API.STREAM.MSG.GET.CITY_PRESENCE',
    ]
    for (const subject of forged) gateway.publish(subject, '{}')
    await gateway.flush()
    await until(() => refusals.length >= forged.length, { deadlineMs: 5_000, what: 'the refusals' })
    for (const subject of forged) expect(refusals.join('\n')).toContain(`"${subject}"`)
    await leader.request('ingest.city.presence.room.last', '{}') // what came before it has been heard by now
    await until(() => heard.includes('city.presence.room.last'), { deadlineMs: 5_000, what: 'a true message' })
    expect(heard.filter((subject) => subject.includes('forged'))).toEqual([])
    const manager = await jetstreamManager(admin, { checkAPI: false })
    const forgedRoom = await manager.streams.getMessage('CITY_PRESENCE', { last_by_subj: 'city.presence.room.forged' })
    expect(forgedRoom).toBeNull()
  })

  it('[S8] a gateway hears and reads nothing of the users', async () => {
    const heard: string[] = []
    gateway.subscribe('city.presence.>', { callback: (_error, message) => void heard.push(message.subject) })
    await gateway.flush()
    await leader.request('ingest.city.presence.user.ada', '{}')
    await leader.request('ingest.city.presence.room.after', '{}')
    await until(() => heard.includes('city.presence.room.after'), {
      deadlineMs: 5_000,
      what: 'the room after the user',
    })
    expect(heard.filter((subject) => subject.includes('.user.'))).toEqual([])
    const before = refusals.length
    gateway.publish('$JS.API.DIRECT.GET.CITY_PRESENCE_USERS', '{"last_by_subj":"city.presence.user.ada"}')
    await until(() => refusals.length > before, { deadlineMs: 5_000, what: 'the refusal to read users' })
    expect(refusals.at(-1)).toContain('CITY_PRESENCE_USERS')
  })

  it('[S8] every way to write, read or make something else that a taken-over gateway may try is refused by name', async () => {
    const api = '$JS.API'
    const streams = ['CITY_PRESENCE', 'CITY_PRESENCE_USERS']
    const verbs = ['STREAM.CREATE', 'STREAM.UPDATE', 'STREAM.DELETE', 'STREAM.PURGE', 'STREAM.INFO', 'STREAM.SNAPSHOT']
    const more = ['STREAM.MSG.GET', 'STREAM.MSG.DELETE', 'STREAM.RESTORE', 'STREAM.LEADER.STEPDOWN', 'CONSUMER.LIST']
    const attempts = [
      ...streams.flatMap((stream) => [...verbs, ...more].map((verb) => `${api}.${verb}.${stream}`)),
      ...streams.flatMap((stream) => [
        `${api}.CONSUMER.CREATE.${stream}`,
        `${api}.CONSUMER.CREATE.${stream}.spy.city.presence.user.ada`,
        `${api}.CONSUMER.DURABLE.CREATE.${stream}.spy`,
        `${api}.CONSUMER.MSG.NEXT.${stream}.spy`,
      ]),
      `${api}.DIRECT.GET.CITY_PRESENCE_USERS`,
      `${api}.DIRECT.GET.CITY_PRESENCE_USERS.city.presence.user.ada`,
      `${api}.DIRECT.GET.CITY_PRESENCE.city.presence.room.market`,
      `${api}.INFO`,
      `${api}.STREAM.NAMES`,
      `${api}.STREAM.LIST`,
      `${api}.ACCOUNT.PURGE.CITY`,
      ...['room.market', 'user.ada', 'epoch', 'uepoch', 'beat'].flatMap((end) => [
        `city.presence.${end}`,
        `ingest.city.presence.${end}`,
      ]),
      '$SYS.REQ.SERVER.PING',
      '$SYS.REQ.ACCOUNT.CITY.CONNZ',
      '$JS.ACK.CITY_PRESENCE.x.1.1.1.1.1',
      '_INBOX_aggregator.forged',
      '_INBOX_gateway.forged',
    ]
    const deliver = JSON.stringify({ config: { deliver_subject: 'city.presence.room.market', ack_policy: 'none' } })
    const before = refusals.length
    for (const subject of attempts) gateway.publish(subject, deliver, { reply: '_INBOX_gateway.answer' })
    await gateway.flush()
    await until(() => refusals.length >= before + attempts.length, { deadlineMs: 10_000, what: 'all refusals' })
    const said = refusals.slice(before).join('\n')
    for (const subject of attempts) expect(said).toContain(`"${subject}"`)
    expect(attempts.length).toBeGreaterThan(50)
    const manager = await jetstreamManager(admin, { checkAPI: false })
    for (const stream of streams) {
      expect((await manager.streams.info(stream)).state.consumer_count).toBe(0)
      const forged = await manager.streams.getMessage(stream, { last_by_subj: 'city.presence.user.spy' })
      expect(forged).toBeNull()
    }
  })

  it('[S8] nor may it listen anywhere else: to the intake, to users, to answers for others, to the server itself', async () => {
    const places = [
      '>',
      '*.>',
      'ingest.>',
      'city.>',
      '_INBOX.>',
      '_INBOX_aggregator.>',
      '$SYS.>',
      '$JS.>',
      '$JS.EVENT.>',
    ]
    const before = refusals.length
    for (const place of places) gateway.subscribe(place, { callback: () => undefined })
    await gateway.flush()
    await until(() => refusals.length >= before + places.length, { deadlineMs: 10_000, what: 'all refusals' })
    const said = refusals.slice(before).join('\n')
    for (const place of places) expect(said).toContain(`"${place}"`)
  })

  it('[S8] the answer to its one right cannot be sent where it would be a message: it stays in its own account', async () => {
    const heard: string[] = []
    admin.subscribe('city.presence.>', { callback: (_error, message) => void heard.push(message.string()) })
    await admin.flush()
    await leader.request('ingest.city.presence.room.kept', '{"true":1}')
    const question = '{"last_by_subj":"city.presence.room.kept"}'
    for (const reply of ['city.presence.room.stolen', 'ingest.city.presence.room.stolen', 'city.presence.epoch'])
      gateway.publish('$JS.API.DIRECT.GET.CITY_PRESENCE', question, { reply })
    await gateway.flush()
    await leader.request('ingest.city.presence.room.kept', '{"true":2}')
    await until(() => heard.includes('{"true":2}'), { deadlineMs: 5_000, what: 'the next true message' })
    expect(heard).toEqual(['{"true":1}', '{"true":2}'])
    const manager = await jetstreamManager(admin, { checkAPI: false })
    const stolen = await manager.streams.getMessage('CITY_PRESENCE', { last_by_subj: 'city.presence.room.stolen' })
    expect(stolen).toBeNull()
  })

  it('[S8] the leader can neither delete nor purge its streams', async () => {
    const leaderRefusals: string[] = []
    void collectRefusals(leader, leaderRefusals)
    const subjects = ['DELETE', 'PURGE', 'UPDATE', 'MSG.DELETE'].map((verb) => `$JS.API.STREAM.${verb}.CITY_PRESENCE`)
    for (const subject of subjects) leader.publish(subject, '{}')
    await until(() => leaderRefusals.length >= subjects.length, { deadlineMs: 5_000, what: 'the refusals' })
  })
})

describe('one life and the next', () => {
  it('[S9] a restart keeps ports and data, after an end in order and after SIGKILL', async () => {
    const server = await startNats()
    const admin = await open(server, server.admin)
    await (await jetstreamManager(admin)).streams.add(roomStream)
    await admin.request('ingest.city.presence.room.kept', 'one')
    await admin.close()
    const [url, pid] = [server.url, server.pid]
    await server.restart()
    await server.kill()
    expect(server.isRunning()).toBe(false)
    await server.restart()
    expect([server.url, server.pid === pid]).toEqual([url, false])
    const again = await open(server, server.admin)
    const manager = await jetstreamManager(again)
    const kept = await manager.streams.getMessage('CITY_PRESENCE', { last_by_subj: 'city.presence.room.kept' })
    expect(kept?.string()).toBe('one')
    await again.close()
    await server.stop()
  })

  it('[S10] after stop() there is no process and no folder', async () => {
    const server = await startNats()
    const folder = dirname(server.logFile)
    expect([isAlive(server.pid), existsSync(folder)]).toEqual([true, true])
    await server.stop()
    expect([isAlive(server.pid), existsSync(folder)]).toEqual([false, false])
  })

  it('[S11] two servers side by side do not know of each other', async () => {
    const [one, other] = await Promise.all([startNats(), startNats()])
    expect(one.port).not.toBe(other.port)
    const connection = await open(one, one.admin)
    await (await jetstreamManager(connection)).streams.add(roomStream)
    const otherConnection = await open(other, other.admin)
    expect((await (await jetstreamManager(otherConnection)).getAccountInfo()).streams).toBe(0)
    await expect(open(other, one.admin)).rejects.toThrow(/authorization/i)
    await Promise.all([connection.close(), otherConnection.close()])
    await one.stop()
    expect(other.isRunning()).toBe(true)
    await other.stop()
  })

  it('[S11] a port already taken makes the start fail and leaves the first server alone', async () => {
    const first = await startNats()
    await expect(startNats({ port: first.port })).rejects.toThrow(
      `nats-server did not start: port ${first.port} is taken`,
    )
    expect(first.isRunning()).toBe(true)
    await first.stop()
  })

  it('[S4] a server that refuses its configuration says why, and its log stays to be read', async () => {
    const failure = await startNats({ syncInterval: 'soon' }).catch((error: unknown) => error)
    if (!(failure instanceof StartFailure)) throw new Error('it started', { cause: failure })
    expect(failure.message).toMatch(/nats-server did not start: it ended with exit code 1\n.*sync_interval/s)
    expect(readFileSync(failure.logFile, 'utf8')).toContain('sync_interval')
    rmSync(dirname(failure.logFile), { recursive: true })
  })

  it('[S12] the old server says that it is old; the current one knows atomic batches', async () => {
    const old = await startNats({ version: 'old' })
    const oldConnection = await open(old, old.admin)
    expect(oldConnection.info?.version).toMatch(/^2\.11\./)
    expect(oldConnection.info).not.toHaveProperty('api_lvl')
    await oldConnection.close()
    await old.stop()
    const current = await startNats()
    const connection = await open(current, current.admin)
    expect(Number((connection.info as unknown as { api_lvl?: number }).api_lvl)).toBeGreaterThanOrEqual(2)
    await connection.close()
    await current.stop()
  })

  it('[S12] one account, and none at all, can be had too', async () => {
    const one = await startNats({ accounts: 'one' })
    const [leader, gateway] = await Promise.all([open(one, one.leader), open(one, one.gateway)])
    await (await jetstreamManager(leader, { checkAPI: false })).streams.add(roomStream)
    await leader.request('ingest.city.presence.room.x', '{}')
    expect(await directGet(gateway, 'CITY_PRESENCE')).toHaveLength(1)
    await Promise.all([leader.close(), gateway.close()])
    await one.stop()
    const none = await startNats({ accounts: 'open' })
    const anybody = await connect({ servers: none.url })
    expect((await (await jetstreamManager(anybody)).getAccountInfo()).streams).toBe(0)
    await anybody.close()
    await none.stop()
  })
})

async function collectRefusals(connection: NatsConnection, into: string[]): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error') into.push(status.error.message)
  }
}

async function directGet(connection: NatsConnection, stream: string): Promise<Msg[]> {
  const got: Msg[] = []
  const inbox = `_INBOX_gateway.${crypto.randomUUID()}`
  const subscription = connection.subscribe(inbox, { callback: (_error, message) => void got.push(message) })
  connection.publish(`$JS.API.DIRECT.GET.${stream}`, '{"seq":1,"batch":1000,"next_by_subj":"city.presence.>"}', {
    reply: inbox,
  })
  await until(() => got.some((message) => message.headers?.code === 204), {
    deadlineMs: 5_000,
    what: 'the end of the snapshot',
  })
  subscription.unsubscribe()
  return got.filter((message) => message.headers?.code !== 204)
}
