// Aggregators that elect their leader by a Lease, as the processes they are in production: on a real kube-apiserver with the rights
// they get there, a real nats-server, and the double of a homeserver. A listener notes everything that is heard; where there is a
// gateway, a viewer notes what a browser is shown.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { startHomeserver, type Homeserver } from '@citypresence/sim/homeserver'
import { startTcpProxy, type TcpProxy } from '@citypresence/sim/tcp-proxy'
import { startKubeApiServer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { makeLeaseHome, type LeaseHome } from '@citypresence/stack/kube-lease'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startAggregator, startGateway, type Service } from '@citypresence/stack/service'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { makeToken, randomSecret } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { startViewer, type Frame, type Viewer } from '@citypresence/stack/viewer'
import { beat } from '@citypresence/wire/beat'
import { decodeJson } from '@citypresence/wire/decode'
import { epochHeader, epochRecord, parseEpoch, type Epoch } from '@citypresence/wire/epoch'
import type { RoomPresence } from '@citypresence/wire/room-presence'

export type Heard = {
  readonly subject: string
  readonly sequence: number
  readonly epoch: Epoch | undefined
  readonly body: string
  readonly atMs: number
}
/** An aggregator, with ways to the API server and to NATS of its own, so that it alone can be cut from them. */
export type Pod = Service & { readonly uid: string; readonly api: TcpProxy; readonly link: TcpProxy }

export type LeasedCityOptions = {
  /** Rooms beside the one in which somebody comes and goes; each has a few of the people. */
  readonly rooms?: number
  readonly people?: number
  /** A gateway, and a browser at it. */
  readonly browser?: boolean
  /** Settings of every aggregator. */
  readonly env?: Readonly<Record<string, string>>
}

export type LeasedCity = {
  readonly kube: KubeApiServer
  readonly home: LeaseHome
  readonly nats: NatsServer
  readonly heard: readonly Heard[]
  /** What the browser was shown of the room, in order; empty without one. */
  readonly shown: readonly Frame[]
  /** Undefined without a browser. */
  readonly viewer: Viewer | undefined
  startPod(): Promise<Pod>
  /** Pods that run. */
  pods(): readonly Pod[]
  /** Who claimed last, once its city is complete under that claim. */
  leader(afterTerm?: number): Promise<{ readonly pod: Pod; readonly term: number }>
  standby(): Promise<Pod>
  /** Somebody comes or goes; resolves with when, when it was heard as a count, and when the browser showed it (if there is one). */
  change(): Promise<Change>
  stop(): Promise<void>
}

export type Change = {
  readonly changedAtMs: number
  readonly heardAtMs: number
  readonly shownAtMs: number | undefined
  readonly online: number
  readonly epoch: Epoch | undefined
}

const deadlineMs = 45_000 // the longest way: a foreign holder is waited for 10 s, on a busy machine
const room = 'plaza'

export async function startLeasedCity(options: LeasedCityOptions = {}): Promise<LeasedCity> {
  const folder = makeTemporaryFolder('leased-city')
  const [kube, nats, homeserver] = await Promise.all([startKubeApiServer(), startNats(), startHomeserver()])
  const home = await makeLeaseHome(kube)
  await home.makeLease()
  const daemon = homeserver.account('presence_daemon')
  const people = ['ada', 'ben'].map((name) => homeserver.account(name).userId)
  const roomId = homeserver.script.createRoom({ members: [daemon.userId, ...people] })
  homeserver.script.presence(people[0] ?? '', 'online')
  const directory = join(folder.path, 'rooms.json')
  writeFileSync(directory, JSON.stringify([{ slug: room, matrix_room_id: roomId }, ...settle(homeserver, options)]))
  const { connection, heard } = await listen(nats)
  const browser = options.browser === true ? await openBrowser(nats) : undefined
  const running = new Map<string, Pod>()
  let pods = 0
  let isBenHere = false

  const city: LeasedCity = {
    kube,
    home,
    nats,
    heard,
    shown: browser?.shown ?? [],
    viewer: browser?.viewer,
    pods: () => [...running.values()].filter((pod) => pod.isRunning()),

    async startPod() {
      const uid = `uid-${++pods}`
      const api = await startTcpProxy({ to: kube.port })
      const link = await startTcpProxy({ to: nats.port })
      const service = await startAggregator({
        waitFor: 'healthz',
        env: {
          ...envOf(nats, homeserver, daemon),
          NATS_URL: `nats://127.0.0.1:${link.port}`,
          ROOM_DIRECTORY_FILE: directory,
          ROOM_PRESENCE_THROTTLE_MS: '0',
          LEADER_ELECTION: 'kubernetes',
          POD_UID: uid,
          KUBECONFIG: home.writeKubeconfig(folder.path, { port: api.port, name: uid }),
          ...options.env,
        },
      })
      const pod = Object.assign(service, { uid, api, link })
      running.set(uid, pod)
      return pod
    },

    leader: (afterTerm = 0) =>
      until(
        () => {
          const complete = heard.findLast(isComplete)
          const term = complete?.epoch?.term ?? 0
          const claim = heard.findLast(
            ({ subject, sequence }) => subject === 'city.presence.epoch' && sequence === complete?.epoch?.epoch,
          )
          const pod = city.pods().find(({ uid }) => claim?.body.includes(`"${uid}_`))
          return pod !== undefined && term > afterTerm ? { pod, term } : undefined
        },
        { deadlineMs, what: `a leader with a term above ${afterTerm} and a complete city` },
      ),

    async standby() {
      const { pod: leading } = await city.leader()
      const pod = city.pods().find((one) => one !== leading) ?? (await city.startPod())
      await until(async () => (await fetch(`${pod.adminUrl}/readyz`)).status === 200, {
        deadlineMs,
        what: 'a ready standby',
      })
      return pod
    },

    async change() {
      isBenHere = !isBenHere
      const [from, shownFrom] = [heard.length, city.shown.length]
      const online = isBenHere ? 2 : 1
      const changedAtMs = performance.now()
      homeserver.script.presence(people[1] ?? '', isBenHere ? 'online' : 'offline')
      const found = await until(() => heard.slice(from).find((one) => countIn(one) === online), {
        deadlineMs,
        what: 'the change to be heard',
      })
      const frameOf = (): Frame | undefined =>
        city.shown.slice(shownFrom).find(({ counts }) => counts.online === online)
      const frame = browser && (await until(() => frameOf(), { deadlineMs, what: 'the browser to show the change' }))
      return { changedAtMs, heardAtMs: found.atMs, shownAtMs: frame?.atMs, online, epoch: found.epoch }
    },

    async stop() {
      for (const pod of running.values()) {
        await pod.kill()
        await pod.api.stop()
        await pod.link.stop()
      }
      await browser?.stop()
      await connection.close()
      await Promise.all([kube.stop(), nats.stop(), homeserver.stop()])
      folder.remove()
    },
  }
  return city
}

