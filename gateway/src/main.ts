// The gateway: follows the stream on NATS and fans it out over WebSocket. `node gateway/src/main.ts --help` lists the settings.
//
//   config -> admin port -> NATS -> feed -> serve -> public port
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describeConfig, loadConfig } from '@citypresence/chassis/config'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { CityError, toErrorCode } from '@citypresence/chassis/errors'
import { runService } from '@citypresence/chassis/lifecycle'
import { createLogger, createSampledLog } from '@citypresence/chassis/log'
import { createMetrics } from '@citypresence/chassis/metrics'
import { createNatsHealth } from '@citypresence/chassis/nats-health'
import { startServiceAdmin } from '@citypresence/chassis/service-admin'
import { startServiceNats } from '@citypresence/chassis/service-nats'
import { subjectsBelow } from '@citypresence/wire/subjects'
import { mistakesOf, settings, type Config } from './config.ts'
import { createAuthenticate, secretKeys, type KeySource } from './edge/authenticate.ts'
import { jwksKeys } from './edge/key-set.ts'
import { followNats } from './edge/nats-source.ts'
import { createAddressOf } from './edge/peer-address.ts'
import { followRevocations, type RevocationFile } from './edge/revocation-file.ts'
import { startWsServer } from './edge/ws-server.ts'
import { createFeedMetrics } from './feed-metrics.ts'
import { createGatewayMetrics } from './metrics.ts'
import { serve } from './serve.ts'

const config = loadConfig(settings, process, {
  service: 'gateway',
  check: mistakesOf,
  onSecretProblem: (error) => noteProblem(error, 'a secret could not be read again; the known one stays in use'),
})
const metrics = createMetrics('gateway')
const log = createLogger({
  service: 'gateway',
  level: config.logLevel,
  pod: config.podName,
  onLost: (error) => metrics.countError(error),
})
const told = createSampledLog(log)
const gatewayMetrics = createGatewayMetrics(metrics)

await runService({
  log,
  process,
  stopDeadlineMs: Math.max(config.stopDeadlineMs, config.drainMs + config.stopDeadlineMs),
  onError: (error) => metrics.countError(error),
  start: async (parts) => {
    log.info({ settings: describeConfig(settings, config) }, 'gateway starts')
    // What is wrong with files is told at once, not when NATS has answered.
    const folder = config.page ? pageFolder() : undefined
    const authenticate = createAuthenticate({
      keys: await keysOf(config),
      algorithms: config.jwtAlgorithms ?? (config.jwtSecret === undefined ? ['RS256'] : ['HS256']),
      issuer: config.jwtIssuer,
      audiences: config.jwtAudiences,
      ageMaxS: config.tokenAgeMaxS,
    })
    const revocations = await parts.start('revocations', () => revocationsOf(config), { stop: (one) => one.stop() })
    const health = createNatsHealth((error) => metrics.countError(error))
    const readiness = { reasons: (): readonly string[] => health.reasons() }
    const telemetry = await startServiceAdmin(parts, {
      service: 'gateway',
      config,
      metrics,
      log,
      reasons: () => readiness.reasons(),
    })
    const connection = await startServiceNats(parts, { service: 'gateway', config, health, log })
    const gateway = await parts.start(
      'fan-out',
      () =>
        serve({
          clock: systemClock,
          defer: (run) => void setImmediate(run),
          metrics: gatewayMetrics,
          startSpan: (name, options) => telemetry.startSpan(name, options),
          isRevoked: revocations.isRevoked,
          privacyFloor: config.privacyFloor,
          drainMs: config.drainMs,
        }),
      { drain: (one) => one.drain(), stop: (one) => one.stop() },
    )
    const source = await parts.start(
      'feed',
      () =>
        followNats({
          connection,
          subjects: subjectsBelow(config.subjectPrefix),
          streamName: config.streamName,
          inboxPrefix: config.natsInboxPrefix,
          clock: systemClock,
          log,
          metrics: createFeedMetrics(metrics),
          listener: gateway.feed,
        }),
      { stop: (one) => one.stop() },
    )
    readiness.reasons = () => {
      const { ready, reasons } = source.readiness()
      // Once ready it serves on, marked, whatever becomes of NATS.
      return ready ? [] : [...reasons, ...health.reasons()]
    }
    await parts.start(
      'public port',
      () =>
        startWsServer({
          host: config.host,
          port: config.port,
          doors: gateway,
          authenticate,
          clock: systemClock,
          isReady: () => source.readiness().ready && !parts.signal.aborted,
          allowedOrigins: config.allowedOrigins,
          connectionsMax: config.connectionsMax,
          addressOf: createAddressOf(config.trustedProxies),
          perAddressMax: config.perAddressMax,
          perSubjectMax: config.perSubjectMax,
          isRevoked: revocations.isRevoked,
          directWrites: config.directWrites,
          pageFolder: folder,
          countRefusal(code) {
            metrics.errors.inc({ code })
            gatewayMetrics.refusals.inc({ reason: code })
            told.info(`refused ${code}`, { code }, 'a request was refused')
          },
          log,
        }),
      { stop: (server) => server.stop() },
    )
  },
})

async function keysOf({ jwtSecret, jwksUrl, jwksCaFile }: Config): Promise<KeySource> {
  if (jwtSecret !== undefined) return secretKeys(jwtSecret)
  // An eighth of the start, and most cities have a secret.
  const { createHttpClient } = await import('@citypresence/chassis/edge/http-client')
  // mistakesOf has seen to it that one of the two is there.
  const http = createHttpClient({ caFile: jwksCaFile, userAgent: 'citypresence-gateway' })
  const onProblem = (error: unknown): void =>
    noteProblem(error, 'the keys of tokens could not be read; known ones stay in use')
  return jwksKeys({ url: String(jwksUrl), http, clock: systemClock, onProblem })
}

function revocationsOf({ revokedFile }: Config): RevocationFile {
  if (revokedFile === undefined) return { isRevoked: () => false, stop: () => undefined }
  const onProblem = (error: unknown): void =>
    noteProblem(error, 'the list of revoked tokens could not be read; the known one stays in use')
  return followRevocations({ file: revokedFile, clock: systemClock, onProblem })
}

/** What is survived with what was known before: the operator hears of it, nobody else does. */
function noteProblem(error: unknown, what: string): void {
  metrics.countError(error)
  told.warn(toErrorCode(error), { err: error }, what)
}

function pageFolder(): string {
  const folder = join(import.meta.dirname, '../../web/dist/page')
  if (!existsSync(join(folder, 'index.html')))
    throw new CityError('StartFailed', 'PAGE=on: the page is not built (npm run build -w web)')
  return folder
}
