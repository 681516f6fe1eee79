// A room that the homeserver keeps out of presence, beside the processes of production: the aggregator on a real nats-server, the
// homeserver as its double, because a real one is told of such a room only at its start. What is heard of the room stays marked
// while the daemon leaves and comes back, and while one aggregator dies and another begins.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { startHomeserver, type Homeserver } from '@citypresence/sim/homeserver'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startAggregator, type Service } from '@citypresence/stack/service'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
import type { Beat } from '@citypresence/wire/beat'
import type { RoomPresence } from '@citypresence/wire/room-presence'
import { afterAll, beforeAll, expect, it } from 'vitest'

const folder = makeTemporaryFolder('blind-room')
let nats: NatsServer
let homeserver: Homeserver
let connection: NatsConnection
let aggregator: Service | undefined
/** What was heard of the dark room, and of the whole city. */
const heard: RoomPresence[] = []
const beats: Beat[] = []
let [daemonId, dark, ada, ben] = ['', '', '', '']

beforeAll(async () => {
  ;[nats, homeserver] = await Promise.all([startNats(), startHomeserver()])
  daemonId = homeserver.account('presence_daemon').userId
  ;[ada = '', ben = ''] = ['ada', 'ben'].map((name) => homeserver.account(name).userId)
  const cem = homeserver.account('cem').userId
  dark = homeserver.script.createRoom({ members: [daemonId, ada, ben], isPublic: true })
  const light = homeserver.script.createRoom({ members: [daemonId, cem] })
  for (const person of [ada, ben, cem]) homeserver.script.presence(person, 'online')
  const rooms = [
    { slug: 'dark', matrix_room_id: dark },
    { slug: 'light', matrix_room_id: light },
  ]
  writeFileSync(join(folder.path, 'rooms.json'), JSON.stringify(rooms))
  const { user, pass } = nats.admin
  connection = await connect({ servers: nats.url, user, pass })
  connection.subscribe('city.presence.>', {
    callback(error, message) {
      if (error !== null || message.headers?.get('Nats-Stream') !== 'CITY_PRESENCE') return
      if (message.subject === 'city.presence.room.dark') heard.push(message.json())
      if (message.subject === 'city.presence.beat') beats.push(message.json())
    },
  })
  await connection.flush()
})
afterAll(async () => {
  await aggregator?.kill()
  await connection.close()
  await stopAll(nats, homeserver)
  folder.remove()
})

async function start(): Promise<void> {
  const { user, pass } = nats.leader
  aggregator = await startAggregator({
    waitFor: 'healthz',
    env: {
      MATRIX_HS_URL: homeserver.url,
      MATRIX_ACCESS_TOKEN: homeserver.account('presence_daemon').accessToken,
      MATRIX_USER_ID: daemonId,
      ROOM_DIRECTORY_FILE: join(folder.path, 'rooms.json'),
      ROOM_PRESENCE_THROTTLE_MS: '0',
      // Polls are a third of it: once the room is shown again, everything is asked anew when the poll of then ends.
      STALE_AFTER_MS: '6000',
      NATS_URL: nats.url,
      NATS_USER: user,
      NATS_PASSWORD: pass,
    },
  })
}

const soon = (what: string, look: () => boolean): Promise<boolean> => until(look, { what, deadlineMs: 30_000 })

/** So many lists of the dark room, asked for from now on. */
async function lists(count: number): Promise<void> {
  const asked = (): number =>
    homeserver.requests.filter(({ path }) => path.includes('joined_members') && path.includes(encodeURIComponent(dark)))
      .length
  const before = asked()
  await soon(`${count} lists of the room`, () => asked() >= before + count)
}

it(
  '[P23] a room that is kept out of presence is never an unmarked zero: not when the daemon enters it anew, not after a restart',
  { timeout: 120_000 },
  async () => {
    await start()
    await soon('two people', () => heard.at(-1)?.online_count === 2)
    homeserver.script.blind(dark, true)
    await soon('the mark', () => heard.at(-1)?.stale === true)
    const marked = heard.length
    for (const person of [ada, ben]) homeserver.script.presence(person, 'offline')
    homeserver.script.kick('@mayor:test.local', dark, daemonId)
    homeserver.script.join(daemonId, dark)
    await lists(2)
    await aggregator?.kill()
    const [before, beat] = [heard.length, beats.length]
    await start()
    await soon('the whole city under a new leader', () => beats.slice(beat).some(({ complete }) => complete))
    await lists(1)
    expect(heard.length).toBeGreaterThan(before)
    for (const one of heard.slice(marked - 1)) expect(one).toMatchObject({ online_count: 2, stale: true, blind: true })
    homeserver.script.blind(dark, false)
    homeserver.script.presence(ada, 'online')
    await soon('one person, unmarked', () => heard.at(-1)?.online_count === 1 && heard.at(-1)?.stale !== true)
    expect(heard.at(-1)).not.toHaveProperty('blind')
  },
)
