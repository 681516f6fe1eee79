// The port for the people who run the service, apart from the one for the public:
//
//   /healthz  200 while the event loop answers      /metrics  Prometheus text
//   /readyz   200, or 503 with the reasons; and what part this process plays, which makes nobody unready
//
// It is small on purpose and cannot be held: every timeout and cap is set, no address is logged (fastify's own line would
// contain tokens), no body is taken.
import fastify, { type FastifyInstance } from 'fastify'
import { takeNoBodies } from './edge/no-bodies.ts'
import { CityError } from './errors.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'

export type Readiness = { readonly ready: boolean; readonly reasons: readonly string[] }
export type Role = { readonly role: string; readonly term?: number }

export type AdminServerOptions = {
  readonly host?: string
  /** 0 picks a free one. */
  readonly port: number
  readonly metrics: Pick<Metrics, 'registry'>
  readonly readiness: () => Readiness
  /** Whether what has to move still moves; without it, whoever answers is well. */
  readonly alive?: () => boolean
  /** Called before the metrics are read. */
  readonly measure?: () => void
  /** Leader or standby, where there is such a thing. */
  readonly role?: () => Role
  readonly log: Logger
}

export type AdminServer = { readonly port: number; stop(): Promise<void> }

/** A prober and a scraper or two; whoever opens more is neither. */
const connectionsMax = 64
/** Probes have one line of request and a few headers. */
const headerBytesMax = 8 * 1024
/** A prober sends its headers at once. */
const headersTimeoutMs = 5_000
const requestTimeoutMs = 10_000
/** Shorter than the usual scrape interval: scrapers reconnect, sockets do not pile up. */
const keepAliveTimeoutMs = 5_000
/** How often Node looks for sockets that overran the two timeouts above. */
const connectionsCheckMs = 1_000

export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const app = createApp()
  addRoutes(app, options)
  // Out of descriptors a connection cannot be taken, which is told as an error of the server; without a listener it would end us.
  app.server.on('error', (error) => options.log.warn({ err: error }, 'an admin connection could not be taken'))
  await listen(app, options)
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  options.log.info({ port }, 'admin server listens')
  return { port, stop: () => app.close() }
}

function createApp(): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 1024,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    // A scraper's idle connection must not hold up the end.
    forceCloseConnections: true,
    http: {
      headersTimeout: headersTimeoutMs,
      maxHeaderSize: headerBytesMax,
      connectionsCheckingInterval: connectionsCheckMs,
    },
  })
  app.server.maxConnections = connectionsMax
  takeNoBodies(app)
  return app
}

function addRoutes(app: FastifyInstance, { metrics, readiness, alive, measure, role, log }: AdminServerOptions): void {
  app.get('/healthz', (_request, reply) => {
    const healthy = alive?.() ?? true
    return reply.code(healthy ? 200 : 503).send({ healthy })
  })
  app.get('/readyz', (_request, reply) => {
    const { ready, reasons } = readiness()
    return reply.code(ready ? 200 : 503).send({ ready, reasons, ...role?.() })
  })
  app.get('/metrics', async (_request, reply) => {
    measure?.()
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
  // Neither answer repeats the address that was asked for.
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }))
  app.setErrorHandler((error, _request, reply) => {
    log.warn({ err: error }, 'admin request failed')
    return reply.code(500).send({ error: 'internal error' })
  })
}

async function listen(app: FastifyInstance, { host = '0.0.0.0', port }: AdminServerOptions): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    throw new CityError('PortTaken', `the admin server cannot listen on ${host}:${port}`, { cause })
  }
}
