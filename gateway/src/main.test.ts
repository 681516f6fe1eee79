// The gateway as a process: how it begins, and how it ends. What it does in between is shown in main.real.test.ts.
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startFakeNats, type FakeNats } from '@citypresence/chassis/testing/fake-nats'
import { repositoryRoot } from '@citypresence/stack/machine'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { portIn, runGateway, type GatewayProcess } from './testing/gateway-process.ts'

const secret = 'canary-secret-of-at-least-thirty-two-bytes'
const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function run(...options: Parameters<typeof runGateway>): Promise<GatewayProcess> {
  const gateway = await runGateway(...options)
  stops.push(() => gateway.stop())
  return gateway
}

async function fakeNats(): Promise<FakeNats> {
  const nats = await startFakeNats()
  stops.push(() => nats.stop())
  return nats
}

async function takenPort(): Promise<string> {
  const owner = createServer()
  owner.listen(0, '127.0.0.1')
  await once(owner, 'listening')
  stops.push(() => owner.close())
  return String((owner.address() as AddressInfo).port)
}

const listens = /"port":(\d+),"msg":"gateway listens"/
const adminListens = /"port":(\d+),"msg":"admin server listens"/
/** An address where nobody listens: the discard port of this machine. */
const nowhere = 'nats://127.0.0.1:9'

it('[G28] --help lists the settings and ends with 0', async () => {
  const gateway = await run({ args: ['--help'] })
  expect(await gateway.exited).toEqual({ code: 0, signal: null })
  for (const name of ['NATS_URL', 'JWT_SECRET_FILE', 'JWKS_URL', 'ALLOWED_ORIGINS', 'DRAIN_MS'])
    expect(gateway.log()).toContain(name)
})

it('[G28] all mistakes at once, exit 2, and nothing was started', async () => {
  const env = {
    PORT: 'x',
    PAGE: 'perhaps',
    JWT_SECRET: 'too-short-canary',
    ALLOWED_ORIGINS: 'city.example',
    JWKS_CA_FILE: join(import.meta.dirname, 'none.pem'),
  }
  const gateway = await run({ env })
  expect(await gateway.exited).toEqual({ code: 2, signal: null })
  for (const name of ['NATS_URL', 'PORT', 'PAGE', 'JWT_SECRET', 'ALLOWED_ORIGINS', 'JWKS_CA_FILE'])
    expect(gateway.log()).toMatch(new RegExp(`^  - ${name}[ :]`, 'm'))
  expect(gateway.log()).toMatch(/none\.pem cannot be read \(ENOENT\)/)
  expect(gateway.log()).not.toMatch(/canary|listens/)
})

it('[G28] mistakes between settings end it with 2 too', async () => {
  const gateway = await run({ env: { NATS_URL: nowhere, JWKS_CA_FILE: import.meta.filename, JWT_ALGORITHMS: ',' } })
  expect((await gateway.exited).code).toBe(2)
  expect(gateway.log()).toMatch(/3 mistake\(s\)[^]*JWT_SECRET \(or[^]*JWT_ALGORITHMS[^]*JWKS_CA_FILE/)
})

it('[G28] NATS_URL and JWT_SECRET are enough: it listens, tells its settings without secrets, and what it waits for', async () => {
  const nats = await fakeNats()
  const gateway = await run({ env: { NATS_URL: nats.url, JWT_SECRET: secret } })
  const port = await portIn(listens, gateway)
  const admin = `http://127.0.0.1:${await portIn(adminListens, gateway)}`
  expect((await fetch(`${admin}/healthz`)).status).toBe(200)
  const readiness = await fetch(`${admin}/readyz`)
  expect([readiness.status, await readiness.text()]).toEqual([503, expect.stringContaining('"ready":false')])
  expect((await fetch(`http://127.0.0.1:${port}/api/city/presence`)).status).toBe(503)
  expect(gateway.log()).toMatch(/"JWT_SECRET":"\*\*\*"/)
  expect(gateway.log() + (await (await fetch(`${admin}/metrics`)).text())).not.toContain('canary')
  expect(await gateway.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})

it.each(['SIGTERM', 'SIGINT'] as const)('[G28] %s while NATS is away ends it with 0', async (signal) => {
  const gateway = await run({ env: { NATS_URL: nowhere, JWT_SECRET: secret } })
  await gateway.says(/NATS is not connected yet/)
  expect(await gateway.signal(signal)).toEqual({ code: 0, signal: null })
})

it.each([
  { name: 'PORT', said: /PORT \d+: cannot be listened on/ },
  { name: 'ADMIN_PORT', said: /the admin server cannot listen on/ },
])('[G28] a taken $name is named, exit 1', async ({ name, said }) => {
  const nats = await fakeNats()
  const gateway = await run({ env: { NATS_URL: nats.url, JWT_SECRET: secret, [name]: await takenPort() } })
  expect(await gateway.exited).toEqual({ code: 1, signal: null })
  expect(gateway.log()).toMatch(said)
  expect(gateway.log()).toMatch(/"code":"PortTaken"/)
})

it('[G28] PAGE=on without a built page ends it with 1 before NATS is asked', async () => {
  const folder = makeTemporaryFolder('unbuilt')
  stops.push(() => folder.remove())
  mkdirSync(join(folder.path, 'gateway'))
  cpSync(join(repositoryRoot, 'gateway/src'), join(folder.path, 'gateway/src'), { recursive: true })
  for (const name of ['node_modules', 'package.json']) symlinkSync(join(repositoryRoot, name), join(folder.path, name))
  const main = join(folder.path, 'gateway/src/main.ts')
  const page = await run({ main, env: { NATS_URL: nowhere, JWT_SECRET: secret, PAGE: 'on' } })
  expect((await page.exited).code).toBe(1)
  expect(page.log()).toMatch(/the page is not built \(npm run build -w web\)/)
  expect(page.log()).not.toMatch(/NATS is not connected/)
})

it('[C4] a secret that cannot be read again is told as one, whichever it is, and the known one stays in use', async () => {
  const folder = makeTemporaryFolder('password')
  stops.push(() => folder.remove())
  const file = join(folder.path, 'password')
  writeFileSync(file, 'canary-password')
  const identity = { NATS_USER: 'gateway', NATS_PASSWORD_FILE: file }
  const nats = await fakeNats()
  const gateway = await run({ env: { NATS_URL: nats.url, JWT_SECRET: secret, ...identity } })
  await gateway.says(listens)
  rmSync(file)
  nats.dropAll()
  await gateway.says(/"code":"SecretUnreadable"[^\n]*a secret could not be read again; the known one stays in use/)
  expect(gateway.log()).not.toMatch(/canary|keys of tokens/)
})

it('[G28] a NATS connection that is closed for good ends it with 1: what restarts waits with a clear message', async () => {
  const nats = await fakeNats()
  const gateway = await run({ env: { NATS_URL: nats.url, JWT_SECRET: secret } })
  await gateway.says(listens)
  nats.version = { version: '2.9.10' }
  nats.dropAll()
  expect(await gateway.exited).toEqual({ code: 1, signal: null })
  expect(gateway.log()).toMatch(/"msg":"stopping"/)
  expect(gateway.log()).toMatch(/NatsTooOld|NatsClosed/)
})
