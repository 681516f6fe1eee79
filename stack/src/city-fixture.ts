// A city of people and rooms on a real Synapse. Built once through the ordinary client API, then kept in the cache as a
// copied database with its signing key and everybody's tokens, so that every later start costs seconds.
//
//   startCity(size) -> in the cache? --no--> build in a folder of its own -> rename into the cache
//                          | yes                                                |
//                          +----------> copy into a fresh Synapse <-------------+
//
// Two processes may build at once: each works in its own folder, the first rename wins and the other copy is thrown away.
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fixturesFolder, synapseVersion } from './cache.ts'
import {
  aliasLocalpart,
  cityShape,
  daemonLocalpart,
  mayorLocalpart,
  type CityShape,
  type CitySize,
} from './city-shape.ts'
import { createMatrixClient, registerUser, type Account, type MatrixClient } from './matrix-client.ts'
import { startSynapse, synapseFiles, type Synapse, type SynapseOptions } from './synapse.ts'

export type CityRoom = { slug: string; roomId: string; alias: string }
export type Resident = Account & { localpart: string; rooms: readonly string[] }

/** Who and what is in the city: the part that the cache keeps. `rooms` of a resident are slugs. */
export type CityPeople = {
  serverName: string
  daemon: Account
  /** An admin of the homeserver, creator of every room and member of them all; never online. */
  mayor: Account
  residents: readonly Resident[]
  rooms: readonly CityRoom[]
}

export type City = CityPeople & {
  synapse: Synapse
  /** The homeserver's address, for MATRIX_HS_URL. */
  url: string
  /** A client for one of the people, by localpart; `presence_daemon` and `mayor` too. */
  clientOf(localpart: string): MatrixClient
  roomOf(slug: string): CityRoom
  /** What the city service would tell about these rooms. */
  directory(): { slug: string; matrix_room_id: string; matrix_room_alias: string }[]
  stop(): Promise<void>
}

export type CityOptions = { size: CitySize; synapse?: Omit<SynapseOptions, 'copyFrom' | 'serverName'>; quiet?: boolean }

// Part of the cache key: raise it when the way a city is built changes.
const buildVersion = 1
export const serverName = 'test.local'

export async function startCity(options: CityOptions): Promise<City> {
  const folder = await cachedCity(options.size, options.quiet ?? false)
  const people = JSON.parse(readFileSync(join(folder, 'city.json'), 'utf8')) as CityPeople
  const synapse = await startSynapse({ ...options.synapse, serverName, copyFrom: folder })
  return cityOf(people, synapse)
}

function cityOf(people: CityPeople, synapse: Synapse): City {
  const accounts = new Map<string, Account>([
    [daemonLocalpart, people.daemon],
    [mayorLocalpart, people.mayor],
    ...people.residents.map((resident) => [resident.localpart, resident] as const),
  ])
  return {
    ...people,
    synapse,
    url: synapse.url,
    clientOf: (localpart) => createMatrixClient(synapse.url, found(accounts.get(localpart), localpart)),
    roomOf: (slug) =>
      found(
        people.rooms.find((room) => room.slug === slug),
        slug,
      ),
    directory: () =>
      people.rooms.map(({ slug, roomId, alias }) => ({ slug, matrix_room_id: roomId, matrix_room_alias: alias })),
    stop: () => synapse.stop(),
  }
}

function found<T>(thing: T | undefined, name: string): T {
  if (thing === undefined) throw new Error(`there is no ${name} in this city`)
  return thing
}

/** The folder with this city's database, built now when it is not there yet. */
export async function cachedCity(size: CitySize, quiet = false): Promise<string> {
  const shape = cityShape(size)
  const folder = join(fixturesFolder(), `${size}-${keyOf(shape)}`)
  if (existsSync(folder)) return folder
  const usual = size === 'demo' ? '15 to 40 s' : '5 to 15 s'
  const say = (text: string): void => (quiet ? undefined : void process.stderr.write(`${text}\n`))
  say(
    `Building the ${size} city once: ${shape.residents.length} residents, ${shape.rooms.length} rooms (usually ${usual}) ...`,
  )
  const startMs = performance.now()
  const temporary = `${folder}.${process.pid}-${randomBytes(4).toString('hex')}.building`
  try {
    await buildCity(shape, temporary)
    keepFirst(temporary, folder)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  say(`The ${size} city is built (${((performance.now() - startMs) / 1000).toFixed(1)} s).`)
  return folder
}

function keyOf(shape: CityShape): string {
  const facts = JSON.stringify([buildVersion, synapseVersion(), serverName, shape])
  return createHash('sha256').update(facts).digest('hex').slice(0, 12)
}

function keepFirst(temporary: string, folder: string): void {
  try {
    renameSync(temporary, folder)
  } catch (error) {
    // Somebody else was first: a folder that is not empty cannot be renamed over, and theirs is as good as ours.
    if (!existsSync(join(folder, 'city.json'))) throw error
  }
}

async function buildCity(shape: CityShape, folder: string): Promise<void> {
  const synapse = await startSynapse({ serverName })
  try {
    const people = await settle(shape, synapse)
    await synapse.end()
    // Only after a good end is hs.db whole without its journal.
    if (existsSync(join(synapse.folder, 'hs.db-wal'))) throw new Error('Synapse ended without closing its database')
    mkdirSync(folder, { recursive: true })
    for (const name of synapseFiles) copyFileSync(join(synapse.folder, name), join(folder, name))
    writeFileSync(join(folder, 'city.json'), JSON.stringify(people, undefined, 2), { mode: 0o600 })
  } finally {
    await synapse.stop()
  }
}

/** People, rooms and homes, by the ordinary client API, on any Synapse that calls itself by our name and is empty. */
export async function settle(
  shape: CityShape,
  synapse: Pick<Synapse, 'url' | 'registrationSecret'>,
): Promise<CityPeople> {
  const register = (localpart: string, admin = false): Promise<Account> =>
    registerUser({ ...synapse, localpart, admin })
  const mayor = await register(mayorLocalpart, true)
  const daemon = await register(daemonLocalpart)
  const rooms = await createRooms(shape, createMatrixClient(synapse.url, mayor))
  const roomId = (slug: string): string =>
    found(
      rooms.find((room) => room.slug === slug),
      slug,
    ).roomId
  const daemonClient = createMatrixClient(synapse.url, daemon)
  for (const slug of shape.daemonRooms) await daemonClient.join(roomId(slug))
  const residents: Resident[] = []
  for (const { localpart, rooms: homes } of shape.residents) {
    const account = await register(localpart)
    const client = createMatrixClient(synapse.url, account)
    // One after the other: joins are serial inside Synapse (38 ms each), asking at once gains nothing.
    for (const slug of homes) await client.join(roomId(slug))
    await client.setPresence('offline')
    residents.push({ ...account, localpart, rooms: homes })
  }
  // Registered and joined, nobody has been seen yet: the city starts empty.
  return { serverName, daemon, mayor, residents, rooms }
}

async function createRooms(shape: CityShape, mayor: MatrixClient): Promise<CityRoom[]> {
  const rooms: CityRoom[] = []
  for (const { slug, name } of shape.rooms) {
    const alias = aliasLocalpart(slug)
    rooms.push({ slug, roomId: await mayor.createRoom({ alias, name }), alias: `#${alias}:${serverName}` })
  }
  await mayor.setPresence('offline') // acting made the mayor visible
  return rooms
}
