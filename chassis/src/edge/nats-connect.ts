// A NATS connection that never gives up and never talks to a server that cannot carry the fence.
//
//   first connect:  try all servers -> refused, unreachable, too old: log, wait (full jitter), again, until the signal
//   later:          the client reconnects by itself, for ever; before it says CONNECT, the authenticator below
//                   reads the secrets again and looks at the server's version; too old: the connection closes for good
//
// The caller watches `closed()` and ends the process: what restarts then waits in the first loop, with a clear message.
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node'
import type { NatsConnection, NodeConnectionOptions, Status } from '@nats-io/transport-node'
import { fullJitterMs } from '../core/backoff.ts'
import { nextDialPause, startDialPauses } from '../core/dial-pause.ts'
import { whyTooOld } from '../core/nats-version.ts'
import { redactUrl } from '../core/redact.ts'
import { CityError } from '../errors.ts'
import { type Logger, createSampledLog } from '../log.ts'
import type { NatsCredentials, NatsTarget } from '../nats-settings.ts'
import { type Clock, momentOf, sleep, systemClock } from './clock.ts'
import { toNatsError } from './nats-errors.ts'

export type { NatsConnection, Status as NatsStatus } from '@nats-io/transport-node'

export type NatsOptions = NatsTarget & {
  /** Shown by the server's monitoring. */
  readonly name: string
  /** Own, so that rights can be narrow: _INBOX_<user>. */
  readonly inboxPrefix: string
  readonly log: Logger
  readonly onStatus?: (status: Status) => void
  /** Every failed attempt and every error of the connection, to be counted. */
  readonly onError?: (error: CityError) => void
  /** Ends the waiting for the first connect with an Aborted. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/** One attempt, handshake and TLS included; a healthy server needs milliseconds. */
const connectTimeoutMs = 5_000
/** A half-open link is seen after 5 s x (2 + 1) at most. */
const pingIntervalMs = 5_000
const pingsOutMax = 2
/** At least this between two dials of one server, at most twice: no storm, and soon back. */
const reconnectBaseMs = 1_000
const firstConnectBackoff = { baseMs: 500, capMs: 10_000 }

export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const { log, signal, onError, clock = systemClock } = options
  const where = options.servers.map(redactUrl).join(',')
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted === true) throw new CityError('Aborted', `${where}: no longer waiting for NATS`)
    try {
      return await connectOnce(options, where)
    } catch (cause) {
      const error = toNatsError(cause, where)
      if (error.code === 'Aborted') throw error
      onError?.(error)
      const waitMs = reconnectBaseMs + fullJitterMs(attempt, firstConnectBackoff, Math.random())
      log.warn({ err: error, attempt, retryInMs: waitMs }, 'NATS is not connected yet')
      await sleep(clock, waitMs, signal)
    }
  }
}

async function connectOnce(options: NatsOptions, where: string): Promise<NatsConnection> {
  const current: { connection?: NatsConnection } = {}
  const authenticator = createAuthenticator(options.credentials, () => {
    // Undefined during the first connect: that one is judged below, before anybody can use it.
    if (current.connection?.info !== undefined) refuseOldServer(current.connection.info, where)
  })
  const opened = await unlessAborted(connect(toClientOptions(options, authenticator)), options.signal)
  try {
    if (opened.info !== undefined) refuseOldServer(opened.info, where)
  } catch (error) {
    await opened.close()
    throw error
  }
  current.connection = opened
  void followStatus(opened, options, where)
  options.log.info({ server: opened.getServer(), version: opened.info?.version }, 'NATS is connected')
  return opened
}

function toClientOptions(options: NatsOptions, authenticator: Authenticator): NodeConnectionOptions {
  const { servers, name, inboxPrefix } = options
  const tls = toTls(options)
  return {
    servers: [...servers],
    name,
    inboxPrefix,
    authenticator,
    timeout: connectTimeoutMs,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsOutMax,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: createDialPause(options),
    // A revoked password may be given back, and a rotated one arrives by file: never the client's last word.
    ignoreAuthErrorAbort: true,
    ...(tls === undefined ? {} : { tls }),
  }
}

/** Asked before each dial; the client counts the answer by the wall clock. */
function createDialPause({ servers, clock = systemClock }: NatsOptions): () => number {
  let pauses = startDialPauses(momentOf(clock))
  return () => {
    const pauseMs = reconnectBaseMs * (1 + Math.random())
    const next = nextDialPause(pauses, momentOf(clock), { pauseMs, servers: servers.length })
    pauses = next.pauses
    return next.waitMs
  }
}

/** Files are named, not read: the client reads them at each connect. */
function toTls(target: NatsTarget): NodeConnectionOptions['tls'] {
  const { servers, caFile, certFile, keyFile, handshakeFirst = false } = target
  const insisted = handshakeFirst || servers.some((server) => server.startsWith('tls:'))
  if (!insisted && caFile === undefined && certFile === undefined) return undefined
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(handshakeFirst ? { handshakeFirst } : {}),
  }
}

function refuseOldServer(info: { version: string; api_lvl?: number }, where: string): void {
  const reason = whyTooOld(info)
  if (reason !== undefined) throw new CityError('NatsTooOld', `${where}: ${reason}`)
}

/** Called by the client at each connect, between the server's INFO and our CONNECT. */
export function createAuthenticator(credentials: NatsCredentials, judgeServer: () => void): Authenticator {
  const authenticate = toAuthenticator(credentials)
  let lastGood: ReturnType<Authenticator>
  return (nonce) => {
    judgeServer()
    try {
      lastGood = authenticate(nonce)
    } catch {
      // A throw here would close the connection for good. The content is half written or wrong: the server will refuse the
      // old answer, and the next attempt reads again.
    }
    return lastGood
  }
}

function toAuthenticator(credentials: NatsCredentials): Authenticator {
  const bytes = (text: string) => new TextEncoder().encode(text)
  switch (credentials.kind) {
    case 'none':
      return () => undefined
    case 'user':
      return usernamePasswordAuthenticator(
        () => credentials.user.read(),
        () => credentials.password.read(),
      )
    case 'token':
      return tokenAuthenticator(() => credentials.token.read())
    case 'creds':
      return credsAuthenticator(() => bytes(`${credentials.creds.read()}\n`))
    case 'nkey':
      return nkeyAuthenticator(() => bytes(credentials.seed.read().trim()))
  }
}

/** The client cannot be told to stop trying: what it brings too late is closed. */
async function unlessAborted(
  pending: Promise<NatsConnection>,
  signal: AbortSignal | undefined,
): Promise<NatsConnection> {
  if (signal === undefined) return pending
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new CityError('Aborted', 'no longer waiting for NATS'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([pending, aborted])
  } catch (error) {
    if (signal.aborted) pending.then((late) => late.close()).catch(() => undefined)
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function followStatus(connection: NatsConnection, options: NatsOptions, where: string): Promise<void> {
  const sampled = createSampledLog(options.log)
  for await (const status of connection.status()) {
    options.onStatus?.(status)
    if (status.type === 'disconnect') sampled.warn('disconnect', { server: status.server }, 'NATS is disconnected')
    else if (status.type === 'reconnect') {
      options.log.info({ server: status.server, version: connection.info?.version }, 'NATS is connected again')
    } else if (status.type === 'staleConnection') sampled.warn('stale', {}, 'NATS does not answer pings')
    else if (status.type === 'error') {
      const error = toNatsError(status.error, where)
      options.onError?.(error)
      sampled.warn(error.code, { err: error }, 'NATS reports an error')
    }
  }
}
