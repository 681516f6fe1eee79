// What aggregators of a stage need to elect their leader by a Lease: a real kube-apiserver with the one Lease, and for each of them a
// way of its own to the API, to NATS and to Matrix, so that it alone can be cut from each.
import { startTcpProxy, type TcpProxy } from '@citypresence/sim/tcp-proxy'
import { startKubeApiServer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { makeLeaseHome, type LeaseHome } from '@citypresence/stack/kube-lease'
import type { Service } from '@citypresence/stack/service'
import { until } from '@citypresence/stack/until'
import type { KeptService } from './kept-service.ts'

export type Ways = { readonly api: TcpProxy; readonly nats: TcpProxy; readonly matrix: TcpProxy }

export type LeaseGround = {
  readonly kube: KubeApiServer
  readonly home: LeaseHome
  /** Of each aggregator that was ever asked for, in their order. */
  readonly ways: readonly Ways[]
  /** The settings by which the aggregator of this number takes part. */
  envOf(index: number): Promise<Readonly<Record<string, string>>>
  stop(): Promise<void>
}

type Ports = { readonly nats: number; readonly matrix: number }

export async function startLeaseGround(ports: Ports, folder: string): Promise<LeaseGround> {
  const kube = await startKubeApiServer()
  const home = await makeLeaseHome(kube)
  await home.makeLease()
  const ways: Ways[] = []
  return {
    kube,
    home,
    ways,
    async envOf(index) {
      for (let next = ways.length; next <= index; next++)
        ways.push({
          api: await startTcpProxy({ to: kube.port }),
          nats: await startTcpProxy({ to: ports.nats }),
          matrix: await startTcpProxy({ to: ports.matrix }),
        })
      const { api, nats, matrix } = ways[index] ?? fail(index)
      return {
        LEADER_ELECTION: 'kubernetes',
        POD_UID: uidOf(index),
        KUBECONFIG: home.writeKubeconfig(folder, { port: api.port, name: uidOf(index) }),
        NATS_URL: `nats://127.0.0.1:${nats.port}`,
        MATRIX_HS_URL: `http://127.0.0.1:${matrix.port}`,
      }
    },
    async stop() {
      for (const { api, nats, matrix } of ways) await Promise.all([api.stop(), nats.stop(), matrix.stop()])
      await kube.stop()
    },
  }
}

const fail = (index: number): never => {
  throw new Error(`aggregator ${index + 1} has no way to anywhere`)
}

const uidOf = (index: number): string => `pod-${index + 1}`

export type Candidates = {
  readonly ground: LeaseGround
  readonly all: readonly KeptService[]
  /** One more beside them, as the one of this number; nobody starts it again. */
  startAnother(index: number): Promise<Service>
  /** Who leads, has said the whole city, and is not one of these. */
  leader(but?: readonly number[]): Promise<number>
  /** All of them are ready, one of them as the leader. */
  settled(): Promise<number>
}

// A foreign holder is waited for 10 s, on a busy machine.
const deadlineMs = 45_000

export function candidatesOf(
  ground: LeaseGround,
  all: readonly KeptService[],
  startAnother: (index: number) => Promise<Service>,
): Candidates {
  const leading = async (but: readonly number[] = []): Promise<number | undefined> => {
    const roles = await Promise.all(
      all.map(async ({ now }, index) => (but.includes(index) ? undefined : readyRoleOf(now))),
    )
    const index = roles.indexOf('leader')
    return index < 0 ? undefined : index
  }
  return {
    ground,
    all,
    startAnother,
    leader: (but) => until(() => leading(but).then(boxed), { deadlineMs, what: 'a leader' }).then(({ index }) => index),
    async settled() {
      await until(async () => (await Promise.all(all.map(({ now }) => readyRoleOf(now)))).every(Boolean), {
        deadlineMs,
        what: 'every aggregator to be ready',
      })
      return this.leader()
    },
  }
}

// The number of the first is 0, which is not nothing.
const boxed = (index: number | undefined) => (index === undefined ? undefined : { index })

/** What it says that it is, while it is ready. */
export async function readyRoleOf({ adminUrl }: Pick<Service, 'adminUrl'>): Promise<string | undefined> {
  try {
    const answer = await fetch(`${adminUrl}/readyz`, { signal: AbortSignal.timeout(1_000) })
    return answer.ok ? ((await answer.json()) as { role: string }).role : undefined
  } catch {
    return undefined // frozen, or gone
  }
}