/** The rest of the city: rooms with three people each, half of whom are online. */
function settle(homeserver: Homeserver, { rooms = 0, people = 0 }: LeasedCityOptions) {
  const crowd = Array.from({ length: people }, (_, index) => homeserver.account(`resident${index}`).userId)
  const daemon = homeserver.account('presence_daemon').userId
  for (const [index, one] of crowd.entries()) if (index % 2 === 0) homeserver.script.presence(one, 'online')
  return Array.from({ length: rooms }, (_, index) => {
    const members = [0, 1, 2].flatMap((seat) => crowd[(index * 3 + seat) % people] ?? [])
    return {
      slug: `room-${index}`,
      matrix_room_id: homeserver.script.createRoom({ members: [daemon, ...new Set(members)] }),
    }
  })
}

async function openBrowser(nats: NatsServer) {
  const secret = randomSecret()
  const { user, pass } = nats.gateway
  const gateway = await startGateway({
    env: { NATS_URL: nats.url, NATS_USER: user, NATS_PASSWORD: pass, JWT_SECRET: secret },
    waitFor: 'healthz',
  })
  const viewer = startViewer('browser', gateway.webSocketUrl, makeToken({ secret, expiresInS: 24 * 3_600 }))
  const shown: Frame[] = []
  viewer.onFrame((frame) => {
    if (frame.slug === room) shown.push(frame)
  })
  return {
    viewer,
    shown,
    async stop() {
      viewer.stop()
      await gateway.stop()
    },
  }
}

const envOf = (nats: NatsServer, homeserver: Homeserver, daemon: { accessToken: string; userId: string }) => ({
  NATS_USER: nats.leader.user,
  NATS_PASSWORD: nats.leader.pass,
  MATRIX_HS_URL: homeserver.url,
  MATRIX_ACCESS_TOKEN: daemon.accessToken,
  MATRIX_USER_ID: daemon.userId,
  CITY_ID: 'town',
})

async function listen(nats: NatsServer): Promise<{ readonly connection: NatsConnection; readonly heard: Heard[] }> {
  const heard: Heard[] = []
  const { user, pass } = nats.admin
  const connection = await connect({ servers: nats.url, user, pass })
  connection.subscribe('city.presence.>', {
    callback(error, message) {
      if (error !== null || message.headers?.get('Nats-Stream') !== 'CITY_PRESENCE') return
      heard.push({
        subject: message.subject,
        sequence: Number(message.headers.get('Nats-Sequence')),
        epoch:
          parseEpoch(message.headers.get(epochHeader)) ??
          claimIn(message.string(), message.headers.get('Nats-Sequence')),
        body: message.string(),
        atMs: performance.now(),
      })
    },
  })
  await connection.flush()
  return { connection, heard }
}

/** The record itself carries no header: its sequence is the epoch. */
function claimIn(body: string, sequence: string): Epoch | undefined {
  const decoded = decodeJson(epochRecord, body)
  return decoded.ok ? { term: decoded.value.term, epoch: Number(sequence) } : undefined
}

function isComplete({ subject, body }: Heard): boolean {
  if (subject !== 'city.presence.beat') return false
  const decoded = decodeJson(beat, body)
  return decoded.ok && decoded.value.complete
}

const countIn = ({ subject, body }: Heard): number | undefined =>
  subject === `city.presence.room.${room}` ? (JSON.parse(body) as RoomPresence).online_count : undefined
