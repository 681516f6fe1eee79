// Answers that no healthy server gives. A script says which requests meet them, how often, and what comes instead.
import { randomFillSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { createGzip, gzipSync } from 'node:zlib'
import type { Reply } from './reply.ts'

export type Fault =
  /** A refusal with a JSON body. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: unknown
      readonly headers?: Readonly<Record<string, string>>
    }
  /** 429; each of the two ways to say how long is there only when given. */
  | { readonly kind: 'rate-limited'; readonly retryAfterHeader?: string; readonly retryAfterMs?: number }
  /** What a proxy says when the server behind it is gone. */
  | { readonly kind: 'html'; readonly status?: number }
  /** Any bytes as a good answer. */
  | { readonly kind: 'bytes'; readonly body: Uint8Array | string; readonly contentType?: string }
  /** The connection ends without an answer. */
  | { readonly kind: 'reset' }
  /** No byte ever. */
  | { readonly kind: 'silent' }
  /** Headers, and then no byte of the body. */
  | { readonly kind: 'stalled' }
  /** The right answer, a byte at a time: each one resets a deadline that only looks at the last byte. */
  | { readonly kind: 'dripping'; readonly everyMs: number }
  /** The right answer, cut off in its middle; `politely`: with a length that fits, so that only the JSON is broken. */
  | { readonly kind: 'truncated'; readonly politely?: boolean }
  /** Endless spaces, packed a thousand to one. */
  | { readonly kind: 'gzip-bomb'; readonly bytes: number }
  /** The right answer, packed as a proxy would. */
  | { readonly kind: 'gzipped' }
  /** As many bytes as told, none of them JSON's beginning. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** The right answer, later. */
  | { readonly kind: 'delayed'; readonly delayMs: number }
  /** The right answer, changed. */
  | { readonly kind: 'rewritten'; readonly rewrite: (body: unknown) => unknown }

export type FaultRule = {
  readonly method?: string
  /** Matched against the path without `/_matrix/client/v3` and without the query. */
  readonly path?: RegExp
  /** How many requests meet it; all of them unless given. */
  readonly times?: number
  readonly fault: Fault
}

type Later = (ms: number, run: () => void) => () => void

/** Those that come instead of an answer; the others change the right one. */
export type InsteadOfAnswer = Exclude<Fault, { kind: 'dripping' | 'truncated' | 'gzipped' | 'delayed' | 'rewritten' }>
export const comesInstead = (fault: Fault): fault is InsteadOfAnswer =>
  !['dripping', 'truncated', 'gzipped', 'delayed', 'rewritten'].includes(fault.kind)

export function answerWithFault(response: ServerResponse, fault: InsteadOfAnswer): void {
  switch (fault.kind) {
    case 'status':
      sendJson(
        response,
        fault.status,
        fault.body ?? { errcode: 'M_UNKNOWN', error: 'Internal server error' },
        fault.headers,
      )
      break
    case 'rate-limited':
      sendRateLimited(response, fault)
      break
    case 'html':
      send(
        response,
        fault.status ?? 502,
        Buffer.from('<html><body><h1>502 Bad Gateway</h1></body></html>'),
        'text/html',
      )
      break
    case 'bytes':
      send(response, 200, Buffer.from(fault.body), fault.contentType ?? 'application/json')
      break
    case 'reset':
      response.destroy()
      break
    case 'silent':
      break
    case 'stalled':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.flushHeaders()
      break
    case 'gzip-bomb':
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      pour(response, fault.bytes, Buffer.alloc(chunkBytes, ' '), createGzip())
      break
    case 'huge':
      response.writeHead(200, { 'content-type': 'application/json' })
      pour(response, fault.bytes, randomFillSync(Buffer.alloc(chunkBytes)).fill('x', 0, 1))
      break
  }
}

function sendRateLimited(response: ServerResponse, fault: Extract<Fault, { kind: 'rate-limited' }>): void {
  const { retryAfterHeader, retryAfterMs } = fault
  const body = {
    errcode: 'M_LIMIT_EXCEEDED',
    error: 'Too Many Requests',
    ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
  }
  sendJson(response, 429, body, retryAfterHeader === undefined ? {} : { 'retry-after': retryAfterHeader })
}

/** The right answer, in the way a fault wants it. */
export function sendThrough(response: ServerResponse, reply: Reply, fault: Fault | undefined, later: Later): void {
  const { status } = reply
  const bytes = Buffer.from(JSON.stringify(fault?.kind === 'rewritten' ? fault.rewrite(reply.body) : reply.body))
  switch (fault?.kind) {
    case 'dripping':
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
      drip(response, bytes, fault.everyMs, later)
      break
    case 'truncated':
      truncate(response, status, bytes, fault.politely === true)
      break
    case 'gzipped':
      send(response, status, gzipSync(bytes), 'application/json', { 'content-encoding': 'gzip' })
      break
    case 'delayed':
      later(fault.delayMs, () => send(response, status, bytes, 'application/json'))
      break
    default:
      send(response, status, bytes, 'application/json', reply.headers)
  }
}

// 64 KiB: what a socket takes at once.
const chunkBytes = 65_536

/** Writes as fast as the reader takes it and no faster, and ends with whoever ends first. */
function pour(response: ServerResponse, bytes: number, chunk: Buffer, through?: ReturnType<typeof createGzip>): void {
  const sink = through ?? response
  through?.pipe(response)
  let left = bytes
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length
      if (!sink.write(chunk)) {
        sink.once('drain', more)
        return
      }
    }
    sink.end()
  }
  response.once('close', () => through?.destroy())
  more()
}

function drip(response: ServerResponse, bytes: Buffer, everyMs: number, later: Later): void {
  let at = 0
  const next = (): void => {
    if (response.destroyed) return
    response.write(bytes.subarray(at, ++at))
    if (at < bytes.length) later(everyMs, next)
    else response.end()
  }
  next()
}

function truncate(response: ServerResponse, status: number, bytes: Buffer, politely: boolean): void {
  const half = bytes.subarray(0, Math.ceil(bytes.length / 2))
  if (politely) {
    send(response, status, half, 'application/json')
    return
  }
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.write(half, () => response.destroy())
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  send(response, status, Buffer.from(JSON.stringify(body)), 'application/json', headers)
}

function send(
  response: ServerResponse,
  status: number,
  bytes: Buffer,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length, ...headers })
  response.end(bytes)
}
