// As much of a NATS server as a connection needs: INFO, CONNECT, PING and PONG, with a version to choose. For what a real
// server cannot be told to do: be old at the second connect, fall silent, take a password and then another.
import { once } from 'node:events'
import { type AddressInfo, type Socket, createServer } from 'node:net'

export type FakeNats = {
  readonly url: string
  /** What the next connect is told. */
  version: { version: string; api_lvl?: number }
  /** Answers each CONNECT: false refuses it as the real one does. */
  accept: (connect: Record<string, unknown>) => boolean
  /** Every CONNECT as it came. */
  readonly connects: Record<string, unknown>[]
  /** Every line that is not CONNECT, PING or PONG. */
  readonly others: string[]
  /** How many clients were greeted. */
  readonly greeted: () => number
  /** How many clients are connected. */
  readonly connected: () => number
  /** To everybody who is connected, as it stands. */
  say(text: string): void
  dropAll(): void
  stop(): Promise<void>
}

export async function startFakeNats(): Promise<FakeNats> {
  const sockets = new Set<Socket>()
  let greeted = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    greeted++
    const { port } = server.address() as AddressInfo
    const info = {
      server_id: 'fake',
      server_name: 'fake',
      host: '127.0.0.1',
      port,
      headers: true,
      max_payload: 1e6,
      proto: 1,
    }
    socket.write(`INFO ${JSON.stringify({ ...info, go: 'x', client_id: greeted, ...fake.version })}\r\n`)
    let rest = ''
    socket.on('data', (bytes) => {
      const lines = `${rest}${bytes.toString()}`.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) answerLine(fake, socket, line)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dropAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const fake: FakeNats = {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    version: { version: '2.15.1', api_lvl: 4 },
    accept: () => true,
    connects: [],
    others: [],
    greeted: () => greeted,
    connected: () => sockets.size,
    say(text) {
      for (const socket of sockets) socket.write(text)
    },
    dropAll,
    stop: async () => {
      dropAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

function answerLine(fake: FakeNats, socket: Socket, line: string): void {
  if (line === 'PING') socket.write('PONG\r\n')
  else if (line.startsWith('CONNECT ')) {
    const connect = JSON.parse(line.slice('CONNECT '.length)) as Record<string, unknown>
    fake.connects.push(connect)
    if (!fake.accept(connect)) socket.end(`-ERR 'Authorization Violation'\r\n`)
  } else if (line !== 'PONG') fake.others.push(line)
}
