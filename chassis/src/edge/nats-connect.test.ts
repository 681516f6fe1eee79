import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CityError } from '../errors.ts'
import { createLogger } from '../log.ts'
import { secretFromFile, secretFromText } from '../secret.ts'
import { type FakeNats, startFakeNats } from '../testing/fake-nats.ts'
import { until } from '../testing/until.ts'
import { type NatsConnection, type NatsOptions, connectNats, createAuthenticator } from './nats-connect.ts'

let server: FakeNats
let lines: string[]
let errors: CityError[]
let stop: AbortController
const open: NatsConnection[] = []

beforeEach(async () => {
  server = await startFakeNats()
  lines = []
  errors = []
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await Promise.all(open.splice(0).map((connection) => connection.close()))
  await server.stop()
})

function options(more: Partial<NatsOptions> = {}): NatsOptions {
  return {
    servers: [server.url],
    credentials: { kind: 'none' },
    name: 'test',
    inboxPrefix: '_INBOX_test',
    log: createLogger({ service: 'test', level: 'info', destination: { write: (line) => lines.push(line) } }),
    onError: (error) => errors.push(error),
    signal: stop.signal,
    ...more,
  }
}

async function connected(more: Partial<NatsOptions> = {}): Promise<NatsConnection> {
  const connection = await connectNats(options(more))
  open.push(connection)
  return connection
}

describe('the version', () => {
  it.each([{ version: '2.11.9', api_lvl: 1 }, { version: '2.10.27' }, { version: '2.12.0', api_lvl: 1 }])(
    '[C22] a server like $version is refused at the first connect, which is tried again until it is new enough',
    async (old) => {
      server.version = old
      const connecting = connected()
      await until('a refusal', () => errors.length > 0)
      expect(errors[0]).toMatchObject({ code: 'NatsTooOld', message: expect.stringContaining(old.version) as string })
      expect(errors[0]?.message).toContain('2.12 with API level 2')
      server.version = { version: '2.12.1', api_lvl: 2 }
      expect((await connecting).info?.version).toBe('2.12.1')
    },
  )

  it('[C22] a server that is old at a reconnect hears no CONNECT and no word from us, and the connection ends with NatsTooOld', async () => {
    const connection = await connected()
    connection.subscribe('city.presence.>')
    await connection.flush()
    const { length: connects } = server.connects
    const { length: others } = server.others
    server.version = { version: '2.11.9', api_lvl: 1 }
    server.dropAll()
    expect(await connection.closed()).toMatchObject({ code: 'NatsTooOld' })
    expect(server.greeted()).toBeGreaterThan(1)
    expect([server.connects.length, server.others.length]).toEqual([connects, others])
  })
})

