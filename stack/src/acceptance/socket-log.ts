// A browser's socket reduced to a notebook: what came over it, in order, and how it ended.
import { WebSocket } from 'ws'
import { until } from '../until.ts'

export type Message = Readonly<Record<string, unknown>> & { type: string }

export type SocketLog = {
  readonly messages: readonly Message[]
  /** Set once the socket is closed, or was refused with an HTTP status. */
  readonly end: { code?: number; status?: number } | undefined
  /** The first message from `after` on that fits; waits for it. */
  next(fits: (message: Message) => boolean, what: string, after?: number): Promise<Message>
  close(): void
}

export type SocketOptions = { headers?: Readonly<Record<string, string>>; protocols?: readonly string[] }

const messageDeadlineMs = 15_000 // a throttle window, a restart of the long poll, and a busy machine

export function openSocket(url: string, options: SocketOptions = {}): SocketLog {
  const socket = new WebSocket(url, [...(options.protocols ?? [])], { headers: { ...options.headers } })
  const messages: Message[] = []
  const log: { end: SocketLog['end'] } = { end: undefined }
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    if (text !== 'pong') messages.push(JSON.parse(text) as Message)
  })
  socket.on('error', () => undefined) // an end follows, and that is looked at
  socket.on('unexpected-response', (request, response) => {
    log.end = { status: response.statusCode ?? 0 }
    request.destroy()
  })
  socket.on('close', (code) => (log.end ??= { code }))
  return {
    messages,
    get end() {
      return log.end
    },
    next: (fits, what, after = 0) =>
      until(() => messages.slice(after).find(fits), { deadlineMs: messageDeadlineMs, what }),
    close: () => socket.close(),
  }
}
