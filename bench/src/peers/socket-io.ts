// Socket.IO over its WebSocket transport: a room's change is emitted to all. The token is checked by its middleware.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { hearRooms, isWelcome, listening, snapshotText } from './feed.ts'

const server = createServer()
const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false })
io.use((socket, next) => next(isWelcome(socket.request.url) ? undefined : new Error('token')))
io.on('connection', (socket) => void socket.emit('snapshot', snapshotText()))
await hearRooms((view) => void io.emit('room.presence', view))
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => listening((server.address() as AddressInfo).port))