describe('credentials', () => {
  it('[C24] secrets are read again at each attempt: a rotated password is used at the next one', async () => {
    const file = { content: 'old' }
    server.accept = ({ pass }) => pass === 'new'
    const password = secretFromFile({
      path: '/p',
      files: { read: () => file.content },
      decode: (text) => ({ ok: true, value: text }),
      firstGood: 'old',
    })
    const connecting = connected({ credentials: { kind: 'user', user: secretFromText('city'), password } })
    await until('two refusals', () => errors.length >= 2)
    expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'NatsUnauthorized'))
    file.content = 'new'
    await connecting
    expect(server.connects.at(-1)).toMatchObject({ user: 'city', pass: 'new' })
    expect(lines.join('')).not.toMatch(/"(old|new)"/)
  })

  it('[C24] a password refused again and again after the first connect does not end the connection', async () => {
    const connection = await connected({ credentials: { kind: 'token', token: secretFromText('t') } })
    server.accept = () => false
    server.dropAll()
    await until('three refusals', () => server.connects.length >= 4, 20_000)
    expect(connection.isClosed()).toBe(false)
    server.accept = () => true
    await until('the reconnect', () => lines.some((line) => line.includes('connected again')))
    await connection.flush()
    expect(server.connects.at(-1)).toMatchObject({ auth_token: 't' })
  })

  it('[C24] a half written creds file or seed does not throw: the last good answer is given', () => {
    const seedText = 'SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY'
    const file = { content: seedText }
    const seed = { ...secretFromText(''), read: () => file.content }
    const authenticate = createAuthenticator({ kind: 'nkey', seed }, () => undefined)
    const good = authenticate('nonce')
    expect(good).toMatchObject({ nkey: expect.stringMatching(/^U/) as string, sig: expect.any(String) as string })
    file.content = 'SUAKYR'
    expect(authenticate('nonce')).toEqual(good)
    const block = (name: string, text: string) => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`
    const whole = block('NATS USER JWT', 'h.p.s') + block('USER NKEY SEED', seedText)
    const fromCreds = createAuthenticator({ kind: 'creds', creds: secretFromText(whole.trim()) }, () => undefined)
    expect(fromCreds('nonce')).toEqual({ ...good, jwt: 'h.p.s' })
    const creds = { ...secretFromText(''), read: () => 'half' }
    expect(createAuthenticator({ kind: 'creds', creds }, () => undefined)('nonce')).toBeUndefined()
  })
})

describe('the first connect', () => {
  it('[C25] it waits for a server that is not there yet, says so, and takes it when it comes', async () => {
    const { url } = server
    await server.stop()
    const connecting = connectNats(options({ servers: [url, 'nats://127.0.0.1:1'] }))
    connecting.catch(() => undefined)
    await until('a failed attempt', () => errors.length > 0)
    expect(errors[0]?.code).toBe('NatsUnreachable')
    expect(lines.join('')).toContain('not connected yet')
    stop.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'Aborted' })
  })

  it('[C25] it can be cancelled while a server neither answers nor refuses', async () => {
    server.version = { version: '2.15.1', api_lvl: 4 }
    const silent = await import('node:net').then(({ createServer }) => createServer().listen(0, '127.0.0.1'))
    await until('listening', () => silent.listening)
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : 0
    const connecting = connectNats(options({ servers: [`nats://127.0.0.1:${port}`] }))
    setImmediate(() => stop.abort())
    await expect(connecting).rejects.toMatchObject({ code: 'Aborted' })
    // Not even the attempt under way was waited for.
    expect(errors).toEqual([])
    silent.close()
  })

  it('[C25] a connection that comes after it was cancelled is closed', async () => {
    // The server has heard us, and its answer is on the way.
    server.accept = () => {
      stop.abort()
      return true
    }
    await expect(connectNats(options())).rejects.toMatchObject({ code: 'Aborted' })
    await until('the end of the connection', () => server.connects.length === 1 && server.connected() === 0)
    expect(errors).toEqual([])
  })

  it('[C25] an unknown host is DnsFailed', async () => {
    const connecting = connectNats(options({ servers: ['nats://no-such-host.invalid:4222'] }))
    connecting.catch(() => undefined)
    await until('a failed attempt', () => errors.length > 0)
    expect(errors[0]).toMatchObject({ code: 'DnsFailed' })
  })
})

describe('later', () => {
  it('[C25] a lost connection comes back by itself, is told, and keeps its subscriptions', async () => {
    const told: string[] = []
    const connection = await connected({ onStatus: ({ type }) => told.push(type) })
    connection.subscribe('city.presence.>')
    await connection.flush()
    server.dropAll()
    await until('the reconnect', () => told.includes('reconnect'))
    await connection.flush()
    expect(told).toContain('disconnect')
    expect(server.others.filter((line) => line.startsWith('SUB city.presence.>'))).toHaveLength(2)
  })

  it('[C27] it comes back at once although the wall clock was set back by an hour meanwhile', async () => {
    const told: string[] = []
    await connected({ onStatus: ({ type }) => told.push(type) })
    const realNow = Date.now.bind(Date)
    const wall = vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 3_600_000)
    try {
      server.dropAll()
      await until('the reconnect', () => told.includes('reconnect'))
    } finally {
      wall.mockRestore()
    }
  })
})
