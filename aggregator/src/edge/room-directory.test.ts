// Where the map comes from: the city service and the file, and every way in which they fail.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { createHttpClient } from '@citypresence/chassis/edge/http-client'
import { secretFromText } from '@citypresence/chassis/secret'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { startCityService } from '@citypresence/stack/city-service'
import { expect, it, onTestFinished } from 'vitest'
import { fileDirectory, httpDirectory } from './room-directory.ts'

const { signal } = new AbortController()
const http = createHttpClient({ userAgent: 'test' })
const rooms = [{ slug: 'market', matrix_room_id: '!abc' }]

async function startService(token?: string) {
  const service = await startCityService({ rooms, ...(token === undefined ? {} : { token }) })
  onTestFinished(() => service.stop())
  return service
}

it('[R7] the city service is asked with its token as a bearer, and without one when there is none', async () => {
  const service = await startService('a-token')
  const serviceUrl = `${service.url}/`
  expect(await httpDirectory({ http, serviceUrl, token: secretFromText('a-token') }).read(signal)).toEqual(rooms)
  await expect(httpDirectory({ http, serviceUrl }).read(signal)).rejects.toThrow('answered with status 401')
  expect(await httpDirectory({ http, serviceUrl: (await startService()).url }).read(signal)).toEqual(rooms)
})

it('[R7] an address with a path is the list itself, and its query reaches no error', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.statusCode = 404
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => server.closeAllConnections())
  const { port } = server.address() as AddressInfo
  const serviceUrl = `http://127.0.0.1:${port}/all/rooms?key=hush`
  await expect(httpDirectory({ http, serviceUrl }).read(signal)).rejects.toThrow(/^GET \/all\/rooms: answered/)
  expect(asked).toEqual(['/all/rooms?key=hush'])
})

it('[R7] a service that fails, hangs, is away or says no JSON is unreadable, and no token stands in the error', async () => {
  const service = await startService()
  const directory = httpDirectory({ http, serviceUrl: service.url, token: secretFromText('hush-hush'), timeoutMs: 200 })
  const problem = async () =>
    await directory.read(signal).then(
      () => undefined,
      (error: unknown) => error,
    )
  service.behaviour = { kind: 'fail', status: 500 }
  expect(await problem()).toMatchObject({ code: 'RoomDirectoryUnreadable' })
  service.behaviour = { kind: 'hang' }
  expect(await problem()).toMatchObject({ code: 'RoomDirectoryUnreadable', cause: { code: 'HttpTimeout' } })
  await service.stop()
  const gone = await problem()
  expect(gone).toMatchObject({ code: 'RoomDirectoryUnreadable', cause: { code: 'HttpUnreachable' } })
  expect(String(gone)).not.toContain('hush-hush')
})

it('[R7] a page instead of JSON is unreadable', async () => {
  const server = createServer((_request, response) => response.end('<html>sign in</html>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const serviceUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const reading = httpDirectory({ http, serviceUrl }).read(signal)
  await expect(reading).rejects.toMatchObject({ code: 'RoomDirectoryUnreadable' })
})

it('[R8] a file is read anew and watched; one that is gone, broken or too large is unreadable', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'city-directory-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const clock = createFakeClock()
  const file = join(folder, 'rooms.json')
  const directory = fileDirectory({ file, clock })
  await expect(directory.read(signal)).rejects.toMatchObject({ code: 'RoomDirectoryUnreadable' })
  await writeFile(file, JSON.stringify({ rooms }))
  expect(await directory.read(signal)).toEqual({ rooms })
  let changes = 0
  const stop = directory.watch(() => (changes += 1))
  await writeFile(`${file}.new`, '[')
  await rename(`${file}.new`, file)
  await clock.advance(10_000)
  expect(changes).toBe(1)
  stop()
  await expect(directory.read(signal)).rejects.toThrow('this is no JSON')
  await writeFile(file, `[${' '.repeat(8 * 1024 * 1024)}]`)
  await expect(directory.read(signal)).rejects.toMatchObject({ code: 'RoomDirectoryUnreadable' })
})
