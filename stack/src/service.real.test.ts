// The launcher of our own services, with a stand-in of twenty lines.
import { existsSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { isAlive, StartFailure } from './process.ts'
import {
  startGateway,
  startGatewayNear,
  startService,
  type Gateway,
  type Service,
  type ServiceOptions,
} from './service.ts'

const entry = 'stack/src/testing/little-service.ts'
let service: Service | undefined
afterEach(() => service?.stop())

// A failed start keeps its log for a person to read; here the reading ends with the test.
async function failureOf(starting: Promise<Service>): Promise<StartFailure> {
  const error = await starting.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StartFailure)) throw new Error('the start did not fail as expected', { cause: error })
  expect(existsSync(error.logFile)).toBe(true)
  rmSync(dirname(error.logFile), { recursive: true })
  return error
}

async function start(env: Record<string, string> = {}, more: Partial<ServiceOptions> = {}): Promise<Service> {
  service = await startService('little', { env, entry, ...more })
  return service
}

it('[S17] a ready service tells its admin port, its memory, its metrics and its log', async () => {
  const little = await start({ LITTLE_WORD: 'hello' })
  expect((await fetch(`${little.adminUrl}/readyz`)).status).toBe(200)
  expect(await little.metrics()).toContain('little_metric')
  expect(little.rss()).toBeGreaterThan(10_000_000)
  expect(little.logLines()).toEqual([{ level: 30, msg: 'started', secret: 'hello' }])
})

it('[S17] stop tells the exit code, removes the log file and remembers its text', async () => {
  const little = await start()
  expect(await little.stop()).toEqual({ code: 3, signal: null })
  expect([isAlive(little.pid), existsSync(little.logFile), little.rss()]).toEqual([false, false, 0])
  expect(little.log()).toContain('plain words')
})

it('[S17] a service that will not get ready can be waited for as alive', async () => {
  const never = await failureOf(start({ LITTLE_NEVER_READY: 'on' }, { readyDeadlineMs: 400 }))
  expect(never.message).toContain('waited 400 ms for little to be ready')
  const little = await start({ LITTLE_NEVER_READY: 'on' }, { waitFor: 'healthz' })
  expect((await fetch(`${little.adminUrl}/readyz`)).status).toBe(503)
})

it('[S17] a service that ends at once shows its last words; without waiting its exit can be looked at', async () => {
  expect((await failureOf(start({ LITTLE_EXIT: '2' }))).message).toMatch(/exit code 2.*a setting is wrong/s)
  const little = await start({ LITTLE_EXIT: '2' }, { waitFor: 'nothing' })
  expect(await little.exited).toEqual({ code: 2, signal: null })
  expect(little.log()).toContain('a setting is wrong')
})

it('[S17] kill does not ask', async () => {
  const little = await start({ LITTLE_DEAF: 'on' })
  expect(await little.kill()).toEqual({ code: null, signal: 'SIGKILL' })
})

it('[S17] a gateway tells where browsers connect', async () => {
  const port = await freePort()
  const gateway = await startGateway({ env: { PORT: String(port) }, entry })
  service = gateway
  expect([gateway.port, gateway.webSocketUrl]).toEqual([port, `ws://127.0.0.1:${port}/ws/city/presence`])
})

async function occupy(port: number): Promise<Server> {
  const owner = createServer()
  onTestFinished(() => void owner.close())
  await new Promise<void>((resolve) => owner.listen(port, '127.0.0.1', resolve))
  return owner
}

it('[S28] a gateway takes the port it was asked for, and another where somebody has that one', async () => {
  const port = await freePort()
  service = await startGatewayNear(port, { env: {}, entry })
  expect(service).toMatchObject({ port })
  await service.stop()
  await occupy(port)
  const elsewhere = await startGatewayNear(port, { env: {}, entry })
  service = elsewhere
  expect(elsewhere.port).not.toBe(port)
})

it('[S28] a port that is taken after it was looked at is given up too, and no log is left of the attempt', async () => {
  const port = await freePort()
  const logs: string[] = []
  const start = async (options: ServiceOptions): Promise<Gateway> => {
    if (options.env['PORT'] === undefined) return startGateway(options)
    await occupy(port)
    return startGateway({ ...options, env: { LITTLE_EXIT: '1' } }).catch((error: unknown) => {
      if (error instanceof StartFailure) logs.push(error.logFile)
      throw error
    })
  }
  const gateway = await startGatewayNear(port, { env: {}, entry }, start)
  service = gateway
  expect(gateway.port).not.toBe(port)
  expect(logs.map((logFile) => existsSync(dirname(logFile)))).toEqual([false])
})

it('[S28] a gateway that fails for another reason is not tried again', async () => {
  const port = await freePort()
  let starts = 0
  const start = (options: ServiceOptions): Promise<Gateway> => {
    starts++
    return startGateway(options)
  }
  const failure = await failureOf(startGatewayNear(port, { env: { LITTLE_EXIT: '2' }, entry }, start))
  expect(failure.message).toContain('a setting is wrong')
  expect(starts).toBe(1)
})
