// Aggregators that elect their leader by a Lease, as the processes they are in production: on a real kube-apiserver with the rights
// they get there, a real nats-server, and the double of a homeserver. A listener notes everything that is heard.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { startHomeserver, type Homeserver } from '@citypresence/sim/homeserver'
import { startTcpProxy, type TcpProxy } from '@citypresence/sim/tcp-proxy'
import { startKubeApiServer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { makeLeaseHome, type LeaseHome } from '@citypresence/stack/kube-lease'
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startAggregator, type Service } from '@citypresence/stack/service'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
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

export type LeasedCity = {
  readonly kube: KubeApiServer
  readonly home: LeaseHome
  readonly nats: NatsServer
  readonly heard: readonly Heard[]
  startPod(): Promise<Pod>
  /** Pods that run. */
  pods(): readonly Pod[]
  /** Who claimed last, once its city is complete under that claim. */
  leader(afterTerm?: number): Promise<{ readonly pod: Pod; readonly term: number }>
  standby(): Promise<Pod>
  /** Somebody comes or goes; resolves with when, and when it was heard as a count. */
  change(): Promise<{ readonly changedAtMs: number; readonly heardAtMs: number; readonly epoch: Epoch | undefined }>
  stop(): Promise<void>
}

const deadlineMs = 45_000 // the longest way: a foreign holder is waited for 10 s, on a busy machine
const room = 'plaza'

export async function startLeasedCity(): Promise<LeasedCity> {
  const folder = makeTemporaryFolder('leased-city')
  const [kube, nats, homeserver] = await Promise.all([startKubeApiServer(), startNats(), startHomeserver()])
  const home = await makeLeaseHome(kube)
  await home.makeLease()
  const daemon = homeserver.account('presence_daemon')
  const people = ['ada', 'ben'].map((name) => homeserver.account(name).userId)
  const roomId = homeserver.script.createRoom({ members: [daemon.userId, ...people] })
  homeserver.script.presence(people[0] ?? '', 'online')
  const directory = join(folder.path, 'rooms.json')
  writeFileSync(directory, JSON.stringify([{ slug: room, matrix_room_id: roomId }]))
  const { connection, heard } = await listen(nats)
  const running = new Map<string, Pod>()
  let pods = 0
  let isBenHere = false

  const city: LeasedCity = {
    kube,
    home,
    nats,
    heard,
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
      const from = heard.length
      const changedAtMs = performance.now()
      homeserver.script.presence(people[1] ?? '', isBenHere ? 'online' : 'offline')
      const found = await until(() => heard.slice(from).find((one) => countIn(one) === (isBenHere ? 2 : 1)), {
        deadlineMs,
        what: 'the change to be heard',
      })
      return { changedAtMs, heardAtMs: found.atMs, epoch: found.epoch }
    },

    async stop() {
      for (const pod of running.values()) {
        await pod.kill()
        await pod.api.stop()
        await pod.link.stop()
      }
      await connection.close()
      await Promise.all([kube.stop(), nats.stop(), homeserver.stop()])
      folder.remove()
    },
  }
  return city
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
