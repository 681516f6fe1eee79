// A TCP proxy that breaks what it carries, as told: between a service and a server, for all that networks do and a test machine
// does not. It listens on one port for its whole life and carries to another one.
//
//   client --- 127.0.0.1:port [ pass | slow, sliced, late | hold | swallow | reset | refuse ] --- server
import { createServer, type Server, type Socket } from 'node:net'
import { systemClock, type Clock } from '@citypresence/chassis/edge/clock'
import { openConnection, type Connection, type Mode } from './tcp-proxy/connection.ts'

export type { Mode } from './tcp-proxy/connection.ts'

export type TcpProxyOptions = {
  /** Where it carries to, on this machine. */
  readonly to: number
  /** Where it listens; by default at a free port of 127.0.0.1. */
  readonly at?: { readonly host: string; readonly port: number }
  readonly clock?: Clock
}

export type TcpProxy = {
  readonly port: number
  /** Connections that were asked for since it began, those it reset included; refused ones are not seen. */
  readonly dials: number
  readonly open: number
  /** For all connections there are, and all that come. `{ kind: 'pass' }` mends. */
  become(mode: Mode): Promise<void>
  /** Throws out whoever is connected, once. */
  resetAll(): void
  /** Says goodbye to whoever is connected, without hanging up, once. */
  halfCloseAll(): void
  stop(): Promise<void>
}

export async function startTcpProxy({ to, at = anywhere, clock = systemClock }: TcpProxyOptions): Promise<TcpProxy> {
  const connections = new Set<Connection>()
  let mode: Mode = { kind: 'pass' }
  let dials = 0
  const take = (client: Socket): void => {
    dials++
    client.setNoDelay()
    if (mode.kind === 'reset' || mode.kind === 'refuse') {
      client.on('error', () => undefined)
      client.resetAndDestroy()
      return
    }
    const connection = openConnection({ client, port: to, mode, clock, closed: () => connections.delete(connection) })
    connections.add(connection)
  }
  let server: Server | undefined = await listen(take, at)
  const { port } = server.address() as { port: number }
  return {
    port,
    get dials() {
      return dials
    },
    get open() {
      return connections.size
    },
    async become(next) {
      mode = next
      if (next.kind === 'refuse') {
        server?.close()
        server = undefined
      } else server ??= await listen(take, { ...at, port })
      for (const connection of [...connections]) connection.become(next)
    },
    resetAll() {
      for (const connection of [...connections]) connection.reset()
    },
    halfCloseAll() {
      for (const connection of connections) connection.halfClose()
    },
    async stop() {
      for (const connection of [...connections]) connection.reset()
      await new Promise((resolve) => {
        if (server === undefined) resolve(undefined)
        else server.close(resolve)
      })
    },
  }
}

const anywhere = { host: '127.0.0.1', port: 0 }

function listen(take: (client: Socket) => void, { host, port }: { host: string; port: number }): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, take)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}
