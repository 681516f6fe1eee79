// @fastify/websocket with a route, a token and a snapshot, as its documentation shows it; each change goes to each client.
import websocket from '@fastify/websocket'
import fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import { hearRooms, isWelcome, listening, snapshotText, updateText } from './feed.ts'

const app = fastify({ logger: false })
await app.register(websocket)
app.get('/ws', { websocket: true }, (socket, request) => {
  if (!isWelcome(request.url)) socket.close()
  else socket.send(snapshotText())
})
await hearRooms((view) => {
  const text = updateText(view)
  for (const client of app.websocketServer.clients) if (client.readyState === client.OPEN) client.send(text)
})
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 })
listening((app.server.address() as AddressInfo).port)
