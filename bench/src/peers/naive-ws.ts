// The peer that everybody writes first: the ws library, and each change sent to each client.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { hearRooms, isWelcome, listening, snapshotText, updateText } from './feed.ts'

const server = createServer()
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
server.on('upgrade', (request, socket, head) => {
  if (!isWelcome(request.url)) socket.destroy()
  else sockets.handleUpgrade(request, socket, head, (client) => client.send(snapshotText()))
})
await hearRooms((view) => {
  const text = updateText(view)
  for (const client of sockets.clients) if (client.readyState === client.OPEN) client.send(text)
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => listening((server.address() as AddressInfo).port))
