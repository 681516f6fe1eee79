// Traps of Matrix that only a real Synapse shows and that the double does not play: roads on which presence comes otherwise, or not
// at all. docs/spec/traps.md says what follows from each for us.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createMatrixClient, registerUser, type MatrixClient } from '@citypresence/stack/matrix-client'
import { stopAll } from '@citypresence/stack/stop-all'
import { startSynapse, type Synapse } from '@citypresence/stack/synapse'
import { makeTemporaryFolder, type TemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { askRaw, recommendedFilter, seedFilter } from './homeserver/testing/filters.ts'
import { joinTold, presenceTold, readFrom, typingTold, type Reader } from './homeserver/testing/reader.ts'

type Pushed = { readonly type: string; readonly sender?: string; readonly room_id?: string; readonly content?: unknown }

let synapse: Synapse
let service: Server
let folder: TemporaryFolder
let daemon: MatrixClient
let ada: MatrixClient
let roomId: string
/** What the homeserver pushed to the appservice, apart from room events. */
const pushed: Pushed[] = []
let people = 0

/** Listens as an appservice does: every transaction is acknowledged. */
async function listen(): Promise<Server> {
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const { ephemeral = [] } = (text === '' ? {} : JSON.parse(text)) as { ephemeral?: Pushed[] }
      pushed.push(...ephemeral)
      response.end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function registrationFile(): string {
  const file = join(folder.path, 'appservice.yaml')
  const registration = {
    id: 'city',
    url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    as_token: 'as-token-for-tests',
    hs_token: 'hs-token-for-tests',
    sender_localpart: 'city_service',
    rate_limited: false,
    receive_ephemeral: true,
    namespaces: { users: [], aliases: [], rooms: [{ exclusive: false, regex: '!.*' }] },
  }
  writeFileSync(file, JSON.stringify(registration))
  return file
}

async function person(role: string): Promise<MatrixClient> {
  const { url, registrationSecret } = synapse
  return createMatrixClient(url, await registerUser({ url, registrationSecret, localpart: `${role}${++people}` }))
}

const readAs = (who: MatrixClient, filter: unknown = recommendedFilter): Promise<Reader> =>
  readFrom(synapse.url, who, filter)

beforeAll(async () => {
  folder = makeTemporaryFolder('appservice')
  service = await listen()
  synapse = await startSynapse({ extra: { app_service_config_files: [registrationFile()] } })
  ;[daemon, ada] = [await person('daemon'), await person('ada')]
  roomId = await ada.createRoom({})
  await daemon.join(roomId)
})

afterAll(() => stopAll(synapse, service, folder))

it('[N3] [M-trap-20] an appservice is told of presence and typing without a user in the room; we are none, and ask /sync alone', async () => {
  pushed.length = 0
  const ours = await readAs(daemon)
  await ours.next(50)
  ours.forget()
  await ada.setPresence('online')
  await ada.typing(roomId, true)
  const told = (type: string) => pushed.filter((event) => event.type === type)
  const wait = { deadlineMs: 20_000, what: 'presence and typing at the appservice' }
  await until(() => told('m.presence').length > 0 && told('m.typing').length > 0, wait)
  expect(told('m.presence')).toContainEqual(expect.objectContaining({ sender: ada.userId }))
  // Other than in /sync the room stands in the event.
  expect(told('m.typing')).toContainEqual(
    expect.objectContaining({ room_id: roomId, content: { user_ids: [ada.userId] } }),
  )
  expect(await daemon.joinedMembers(roomId)).not.toContain(`@city_service:${synapse.serverName}`)
  // What was pushed there comes to us once, by /sync.
  await ours.until('typing', (answers) => typingTold(answers, roomId).length > 0)
  expect(presenceTold(ours.told, ada.userId)).toMatchObject([{ presence: 'online' }])
  expect(typingTold(ours.told, roomId)).toHaveLength(1)
  await ada.typing(roomId, false)
})

it('[N4] [M-trap-21] sliding sync tells of typing and never of presence, also where it is asked for', async () => {
  await ada.setPresence('online')
  await ada.typing(roomId, true)
  const body = {
    lists: { all: { ranges: [[0, 9]], required_state: [], timeline_limit: 0 } },
    extensions: { typing: { enabled: true }, presence: { enabled: true } },
  }
  const path = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0'
  const answer = await daemon.call<{ rooms: object; extensions: Record<string, unknown> }>({
    method: 'POST',
    path,
    body,
  })
  expect(answer.rooms).toHaveProperty([roomId])
  expect(JSON.stringify(answer.extensions['typing'])).toContain(ada.userId)
  expect(JSON.stringify(answer)).not.toMatch(/"presence"|m\.presence/)
  const plain = await readAs(daemon)
  expect(presenceTold(plain.told, ada.userId)).toMatchObject([{ presence: 'online' }])
  await ada.typing(roomId, false)
})

it("[N5] [M-trap-25] a receipt is a delta that wakes the seed's poll and not ours, and a private one is told to nobody", async () => {
  const [first, second] = [await ada.send(roomId, 'good day'), await ada.send(roomId, 'good evening')]
  const ben = await person('ben')
  await ben.join(roomId)
  // A receipt is a sign of life: of who is offline it is told once more that he is.
  await ben.setPresence('online')
  const receipt = (who: MatrixClient, kind: string, eventId: string) =>
    who.call({
      method: 'POST',
      path: `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/receipt/${kind}/${eventId}`,
      body: {},
    })
  const receiptsIn = (reader: Reader) =>
    joinTold(reader.told, roomId)
      .flatMap(({ ephemeral }) => ephemeral?.events ?? [])
      .filter(({ type }) => type === 'm.receipt')
  const [seed, ours] = [await readAs(daemon, seedFilter), await readAs(daemon)]
  await seed.next(50)
  await ours.next(50)
  seed.forget()
  ours.forget()
  await receipt(ada, 'm.read', first)
  await seed.until('the first receipt', () => receiptsIn(seed).length > 0)
  seed.forget()
  const held = ours.next(30_000)
  await receipt(ada, 'm.read.private', second)
  await receipt(ben, 'm.read', second)
  await seed.until('the second receipt', () => receiptsIn(seed).length > 0)
  // Only what is new: nothing of the one before, and nothing of the private one.
  expect(receiptsIn(seed).map(({ content }) => content)).toEqual([
    { [second]: { 'm.read': { [ben.userId]: expect.anything() as unknown } } },
  ])
  // Ours goes on waiting until there is something to know.
  await ben.setPresence('unavailable')
  expect(presenceTold([await held], ben.userId)).toMatchObject([{ presence: 'unavailable' }])
  expect(receiptsIn(ours)).toEqual([])
})

it('[N6] [M-trap-17] a room out of presence is silent but for typing; whoever is only there cannot be asked about', async () => {
  const ben = await person('ben')
  const blind = await ben.createRoom({})
  await daemon.join(blind)
  await synapse.restart({ extra: { exclude_rooms_from_presence: [blind] } })
  await ben.setPresence('online')
  const reader = await readAs(daemon)
  await ben.typing(blind, true)
  await reader.until('typing', (told) => typingTold(told, blind).length > 0)
  await ada.setPresence('unavailable')
  await reader.until('the presence of another room', (told) => presenceTold(told, ada.userId).length > 0)
  expect(presenceTold(reader.told, ben.userId)).toEqual([])
  const asked = await askRaw(synapse.url, daemon, `/presence/${encodeURIComponent(ben.userId)}/status`)
  expect(asked).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } })
})

it('[N6] [M-trap-17] `untracked` answers as if all were well, drops what clients say, and tells nobody', async () => {
  await synapse.restart({ extra: { presence: { enabled: 'untracked' } } })
  const cem = await person('cem')
  await cem.join(roomId)
  const reader = await readAs(daemon)
  await cem.setPresence('online')
  expect((await cem.presenceOf(cem.userId)).presence).toBe('offline')
  await cem.typing(roomId, true)
  await reader.until('typing', (told) => typingTold(told, roomId).length > 0)
  expect(presenceTold(reader.told, cem.userId)).toEqual([])
})
