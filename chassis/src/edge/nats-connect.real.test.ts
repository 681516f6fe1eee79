// The connection against real nats-servers: the current one, the old one that must be refused, TLS, nkeys, outages.
import { readFileSync, writeFileSync } from 'node:fs'
import { connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'
import { natsServerBinary } from '@citypresence/stack/cache'
import { freePort } from '@citypresence/stack/free-port'
import { type NatsServer, startNats } from '@citypresence/stack/nats-server'
import { startProcess } from '@citypresence/stack/process'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realFiles } from '../config.ts'
import type { CityError } from '../errors.ts'
import { createLogger } from '../log.ts'
import type { NatsCredentials } from '../nats-settings.ts'
import { type Secret, secretFromFile, secretFromText } from '../secret.ts'
import { authorityPem, serverKeyPem, serverPem } from '../testing/tls-fixture.ts'
import { until } from '../testing/until.ts'
import { type NatsConnection, type NatsOptions, connectNats } from './nats-connect.ts'

const cleanups: (() => unknown)[] = []
let errors: CityError[]
let told: string[]
let stop: AbortController

beforeEach(() => {
  errors = []
  told = []
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function options(servers: string[], credentials: NatsCredentials, more: Partial<NatsOptions> = {}): NatsOptions {
  return {
    servers,
    credentials,
    name: 'chassis test',
    inboxPrefix: '_INBOX_aggregator',
    log: createLogger({ service: 'test', level: 'silent' }),
    onError: (error) => errors.push(error),
    onStatus: ({ type }) => told.push(type),
    signal: stop.signal,
    ...more,
  }
}

async function connected(...args: Parameters<typeof options>): Promise<NatsConnection> {
  const connection = await connectNats(options(...args))
  cleanups.push(() => connection.close())
  return connection
}

async function start(version: 'current' | 'old' = 'current'): Promise<NatsServer> {
  const server = await startNats({ version })
  cleanups.push(() => server.stop())
  return server
}

const asUser = ({ user, pass }: { user: string; pass: string }): NatsCredentials => ({
  kind: 'user',
  user: secretFromText(user),
  password: secretFromText(pass),
})

describe('a real server', () => {
  it('[C22] the current one is taken, the old one is refused with a message that names both versions', async () => {
    const [current, old] = [await start(), await start('old')]
    const connection = await connected([current.url], asUser(current.leader))
    await connection.flush()
    expect(connection.info?.api_lvl).toBeGreaterThanOrEqual(2)
    const refused = connectNats(options([old.url], asUser(old.leader)))
    refused.catch(() => undefined)
    await until('the refusal', () => errors.length > 0)
    expect(errors[0]).toMatchObject({
      code: 'NatsTooOld',
      message: expect.stringMatching(/2\.11\.\d+.*2\.12/) as string,
    })
  })

  it('[C25] an outage longer than the client would wait by default ends in a reconnect', async () => {
    const server = await start()
    const connection = await connected([server.url], asUser(server.leader))
    await server.kill()
    await until('the disconnect', () => told.includes('disconnect'))
    // Eleven dials are one more than the client's default patience.
    await until('eleven dials', () => told.filter((type) => type === 'reconnecting').length >= 11, 60_000)
    await server.restart()
    await until('the reconnect', () => told.includes('reconnect'), 20_000)
    await connection.flush()
    expect(connection.isClosed()).toBe(false)
  })

  it('[C25] a server that hangs is seen by its missing pongs', { timeout: 60_000 }, async () => {
    const server = await start()
    await connected([server.url], asUser(server.leader))
    server.pause()
    cleanups.push(() => server.resume())
    await until('the stale connection', () => told.includes('staleConnection'), 30_000)
    server.resume()
    await until('the reconnect', () => told.includes('reconnect'), 20_000)
  })

  it('[C24] a wrong password is NatsUnauthorized, and the right one in the file is taken at the next attempt', async () => {
    const server = await start()
    const password = secretFile('wrong')
    const connecting = connected([server.url], {
      kind: 'user',
      user: secretFromText(server.leader.user),
      password: password.secret,
    })
    await until('the refusal', () => errors.length > 0)
    expect(errors[0]?.code).toBe('NatsUnauthorized')
    password.write(server.leader.pass)
    await (await connecting).flush()
  })

  it('[C24] a subject without a right is NatsForbidden and names it', async () => {
    const server = await start()
    const connection = await connected([server.url], asUser(server.gateway), { inboxPrefix: '_INBOX_gateway' })
    connection.publish('city.presence.room.energy', 'forged')
    await until('the refusal', () => errors.length > 0)
    expect(errors[0]).toMatchObject({ code: 'NatsForbidden' })
    expect(errors[0]?.message).toContain('city.presence.room.energy')
  })
})

function secretFile(content: string): { secret: Secret; write(text: string): void } {
  const folder = makeTemporaryFolder('secret')
  cleanups.push(() => folder.remove())
  const path = join(folder.path, 'secret')
  const write = (text: string) => writeFileSync(path, `${text}\n`)
  write(content)
  const secret = secretFromFile({
    path,
    files: realFiles,
    decode: (text) => ({ ok: true, value: text }),
    firstGood: content,
  })
  return { secret, write }
}

/** A server with a configuration of the test's own. */
async function startWith(lines: (folder: string) => readonly string[]): Promise<{ port: number; folder: string }> {
  const folder = makeTemporaryFolder('nats-own')
  cleanups.push(() => folder.remove())
  const port = await freePort()
  const config = join(folder.path, 'nats.conf')
  writeFileSync(config, [`listen: "127.0.0.1:${port}"`, ...lines(folder.path)].join('\n'))
  const running = await startProcess({
    name: 'nats-server',
    command: natsServerBinary('current'),
    args: ['--config', config],
    logFile: join(folder.path, 'log'),
    ready: () => isListening(port),
  })
  cleanups.push(() => running.stop())
  return { port, folder: folder.path }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tcpConnect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })
}

