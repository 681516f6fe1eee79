// A real Synapse and the cached city on it.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cachedCity, startCity, type City } from './city-fixture.ts'
import { createMatrixClient, loginUser, MatrixFailure, registerUser } from './matrix-client.ts'
import { isAlive } from './process.ts'
import { stopAll } from './stop-all.ts'
import { startSynapse } from './synapse.ts'
import { bareEnv, cacheFolder, repositoryRoot } from './machine.ts'

describe('the small city', () => {
  let city: City
  beforeAll(async () => {
    city = await startCity({ size: 'small', quiet: true })
  })
  afterAll(() => stopAll(city))

  it('[S13] everybody lives where the fixture says, with a token that works', async () => {
    for (const { localpart, rooms } of city.residents) {
      const joined = await city.clientOf(localpart).joinedRooms()
      expect(joined.sort()).toEqual(rooms.map((slug) => city.roomOf(slug).roomId).sort())
    }
    const [first] = city.residents
    expect(await city.clientOf('mayor').resolveAlias(city.rooms[0]?.alias ?? '')).toBe(city.rooms[0]?.roomId)
    expect(first?.userId).toBe(`@${first?.localpart ?? ''}:test.local`)
  })

  it('[S13] the daemon has joined every room but one, and nobody is online', async () => {
    const daemon = city.clientOf('presence_daemon')
    expect(await daemon.joinedRooms()).toHaveLength(city.rooms.length - 1)
    const { presence } = await daemon.sync({ setPresence: 'offline' })
    expect(presence?.events ?? []).toEqual([])
  })

  it('[S13] presence, typing, messages and moves reach the daemon', async () => {
    const [daemon, ada] = [city.clientOf('presence_daemon'), city.clientOf('ada')]
    const { roomId } = city.roomOf('market')
    const { next_batch: since } = await daemon.sync({ setPresence: 'offline', timeoutMs: 1 })
    await ada.setPresence('online')
    await ada.typing(roomId, true)
    await ada.send(roomId, 'good day')
    const answer = await daemon.sync({ since, setPresence: 'offline', timeoutMs: 5_000 })
    expect(answer.presence?.events?.map(({ sender }) => sender)).toContain('@ada:test.local')
    const room = answer.rooms?.join?.[roomId]
    expect(room?.ephemeral?.events?.[0]).toMatchObject({ type: 'm.typing', content: { user_ids: ['@ada:test.local'] } })
    expect(room?.timeline?.events?.at(-1)?.content).toMatchObject({ body: 'good day' })
    await ada.leave(roomId)
    expect(await city.clientOf('mayor').joinedMembers(roomId)).not.toContain('@ada:test.local')
    await ada.join(city.roomOf('market').alias)
    expect(await city.clientOf('mayor').joinedMembers(roomId)).toContain('@ada:test.local')
  })

  it('[S13] a kick, a ban and a refusal are told as Matrix tells them', async () => {
    const [mayor, boris] = [city.clientOf('mayor'), city.clientOf('boris')]
    const roomId = city.roomOf(city.residents.find(({ localpart }) => localpart === 'boris')?.rooms[0] ?? '').roomId
    await mayor.kick(roomId, boris.userId)
    await boris.join(roomId)
    await mayor.ban(roomId, boris.userId)
    const refused = await boris.join(roomId).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(MatrixFailure)
    expect(refused).toMatchObject({ status: 403, errcode: 'M_BAD_STATE' })
    expect(String(refused)).not.toContain(boris.accessToken)
    await mayor.unban(roomId, boris.userId)
    await boris.join(roomId)
  })

  it('[S14] a restart keeps the people; presence can be switched off and on by it', async () => {
    const ada = city.clientOf('ada')
    await ada.setPresence('online')
    await city.synapse.restart({ presenceEnabled: false })
    expect((await ada.presenceOf(ada.userId)).presence).toBe('offline')
    await city.synapse.kill()
    await city.synapse.restart({ presenceEnabled: true })
    await ada.setPresence('online')
    expect((await ada.presenceOf(ada.userId)).presence).toBe('online')
  })

  it('[S11] a second city on the same fixture has its own address and its own life', async () => {
    const other = await startCity({ size: 'small', quiet: true })
    try {
      expect(other.url).not.toBe(city.url)
      const { roomId } = city.roomOf('market')
      await other.clientOf('ada').leave(roomId)
      expect(await city.clientOf('mayor').joinedMembers(roomId)).toContain('@ada:test.local')
    } finally {
      const { pid, logFile } = other.synapse
      await other.stop()
      expect([isAlive(pid), existsSync(dirname(logFile))]).toEqual([false, false])
    }
  })
})

it('[S14] an empty Synapse registers, logs in and runs admin calls', async () => {
  const synapse = await startSynapse()
  try {
    const root = createMatrixClient(synapse.url, await registerUser({ ...synapse, localpart: 'root', admin: true }))
    await registerUser({ ...synapse, localpart: 'guest', password: 'open sesame' })
    const guest = createMatrixClient(synapse.url, await loginUser(synapse.url, 'guest', 'open sesame'))
    await expect(loginUser(synapse.url, 'guest', 'wrong')).rejects.toThrow('M_FORBIDDEN')
    const roomId = await root.createRoom({ alias: 'hall', name: 'Hall' })
    await guest.join('#hall:test.local')
    await root.admin.deleteRoom(roomId)
    expect(await guest.joinedRooms()).toEqual([])
    await expect(guest.admin.deleteRoom(roomId)).rejects.toMatchObject({ status: 403 })
  } finally {
    await synapse.stop()
  }
})

it('[S15] a city is built once: two processes at the same time end with one, and leave no half', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'city-presence-cache-test-'))
  try {
    // Everything else of the cache is taken as it is; only the fixtures are built anew.
    const link = `for part in "${cacheFolder()}"/synapse-* ; do ln -s "$part" "${cache}/"; done`
    await runToEnd('sh', ['-c', link])
    const script = `import { cachedCity } from ${JSON.stringify(join(repositoryRoot, 'stack/src/city-fixture.ts'))}; console.log(await cachedCity('small', true))`
    const build = (): Promise<string> =>
      runToEnd(process.execPath, ['--input-type=module-typescript', '-e', script], { CITY_PRESENCE_CACHE: cache })
    const [one, other] = await Promise.all([build(), build()])
    expect(one).toBe(other)
    expect(readdirSync(join(cache, 'fixtures'))).toEqual([basename(one.trim())])
    expect(readdirSync(one.trim()).sort()).toEqual(['city.json', 'hs.db', 'signing.key'])
    expect(basename(await cachedCity('small', true))).toBe(basename(one.trim()))
  } finally {
    rmSync(cache, { recursive: true })
  }
})

async function runToEnd(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...bareEnv(), ...env } })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  expect(code).toBe(0)
  return output
}
