// A whole gateway in this process, on loopback, fed by hand: the loop, the door and the sockets as main.ts wires them, without NATS.
import { systemClock } from '@citypresence/chassis/edge/clock'
import { createLogger } from '@citypresence/chassis/log'
import { createMetrics } from '@citypresence/chassis/metrics'
import { secretFromText } from '@citypresence/chassis/secret'
import { makeToken } from '@citypresence/stack/tokens'
import WebSocket, { type ClientOptions } from 'ws'
import { createAuthenticate, secretKeys } from '../edge/authenticate.ts'
import { startWsServer, type WsServerOptions } from '../edge/ws-server.ts'
import { createGatewayMetrics } from '../metrics.ts'
import { serve } from '../serve.ts'

export const secret = 'a secret of at least thirty-two bytes'
export const tokenFor = (expiresInS = 3_600): string => makeToken({ secret, expiresInS })

export type Hall = Awaited<ReturnType<typeof startHall>>

export async function startHall(options: Partial<WsServerOptions> & { drainMs?: number; privacyFloor?: number } = {}) {
  const lines: string[] = []
  const log = createLogger({
    service: 'gateway',
    level: 'trace',
    destination: { write: (line: string) => void lines.push(line) },
  })
  const metrics = createMetrics('gateway')
  const gatewayMetrics = createGatewayMetrics(metrics)
  const gateway = serve({
    clock: systemClock,
    defer: (run) => void setImmediate(run),
    metrics: gatewayMetrics,
    startSpan: () => ({ end: () => undefined }),
    isRevoked: options.isRevoked ?? (() => false),
    drainMs: options.drainMs ?? 200,
    privacyFloor: options.privacyFloor ?? 0,
  })
  const server = await startWsServer({
    host: '127.0.0.1',
    port: 0,
    doors: gateway,
    authenticate: createAuthenticate({ keys: secretKeys(secretFromText(secret)), algorithms: ['HS256'] }),
    clock: systemClock,
    isReady: () => true,
    allowedOrigins: [],
    connectionsMax: 100,
    addressOf: () => undefined,
    perAddressMax: 0,
    perSubjectMax: 0,
    isRevoked: () => false,
    directWrites: true,
    pageFolder: undefined,
    countRefusal: (code) => metrics.errors.inc({ code }),
    log,
    ...options,
  })
  const browsers: Browser[] = []
  return {
    gateway,
    server,
    port: server.port,
    url: `http://127.0.0.1:${server.port}`,
    /** Everything that was written: log lines and metrics. */
    written: async () => lines.join('') + (await metrics.registry.metrics()),
    room(slug: string, online: number) {
      gateway.feed.changed([{ room_slug: slug, online_count: online, typing_count: 0 }], {})
    },
    open(token: string | undefined = tokenFor(), more: ClientOptions & { path?: string } = {}): Browser {
      const query = token === '' ? '' : `?token=${token}`
      const browser = new Browser(`ws://127.0.0.1:${server.port}${more.path ?? '/ws/city/presence'}${query}`, more)
      browsers.push(browser)
      return browser
    },
    async stop() {
      for (const { socket } of browsers) socket.terminate()
      gateway.stop()
      await server.stop()
    },
  }
}

/** A browser, as far as one end of a socket goes. */
export class Browser {
  readonly socket: WebSocket
  readonly messages: Record<string, unknown>[] = []
  readonly texts: string[] = []
  closed: { code: number; reason: string } | undefined
  refused: number | undefined
  readonly #counts = new Map<string, unknown>()

  constructor(url: string, options: ClientOptions) {
    this.socket = new WebSocket(url, ['city-presence'], options)
    this.socket.on('message', (data: Buffer) => {
      const text = data.toString()
      this.texts.push(text)
      if (text.startsWith('{')) this.hear(JSON.parse(text) as Record<string, unknown>)
    })
    this.socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }))
    this.socket.on('unexpected-response', (request, response) => {
      this.refused = response.statusCode
      request.destroy()
    })
    this.socket.on('error', () => undefined)
  }

  get isOpen(): boolean {
    return this.messages.length > 0
  }

  hear(message: Record<string, unknown>): void {
    this.messages.push(message)
    const rooms = Array.isArray(message['rooms']) ? (message['rooms'] as Record<string, unknown>[]) : [message]
    for (const room of rooms) this.#counts.set(String(room['room_slug']), room['online_count'])
  }

  /** The newest count of a room that it was told, by snapshot or update. */
  shows(slug: string): unknown {
    return this.#counts.get(slug)
  }
}
