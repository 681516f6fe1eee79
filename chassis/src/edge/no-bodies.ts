// Our ports answer questions; nobody has to send them anything. A request with a body is refused before a byte of it is read, and
// its connection is cut: Node would read on, to throw it away, as long as somebody pours.
import type { FastifyInstance } from 'fastify'

export function takeNoBodies(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const { headers, socket } = request.raw
    if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return
    reply.raw.once('finish', () => socket.destroySoon())
    await reply.header('connection', 'close').code(413).send({ error: 'no body is taken' })
  })
}
