// One request at a time, from bytes to bytes: remembered, met by a fault or answered, and then somebody may be woken.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerWithFault, comesInstead, sendJson, sendThrough, type Fault, type FaultRule } from './faults.ts'
import type { PollClock, Polls } from './polls.ts'
import { ok, refusal, Refused, type Reply } from './reply.ts'
import { routeTo, type Home } from './routes.ts'
import { pollOf } from './sync-endpoint.ts'

export type SeenRequest = {
  readonly method: string
  /** Without `/_matrix/client/v3`, its parts encoded as they came. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: IncomingMessage['headers']
  /** The kind of fault it met. */
  readonly fault: Fault['kind'] | undefined
  readonly atMs: number
  /** When the answer was over, or the connection: undefined while it is being held. */
  endedAtMs: number | undefined
}

export type Notice = (request: SeenRequest, phase: 'begins' | 'ends') => void

export type Double = {
  readonly home: Home
  readonly polls: Polls
  readonly clock: PollClock
  readonly rules: { readonly rule: FaultRule; left: number }[]
  readonly requests: SeenRequest[]
  readonly notice: Notice | undefined
}

// More than any test looks back at.
const requestsMax = 10_000
// No request of ours comes near this.
const bodyBytesMax = 1_000_000
const apiPath = /^\/_matrix\/client\/(?:v3|r0)/

export function serve(double: Double, request: IncomingMessage, response: ServerResponse): void {
  answer(double, request, response).catch((error: unknown) => {
    if (response.headersSent) response.destroy()
    else sendJson(response, 500, { errcode: 'M_UNKNOWN', error: String(error) })
  })
}

async function answer(double: Double, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { fault, request: seen } = remember(double, await readRequest(double, request))
  response.once('close', () => {
    seen.endedAtMs = double.clock.wallMs()
    double.notice?.(seen, 'ends')
  })
  if (fault !== undefined && comesInstead(fault)) {
    answerWithFault(response, fault)
    return
  }
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const reply = await replyTo(double, seen, gone.signal)
  sendThrough(response, reply, fault, (ms, run) => double.clock.after(ms, run))
}

type Arrived = { readonly request: SeenRequest; readonly fault: Fault | undefined }

async function readRequest({ rules, clock }: Double, request: IncomingMessage): Promise<Arrived> {
  const { method = 'GET', headers } = request
  const url = new URL(request.url ?? '/', 'http://double')
  const path = url.pathname.replace(apiPath, '')
  const fault = takeFault(rules, method, path)
  const body = await readBody(request)
  return {
    fault,
    request: {
      method,
      path,
      query: url.searchParams,
      body,
      headers,
      fault: fault?.kind,
      atMs: clock.wallMs(),
      endedAtMs: undefined,
    },
  }
}

function takeFault(rules: Double['rules'], method: string, path: string): Fault | undefined {
  const found = rules.find(
    ({ rule, left }) => left > 0 && (rule.method ?? method) === method && (rule.path?.test(path) ?? true),
  )
  if (found !== undefined) found.left--
  return found?.rule.fault
}

function remember({ requests, notice }: Double, arrived: Arrived): Arrived {
  requests.push(arrived.request)
  notice?.(arrived.request, 'begins')
  if (requests.length > requestsMax) requests.shift()
  return arrived
}

async function replyTo(double: Double, request: SeenRequest, gone: AbortSignal): Promise<Reply> {
  try {
    return await replyOrRefuse(double, request, gone)
  } catch (error) {
    if (error instanceof Refused) return error.reply
    throw error
  }
}

async function replyOrRefuse({ home, polls, clock }: Double, request: SeenRequest, gone: AbortSignal): Promise<Reply> {
  const { method, path, query, body } = request
  if (path === '/_matrix/client/versions') return ok({ versions: ['v1.1', 'v1.12'] })
  const session = home.accounts.authenticate(request.headers.authorization)
  if (method === 'GET' && path === '/sync') {
    const poll = pollOf(home, session, query, () => clock.wallMs())
    // That he shows up may be news for others.
    polls.wake()
    return ok((await polls.answer(poll, gone)).bodyAt(clock.wallMs()))
  }
  const route = routeTo(method, path)
  if (route === undefined) return refusal(404, 'M_UNRECOGNIZED', 'Unrecognized request')
  const reply = route.run(home, { session, query, body, nowMs: clock.wallMs() })
  polls.wake()
  return reply
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) throw new Error('a request with a body of more than a megabyte')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  const parsed: unknown = text === '' ? {} : JSON.parse(text)
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
}
