import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { until } from '@citypresence/stack/until'
import { Crowd } from './crowd.ts'

let http: Server
let sockets: WebSocketServer
let refuses = 0
let snapshot = { market: 0 }
const truth = new Map([['market', 0]])

beforeEach(async () => {
  ;[refuses, snapshot] = [0, { market: 0 }]
  truth.set('market', 0)
  sockets = new WebSocketServer({ noServer: true })
  http = createServer()
  http.on('upgrade', (request, socket, head) => {
    if (refuses-- > 0) socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n')
    else sockets.handleUpgrade(request, socket, head, welcome)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
})
afterEach(() => {
  for (const one of sockets.clients) one.terminate()
  http.close()
})

const message = (type: 'snapshot' | 'room.presence'): string => {
  const room = { room_slug: 'market', online_count: snapshot.market, typing_count: 0 }
  return JSON.stringify(type === 'snapshot' ? { type, rooms: [room] } : { type, ...room })
}
function welcome(one: WebSocket): void {
  one.on('message', () => one.send('pong'))
  one.send(message('snapshot'))
}
const url = (): string => `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`
const gather = (): Promise<Crowd> => Crowd.gather(url(), 'token', 3, () => truth, 5_000)
function first(): WebSocket {
  for (const one of sockets.clients) return one
  throw new Error('nobody is connected')
}

it('[KIND22] whoever shows another number than the true one is found out, and for how long', async () => {
  const crowd = await gather()
  truth.set('market', 1)
  snapshot.market = 1
  for (const one of [...sockets.clients].slice(1)) one.send(message('room.presence'))
  await expect(crowd.agrees(400)).rejects.toThrow('1 of 3 do not: market shows 0 instead of 1')
  first().send(message('room.presence'))
  await crowd.agrees(5_000)
  expect(crowd.report().longestWrongMs).toBeGreaterThan(200)
  crowd.forget()
  expect(crowd.report()).toMatchObject({ longestWrongMs: 0, refused: [], reconnects: 0 })
  crowd.stop()
})

it('[KIND22] whoever is sent away is noted with the code, and is back with a snapshot; whoever is refused is noted too', async () => {
  const crowd = await gather()
  refuses = 1
  first().close(1012)
  await until(() => crowd.report().refused.length > 0, { deadlineMs: 5_000, what: 'the refusal' })
  await crowd.agrees(10_000)
  const { closes, refused, longestAwayMs, reconnects } = crowd.report()
  expect(closes).toEqual({ 1012: 1 })
  expect(refused).toEqual(['503'])
  expect(reconnects).toBe(2)
  expect(longestAwayMs).toBeGreaterThan(0)
  crowd.stop()
})

it('[KIND22] nobody there to take a connection is a refusal, and time without a connection is counted', async () => {
  const crowd = await gather()
  http.close()
  for (const one of sockets.clients) one.terminate()
  await until(() => crowd.report().refused.length >= 3, { deadlineMs: 10_000, what: 'three refusals' })
  await delay(200)
  const { refused, longestAwayMs } = crowd.report()
  expect(new Set(refused)).toEqual(new Set(['ECONNREFUSED']))
  expect(longestAwayMs).toBeGreaterThan(100)
  crowd.stop()
})
