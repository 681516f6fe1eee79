// One connection through the proxy: two sockets and the two pipes between them.
//
//   client socket --data--> pipe --when due--> server socket      and the same back
//
// What is read is passed, swallowed or held as the proxy's mode says at that moment. A swallowed connection stays swallowed for
// good: bytes are missing in it, as after a firewall that forgot it.
import { connect, type Socket } from 'node:net'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { createPipe, hurry, nextAtMs, put, take, type Pipe, type Shape } from './pipe.ts'

export type Mode =
  | ({ readonly kind: 'pass' } & Shape)
  /** Nobody listens, and whoever was connected is thrown out. */
  | { readonly kind: 'refuse' }
  /** As `refuse`, but the connection comes about first and is reset then: dials can be counted. */
  | { readonly kind: 'reset' }
  /** The connections stay open, and nothing comes through in either direction. */
  | { readonly kind: 'swallow' }
  /** Nothing comes through until the mode changes, and then all of it at once. */
  | { readonly kind: 'hold' }

export type Connection = {
  become(mode: Mode): void
  /** The server says goodbye (FIN); what the client says still arrives. */
  halfClose(): void
  reset(): void
}

// A peer that reads nothing holds so much of ours; then its sender has to wait.
const queuedBytesMax = 4 * 1024 * 1024

type Way = { readonly from: Socket; readonly to: Socket; readonly pipe: Pipe; cancel: () => void; ended: boolean }

export type ConnectionOptions = {
  readonly client: Socket
  readonly port: number
  readonly mode: Mode
  readonly clock: Clock
  readonly closed: () => void
}

export function openConnection({ client, port, mode: first, clock, closed }: ConnectionOptions): Connection {
  const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  let mode = first
  let swallowed = mode.kind === 'swallow'
  let over = false
  const ways = [wayOf(client, server), wayOf(server, client)]

  const end = (byReset: boolean): void => {
    if (over) return
    over = true
    for (const way of ways) {
      way.cancel()
      if (byReset) reset(way.from)
      else way.from.destroy()
    }
    closed()
  }
  const flow = (way: Way): void => {
    way.cancel()
    if (over || swallowed || mode.kind === 'hold') return
    for (const bytes of take(way.pipe, clock.monotonicMs())) way.to.write(bytes)
    if (way.pipe.queuedBytes < queuedBytesMax) way.from.resume()
    const dueAtMs = nextAtMs(way.pipe)
    if (dueAtMs !== undefined) way.cancel = clock.after(dueAtMs - clock.monotonicMs(), () => flow(way))
    else if (way.ended) way.to.end()
  }
  for (const way of ways) {
    way.from.on('data', (bytes: Buffer) => {
      if (swallowed) return
      put(way.pipe, bytes, mode.kind === 'pass' ? mode : {}, clock.monotonicMs())
      if (way.pipe.queuedBytes >= queuedBytesMax) way.from.pause()
      flow(way)
    })
    way.from.on('end', () => {
      way.ended = true
      flow(way)
    })
    way.from.on('error', () => undefined) // a close follows
    way.from.on('close', () => {
      const isLast = ways.every(({ from }) => from.destroyed)
      // Nobody on the other side of a swallowed link hears that this one has gone; and what is still on its way arrives.
      if (isLast || (!swallowed && way.pipe.queue.length === 0)) end(!way.ended)
    })
  }
  return {
    become(next) {
      mode = next
      swallowed ||= next.kind === 'swallow'
      if (next.kind === 'refuse' || next.kind === 'reset') end(true)
      for (const way of ways) {
        if (next.kind === 'pass') hurry(way.pipe, clock.monotonicMs())
        flow(way)
      }
    },
    halfClose: () => void client.end(),
    reset: () => end(true),
  }
}

/** A socket that has said goodbye cannot be reset: Node would never close its handle, and spin at the end of the process. */
function reset(socket: Socket): void {
  if (socket.writableEnded || socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}

const wayOf = (from: Socket, to: Socket): Way => ({
  from,
  to,
  pipe: createPipe(),
  cancel: () => undefined,
  ended: false,
})
