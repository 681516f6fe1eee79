// The peers as processes: each on the server's core, fed like our gateway, with readers that speak its protocol.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@citypresence/stack/free-port'
import { natsServerBinary } from '@citypresence/stack/cache'
import { startProcess } from '@citypresence/stack/process'
import { makeToken } from '@citypresence/stack/tokens'
import { isPortFree } from '@citypresence/stack/free-port'
import { connect } from '@nats-io/transport-node'
import { startChild } from '../harness/lines.ts'
import { pin, serverCore } from '../harness/machine.ts'
import { maskedFrame, type SinkOptions } from '../harness/sink.ts'
import { roomNow } from '../harness/room.ts'
import { centrifugeProgram } from './centrifuge.ts'
import { secret, type City } from './ours.ts'

type Peer = {
  readonly pid: number
  readonly readers: SinkOptions
  /** A peer that is not fed by our stream is fed here. */
  readonly keepSaying?: (rooms: number, everyMs: number) => { stop(): Promise<void> }
  stop(): Promise<void>
}

export type PeerName = 'naive-ws' | 'socket-io' | 'fastify-websocket' | 'nats-ws' | 'centrifuge'

export const peerTitles: Readonly<Record<PeerName, string>> = {
  'naive-ws': 'ws.send to each client',
  'socket-io': 'Socket.IO',
  'fastify-websocket': '@fastify/websocket',
  'nats-ws': 'nats-server, own WebSocket',
  centrifuge: 'centrifuge (Go)',
}

/** Undefined where it cannot be had on this machine. */
export async function startPeer(name: PeerName, city: City): Promise<Peer | undefined> {
  if (name === 'nats-ws') return startNatsWebSocket()
  if (name === 'centrifuge') return startCentrifuge(city)
  const { nats } = city
  const child = startChild(
    process.execPath,
    [join(import.meta.dirname, `../peers/${name}.ts`), nats.url, nats.gateway.user, nats.gateway.pass, secret],
    { core: serverCore },
  )
  const { port } = await child.line<{ port: number }>()
  return { pid: child.pid, readers: { port, ...nodeReaders(name) }, stop: () => child.stop() }
}

function nodeReaders(name: PeerName): { path: string; hello?: Buffer } {
  const token = `token=${makeToken({ secret })}`
  if (name === 'socket-io') return { path: `/socket.io/?EIO=4&transport=websocket&${token}`, hello: maskedFrame('40') }
  return { path: `/ws?${token}` }
}

/** Browsers subscribe to the subjects themselves; the server frames and buffers for each of them. It is feeder and fan-out in one. */
async function startNatsWebSocket(): Promise<Peer> {
  const [port, webPort] = [await freePort(), await freePort()]
  const folder = mkdtempSync(join(tmpdir(), 'bench-nats-'))
  const config = join(folder, 'nats.conf')
  writeFileSync(
    config,
    `listen: 127.0.0.1:${port}\nwebsocket { listen: "127.0.0.1:${webPort}", no_tls: true }\nmax_connections: 100000\n`,
  )
  const running = await startProcess({
    name: 'nats-server',
    command: natsServerBinary('current'),
    args: ['--config', config],
    // One core, as all others have.
    env: { GOMAXPROCS: '1' },
    logFile: join(folder, 'log'),
    ready: async () => !(await isPortFree(webPort)),
  })
  pin(running.pid, serverCore)
  const connection = await connect({ servers: `nats://127.0.0.1:${port}` })
  const hello = maskedFrame('CONNECT {"verbose":false}\r\nSUB city.presence.room.> 1\r\nPING\r\n', 0x82)
  return {
    pid: running.pid,
    readers: { port: webPort, path: '/', hello },
    keepSaying(rooms, everyMs) {
      const timer = setInterval(() => {
        for (let index = 0; index < rooms; index++)
          connection.publish(`city.presence.room.room${index}`, JSON.stringify(roomNow(index)))
      }, everyMs)
      return {
        stop() {
          clearInterval(timer)
          return Promise.resolve()
        },
      }
    },
    async stop() {
      await running.kill()
      await connection.close().catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startCentrifuge({ nats }: City): Promise<Peer | undefined> {
  const program = centrifugeProgram()
  if (program === undefined) return undefined
  const child = startChild(program, [nats.url, nats.gateway.user, nats.gateway.pass, secret], {
    core: serverCore,
    env: { GOMAXPROCS: '1' },
  })
  const { port } = await child.line<{ port: number }>()
  const hello = maskedFrame('{"id":1,"connect":{}}')
  return {
    pid: child.pid,
    // Its clients speak first.
    readers: { port, path: `/connection/websocket?token=${makeToken({ secret })}`, hello, isHelloAtOnce: true },
    stop: () => child.stop(),
  }
}
