// A browser's socket. The ws library reads what comes in and does the closing handshake; what goes out is written past it, because
// everybody gets the same bytes, framed once.
//
// The listeners are functions shared by all sockets (`this` says which one): ten thousand idle readers cost no closures.
import type { Socket } from 'node:net'
import { pingText, type CloseCode } from '@citypresence/wire/client-messages'
import WebSocket, { type RawData } from 'ws'
import type { Client, Outlet } from '../core/client.ts'
import { writeAtOnce } from './direct-write.ts'

/** What the loop wants to hear of a browser. */
export interface BrowserListener {
  message(client: Client, text: string | undefined): void
  pong(client: Client, payload: Uint8Array): void
  left(client: Client): void
}

/** ws makes its sockets of this class; the fields lead from an event to its client. */
export class ClientSocket extends WebSocket {
  client: Client | undefined
  listener: BrowserListener | undefined
  raw: Socket | undefined
  /** The set it takes itself out of at the end. */
  others: Set<ClientSocket> | undefined
}

export class SocketOutlet implements Outlet {
  readonly raw: Socket
  readonly socket: ClientSocket
  readonly isDirect: boolean

  constructor(raw: Socket, socket: ClientSocket, isDirect: boolean) {
    this.raw = raw
    this.socket = socket
    this.isDirect = isDirect
  }

  get pendingBytes(): number {
    return this.raw.writableLength
  }

  send(bytes: Buffer): void {
    // After a close frame, theirs or ours, nothing may follow. A reset is told to the library only in a later turn, and until then
    // each write would cost an error with its stack: thousands for who sent thousands of pings before it.
    if (this.socket.readyState !== WebSocket.OPEN || this.raw.destroyed) return
    const rest = this.isDirect ? writeAtOnce(this.raw, bytes) : bytes
    if (rest !== undefined) this.raw.write(rest)
  }

  close({ code, reason }: CloseCode): void {
    this.socket.close(code, reason)
  }
}

/** From now on the loop hears of this browser. */
export function listenTo(
  socket: ClientSocket,
  client: Client,
  listener: BrowserListener,
  others: Set<ClientSocket>,
): void {
  others.add(socket)
  socket.others = others
  socket.client = client
  socket.listener = listener
  socket.on('message', onMessage)
  socket.on('pong', onPong)
  socket.on('close', onClose)
}

/** A reset: onClose follows. */
export const ignoreError = (): void => undefined

// What was under way when our close left: a window of what browsers send at once. They have nothing to say that is longer.
const restBytesMax = 64 * 1_024

/**
 * A broken frame: the library has begun to close, and reads on to throw it away until the peer closes too. Whoever breaks the
 * protocol could pour gigabytes into that, so it is cut when it goes on.
 */
export function boundRest(this: WebSocket): void {
  if (!(this instanceof ClientSocket)) return
  let rest = 0
  this.raw?.on('data', (data: Buffer) => {
    rest += data.length
    if (rest > restBytesMax) this.terminate()
  })
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  if (!(this instanceof ClientSocket) || this.client === undefined) return
  this.listener?.message(this.client, isBinary ? undefined : textOf(data))
}

/** Only a text as short as a ping is worth decoding; the empty one stands for all others. */
const textOf = (data: RawData): string =>
  Buffer.isBuffer(data) && data.length <= pingText.length ? data.toString('latin1') : ''

function onPong(this: WebSocket, payload: Buffer): void {
  if (this instanceof ClientSocket && this.client !== undefined) this.listener?.pong(this.client, payload)
}

function onClose(this: WebSocket): void {
  if (!(this instanceof ClientSocket)) return
  if (this.client !== undefined) this.listener?.left(this.client)
  this.client = undefined
  this.others?.delete(this)
}
