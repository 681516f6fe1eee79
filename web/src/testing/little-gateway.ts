// A gateway that does as it is told, in this process: it serves the built page under the strict policy, speaks the browser's
// protocol, and can be made to close, refuse, hang or fall silent.
//
//   /city, /city/*            the page folder        GET /api/city/presence   200, or what `refuse` says
//   /ws/city/presence         token as subprotocol, snapshot, then whatever the test sends; `ping` -> `pong`
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { Duplex } from 'node:stream'
import {
  pingText,
  pongText,
  snapshotPath,
  socketPath,
  socketProtocol,
  tokenProtocolPrefix,
  type ClientMessage,
  type RoomView,
} from '@citypresence/wire/client-messages'
import { WebSocketServer, type WebSocket } from 'ws'

// As strict as the gateway's own.
const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

export class LittleGateway {
  /** What the next session is greeted with; `greet = false` lets it wait. */
  rooms: RoomView[] = []
  greet = true
  /** The HTTP status with which handshakes and questions are refused; 0 lets them in. */
  refuse = 0
  /** Answers no ping and sends nothing by itself. */
  mute = false
  /** The token of each handshake, and of each question why. */
  readonly handshakes: string[] = []
  readonly questions: string[] = []
  readonly requests: string[] = []
  readonly heard: string[] = []
  readonly #sockets = new Set<WebSocket>()
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #sessions = new WebSocketServer({ noServer: true, handleProtocols: () => socketProtocol })
  readonly #pageFolder: string | undefined
  #port = 0

  constructor(pageFolder?: string) {
    this.#pageFolder = pageFolder
  }

  async start(): Promise<void> {
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get sessions(): number {
    return this.#sockets.size
  }

  send(...messages: readonly ClientMessage[]): void {
    for (const message of messages) this.sendText(JSON.stringify(message))
  }

  sendText(text: string): void {
    for (const socket of this.#sockets) socket.send(text)
  }

  closeAll(code: number, reason = ''): void {
    for (const socket of this.#sockets) socket.close(code, reason)
  }

  /** Ends every connection as a broken line does: no close frame. */
  cut(): void {
    for (const socket of this.#sockets) socket.terminate()
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined)
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/, */)
    this.handshakes.push(
      offered.find((text) => text.startsWith(tokenProtocolPrefix))?.slice(tokenProtocolPrefix.length) ?? '',
    )
    this.requests.push(request.url ?? '')
    if (this.refuse !== 0 || request.url !== socketPath || !offered.includes(socketProtocol)) {
      socket.end(`HTTP/1.1 ${this.refuse || 404} Refused\r\nconnection: close\r\n\r\n`)
      return
    }
    this.#sessions.handleUpgrade(request, socket, head, (session) => this.#begin(session))
  }

  #begin(session: WebSocket): void {
    this.#sockets.add(session)
    session.on('close', () => this.#sockets.delete(session))
    session.on('message', (data: Buffer) => {
      this.heard.push(data.toString())
      if (!this.mute && data.toString() === pingText) session.send(pongText)
    })
    if (this.greet) session.send(JSON.stringify({ type: 'snapshot', rooms: this.rooms }))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.origin).pathname
    this.requests.push(request.url ?? '')
    if (path === snapshotPath) {
      this.questions.push((request.headers.authorization ?? '').replace('Bearer ', ''))
      response.writeHead(this.refuse || 200, { 'content-type': 'application/json' })
      response.end('{"type":"snapshot","rooms":[]}')
      return
    }
    await sendFile(this.#pageFolder ?? import.meta.dirname, path, response)
  }
}

async function sendFile(pageFolder: string, path: string, response: ServerResponse): Promise<void> {
  const wanted = path === '/city' || path === '/city/' ? 'index.html' : normalize(path.replace(/^\/city\//, ''))
  const file = join(pageFolder, wanted)
  if (!path.startsWith('/city') || !file.startsWith(pageFolder) || !existsSync(file)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, {
    'content-type': contentTypes[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': contentPolicy,
    'referrer-policy': 'no-referrer',
  })
  response.end(await readFile(file))
}

export async function startLittleGateway(rooms: RoomView[] = [], pageFolder?: string): Promise<LittleGateway> {
  const gateway = new LittleGateway(pageFolder)
  gateway.rooms = rooms
  await gateway.start()
  return gateway
}

export const room = (slug: string, online: number, typing = 0, extras: Partial<RoomView> = {}): RoomView => ({
  room_slug: slug,
  online_count: online,
  typing_count: typing,
  ...extras,
})

/** An update of one room, as the gateway sends it. */
export const update = (view: RoomView): ClientMessage => ({ type: 'room.presence', ...view })

/** A dozen rooms as lively as a city in the evening. */
export const eveningCity = (): RoomView[] => [
  room('general', 14, 2, { active: true }),
  room('welcome', 3),
  room('energy', 7, 1, { active: true }),
  room('transport', 5),
  room('water-works', 2),
  room('health', 9, 0, { active: true }),
  room('school-board', 0),
  room('old-harbour', 4),
  room('market-square', 21, 0, { active: true }),
  room('city-garden', 1),
  room('night-shift', 6),
  room('library', 0),
]
