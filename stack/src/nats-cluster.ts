// Several real nats-servers that are one: they know each other by their route ports, share accounts and users, and hold every
// stream as often as the stream asks for. Any of them may be ended, paused or brought back like a single one.
import { freePort } from './free-port.ts'
import { createNatsUsers, startNats, type NatsServer } from './nats-server.ts'
import { until } from './until.ts'

export type NatsCluster = {
  readonly servers: readonly NatsServer[]
  /** All of them, for a client that may use any. */
  readonly url: string
  /** The server of that name, as the API of NATS calls it. */
  named(name: string): NatsServer
  /** Resolves when the servers have found each other and chosen who leads them. */
  whole(): Promise<void>
  stop(): Promise<void>
}

// 2 to 4 s on a quiet machine: a first election waits out its time.
const wholeDeadlineMs = 60_000

export async function startNatsCluster({ size }: { size: number }): Promise<NatsCluster> {
  const users = createNatsUsers()
  const ports = await Promise.all(Array.from({ length: size }, () => freePort()))
  const names = ports.map((_, index) => `nats-${index + 1}`)
  const starting = ports.map((port, index) =>
    startNats({
      users,
      serverName: names[index] ?? '',
      cluster: { name: 'city', port, routePorts: ports.filter((other) => other !== port) },
    }),
  )
  const settled = await Promise.allSettled(starting)
  const servers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const cluster: NatsCluster = {
    servers,
    url: servers.map(({ url }) => url).join(','),
    named(name) {
      const server = servers[names.indexOf(name)]
      if (server === undefined) throw new Error(`no server ${name} among ${names.join(', ')}`)
      return server
    },
    async whole() {
      await Promise.all(servers.map((server) => untilWhole(server)))
    },
    stop,
  }
  try {
    if (servers.length < size) throw new Error('not all servers of the cluster started')
    await cluster.whole()
  } catch (error) {
    await stop()
    throw settled.find((one) => one.status === 'rejected')?.reason ?? error
  }
  return cluster
}

const untilWhole = ({ monitorUrl }: NatsServer): Promise<unknown> =>
  until(() => fetch(`${monitorUrl}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(({ ok }) => ok), {
    deadlineMs: wholeDeadlineMs,
    what: 'the cluster of nats-servers to be whole',
  })