describe('TLS and keys', () => {
  const startTls = (more = '') =>
    startWith((folder) => {
      writeFileSync(join(folder, 'cert.pem'), serverPem)
      writeFileSync(join(folder, 'key.pem'), serverKeyPem)
      writeFileSync(join(folder, 'ca.pem'), authorityPem)
      return [
        `tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem"${more} }`,
        'authorization { token: "t0ken" }',
      ]
    })
  const token: NatsCredentials = { kind: 'token', token: secretFromText('t0ken') }

  it('[C21] with the authority in the CA file the connection is encrypted; without it TlsUntrusted', async () => {
    const { port, folder } = await startTls()
    const servers = [`nats://localhost:${port}`]
    const connection = await connected(servers, token, { caFile: join(folder, 'ca.pem') })
    await connection.flush()
    const refused = connectNats(options(servers, token))
    refused.catch(() => undefined)
    await until('the refusal', () => errors.length > 0)
    expect(errors[0]?.code).toBe('TlsUntrusted')
  })

  it('[C21] a server that wants TLS before its first word gets it', async () => {
    const { port, folder } = await startTls(', handshake_first: true')
    const more = { caFile: join(folder, 'ca.pem'), handshakeFirst: true }
    await (await connected([`nats://localhost:${port}`], token, more)).flush()
  })

  it('[C21] a CA file that changes is taken at the next attempt', async () => {
    const { port, folder } = await startTls()
    const caFile = join(folder, 'late-ca.pem')
    const connecting = connected([`tls://localhost:${port}`], token, { caFile })
    await until('an attempt without the file', () => errors.length > 0)
    writeFileSync(caFile, readFileSync(join(folder, 'ca.pem')))
    await (await connecting).flush()
  })

  it('[C21] a server without TLS is refused when tls:// or a CA file asks for it', async () => {
    const { port, folder } = await startWith(() => [])
    writeFileSync(join(folder, 'ca.pem'), authorityPem)
    for (const [scheme, more] of [
      ['tls', {}],
      ['nats', { caFile: join(folder, 'ca.pem') }],
    ] as const) {
      errors = []
      const refused = connectNats(options([`${scheme}://127.0.0.1:${port}`], { kind: 'none' }, more))
      refused.catch(() => undefined)
      await until('the refusal', () => errors.length > 0)
      expect(errors[0]?.message).toContain('tls')
    }
  })

  it('[C24] an nkey seed opens the server that knows its public key', async () => {
    const pair = nkeys.createUser()
    const seed = new TextDecoder().decode(pair.getSeed())
    const { port } = await startWith(() => [`authorization { users = [ { nkey: ${pair.getPublicKey()} } ] }`])
    const credentials: NatsCredentials = { kind: 'nkey', seed: secretFile(seed).secret }
    await (await connected([`nats://127.0.0.1:${port}`], credentials)).flush()
  })
})
