// A stand-in for the city service: answers `GET /internal/city/rooms` with whatever rooms a test wants, counts who asks,
// and can be told to fail or to hang.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type CityServiceRoom = { slug: string; matrix_room_id?: string; matrix_room_alias?: string }

/** answer: 200. fail: this status, no rooms. hang: the request is taken and never answered. page: a proxy's page, as a good answer. */
export type Behaviour = { kind: 'answer' } | { kind: 'fail'; status: number } | { kind: 'hang' } | { kind: 'page' }

export type CityServiceOptions = {
  rooms?: readonly CityServiceRoom[]
  /** Asks for `Authorization: Bearer <token>`; without it 401. */
  token?: string
  port?: number
  /** The seed allows both: a bare array, or an object with `rooms`. */
  shape?: 'array' | 'object'
}

export type CityService = {
  readonly url: string
  readonly port: number
  readonly token: string | undefined
  rooms: readonly CityServiceRoom[]
  behaviour: Behaviour
  /** Every request for rooms, refused ones too. */
  readonly requests: number
  /** Those that came with a wrong token, or none. */
  readonly refused: number
  stop(): Promise<void>
}

export async function startCityService(options: CityServiceOptions = {}): Promise<CityService> {
  const state = {
    rooms: options.rooms ?? [],
    behaviour: { kind: 'answer' } as Behaviour,
    requests: 0,
    refused: 0,
  }
  const server = createServer((request, response) => {
    answer(request, response, state, options)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    port,
    token: options.token,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections() // hanging requests would keep it open for ever
      }),
  })
}

type State = Pick<CityService, 'rooms' | 'behaviour'> & { requests: number; refused: number }

function answer(request: IncomingMessage, response: ServerResponse, state: State, options: CityServiceOptions): void {
  const reply = replyTo(request, state, options)
  if (reply === 'none') return
  if (reply === 'page') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body><h1>Welcome to nginx</h1></body></html>')
    return
  }
  response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body))
}

function replyTo(
  request: IncomingMessage,
  state: State,
  options: CityServiceOptions,
): { status: number; body: unknown } | 'none' | 'page' {
  const path = (request.url ?? '').split('?')[0]
  if (request.method !== 'GET' || path !== '/internal/city/rooms')
    return { status: 404, body: { error: 'no such page' } }
  state.requests++
  if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
    state.refused++
    return { status: 401, body: { error: 'a bearer token is needed' } }
  }
  const { behaviour } = state
  if (behaviour.kind === 'hang') return 'none'
  if (behaviour.kind === 'page') return 'page'
  if (behaviour.kind === 'fail') return { status: behaviour.status, body: { error: 'told to fail' } }
  return { status: 200, body: options.shape === 'object' ? { rooms: state.rooms } : state.rooms }
}
