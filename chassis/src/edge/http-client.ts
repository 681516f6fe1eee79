// HTTP requests that cannot hurt the one who asks:
//
//   request -> keep-alive agent (CA file) -> status, headers -> [gunzip] -> count bytes -> body
//              '------------------ one deadline over all of it, a dripping body included ----------------'
//
// Redirects are refused, because they could carry a token elsewhere. The byte cap counts after decompression: 300 KB of
// gzip can be 300 MB of text. Every failure is a CityError whose message names host and path, never query or headers.
import { type Readable, pipeline } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { Agent, type Dispatcher, request as undiciRequest } from 'undici'
import { CityError } from '../errors.ts'
import { type Clock, systemClock } from './clock.ts'
import { createFingerprint } from './files.ts'
import { collectBody, type Reading } from './http-body.ts'
import { toHttpError } from './http-errors.ts'

export type HttpRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'PATCH'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Over the whole exchange. */
  readonly timeoutMs: number
  /** After decompression. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
  /** A body with status 200 is handed over as it comes and not kept; maxBytes counts all the same. */
  readonly onBytes?: (bytes: Uint8Array) => void
  /** Connections that somebody else keeps, in place of the client's own. */
  readonly through?: Dispatcher
}

export type HttpResponse = {
  readonly status: number
  /** Names in lower case; repeated ones joined by ', '. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface HttpClient {
  request(url: string | URL, request: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

/** PEM as text, or in a file that is read again when it changes. */
export type PemSource = { readonly text: string } | { readonly file: string }

export type HttpClientOptions = {
  /** Replaces the system's authorities for this client. */
  readonly caFile?: string | undefined
  readonly ca?: PemSource | undefined
  /** Who we are, for servers that ask. */
  readonly client?: { readonly cert: PemSource; readonly key: PemSource } | undefined
  readonly userAgent: string
  readonly clock?: Clock
}

/** One long poll, a few reads and joins beside it. */
const connectionsPerOriginMax = 8
/** A client talks to the one or two servers of its settings. */
const originsMax = 8
/** A server that closes idle connections earlier than this says so in its Keep-Alive header. */
const keepAliveTimeoutMs = 20_000
const headerBytesMax = 32 * 1024

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { caFile, ca = caFile === undefined ? undefined : { file: caFile }, client } = options
  const { userAgent, clock = systemClock } = options
  const agents = createAgents({ ca, cert: client?.cert, key: client?.key })
  return {
    request: (url, request) => exchange(request.through ?? agents.current(), new URL(url), request, userAgent, clock),
    close: () => agents.close(),
  }
}

type Pems = Readonly<Record<'ca' | 'cert' | 'key', PemSource | undefined>>

/** The agent in use; another one when a file has another content (the old one finishes what it began). */
function createAgents(pems: Pems) {
  const looks = Object.values(pems).flatMap((one) =>
    one !== undefined && 'file' in one ? [createFingerprint(one.file)] : [],
  )
  // One that is gone for a moment, in the middle of a swap, is no news.
  const fingerprint = (): string | undefined => {
    const all = looks.map((look) => look())
    return all.includes(undefined) || all.length === 0 ? undefined : all.join(' ')
  }
  let seen = fingerprint()
  let agent = createAgent(pems)
  return {
    current() {
      const now = fingerprint()
      if (now !== undefined && now !== seen) {
        void agent.close()
        agent = createAgent(pems)
        seen = now
      }
      return agent
    },
    close: () => agent.destroy(),
  }
}

function createAgent({ ca, cert, key }: Pems): Agent {
  return new Agent({
    connections: connectionsPerOriginMax,
    maxOrigins: originsMax,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: headerBytesMax,
    // Our own deadline stands over the whole exchange; two more clocks would only blur its message.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: {
      ...(ca === undefined ? {} : { ca: readPem(ca, 'CA') }),
      ...(cert === undefined ? {} : { cert: readPem(cert, 'certificate') }),
      ...(key === undefined ? {} : { key: readPem(key, 'key') }),
    },
  })
}

function readPem(source: PemSource, what: string): string {
  if ('text' in source) return source.text
  try {
    return readFileSync(source.file, 'utf8')
  } catch (cause) {
    throw new CityError('FileUnreadable', `the ${what} file ${source.file} cannot be read`, { cause })
  }
}

async function exchange(
  agent: Dispatcher,
  url: URL,
  request: HttpRequest,
  userAgent: string,
  clock: Clock,
): Promise<HttpResponse> {
  const { timeoutMs, maxBytes, signal } = request
  const where = `${request.method ?? 'GET'} ${url.origin}${url.pathname}`
  const abort = new AbortController()
  const timedOut = () => abort.abort(new CityError('HttpTimeout', `${where}: not finished after ${timeoutMs} ms`))
  const cancelled = () => abort.abort(new CityError('Aborted', `${where}: cancelled`))
  const cancelTimer = clock.after(timeoutMs, timedOut)
  signal?.addEventListener('abort', cancelled, { once: true })
  if (signal?.aborted === true) cancelled()
  try {
    const answer = await send(agent, url, request, userAgent, abort.signal)
    refuseRedirect(answer, where)
    const body = await readBody(answer, { maxBytes, onBytes: request.onBytes }, where)
    return { status: answer.statusCode, headers: flatten(answer.headers), body }
  } catch (error) {
    throw abort.signal.aborted && abort.signal.reason instanceof CityError
      ? abort.signal.reason
      : toHttpError(error, where)
  } finally {
    cancelTimer()
    signal?.removeEventListener('abort', cancelled)
  }
}

function send(
  agent: Dispatcher,
  url: URL,
  request: HttpRequest,
  userAgent: string,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip, deflate, br', ...lowerCase(request.headers) }
  return undiciRequest(url, {
    dispatcher: agent,
    method: request.method ?? 'GET',
    headers,
    body: request.body ?? null,
    signal,
  })
}

const lowerCase = (headers: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

function refuseRedirect({ statusCode, body }: Dispatcher.ResponseData, where: string): void {
  if (statusCode < 300 || statusCode > 399 || statusCode === 304) return
  body.on('error', ignore).destroy()
  throw new CityError('HttpRedirected', `${where}: answered with redirect ${statusCode}`)
}

const ignore = () => undefined

async function readBody(answer: Dispatcher.ResponseData, reading: Reading, where: string): Promise<Uint8Array> {
  const plain = decompress(answer)
  const onBytes = answer.statusCode === 200 ? reading.onBytes : undefined
  try {
    return await collectBody(plain as AsyncIterable<Uint8Array>, { ...reading, onBytes }, where)
  } finally {
    plain.on('error', ignore).destroy()
    answer.body.on('error', ignore).destroy()
  }
}

function decompress({ headers, body }: Dispatcher.ResponseData): Readable {
  const encoding = String(headers['content-encoding'] ?? 'identity')
    .trim()
    .toLowerCase()
  if (encoding === 'identity' || encoding === '') return body
  const decompressor = createDecompressor(encoding)
  // Errors of the body, an abort among them, arrive at the decompressor, where collect hears them.
  return pipeline(body, decompressor, ignore)
}

function createDecompressor(encoding: string) {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip()
  if (encoding === 'deflate') return createInflate()
  if (encoding === 'br') return createBrotliDecompress()
  throw new CityError('HttpGarbled', `unknown content-encoding ${JSON.stringify(encoding.slice(0, 40))}`)
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  return flat
}
