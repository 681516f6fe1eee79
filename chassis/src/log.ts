// Log lines: JSON, one object a line on stdout, each with service and pod, and with trace_id and span_id of the active span, or of
// the one that is passed.
//
//   log.info({ room }, 'published') -> pino -> redactText over the finished line -> stdout
//
// Errors are written as code and message with their causes; a stack only for errors nobody foresaw. JSON escapes keep
// text from outside inside its field; redaction is the last guard, secrets are not handed to a logger in the first place.
import { inspect } from 'node:util'
import { type DestinationStream, type Logger, pino } from 'pino'
import { createLogSampler, sample, takeSuppressed } from './core/log-sampler.ts'
import { redactText } from './core/redact.ts'
import { activeSpanFields } from './edge/active-span.ts'
import { type Clock, systemClock } from './edge/clock.ts'
import { createLogOutput } from './edge/log-output.ts'
import { CityError, type ErrorCode, toErrorCode } from './errors.ts'

export type { Logger } from 'pino'
export { redactUrl } from './core/redact.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export type LoggerOptions = {
  readonly service: string
  readonly level: LogLevel
  /** The pod's name, where there is one. */
  readonly pod?: string | undefined
  readonly destination?: DestinationStream
  /** Told of every line that standard output did not take. */
  readonly onLost?: (error: CityError) => void
}

const standardOutput = 1

/** Fields that are secret by their name, wherever a careless object carries them on its first two levels. */
const secretFields = [
  'token',
  'access_token',
  'accessToken',
  'password',
  'secret',
  'authorization',
  'Authorization',
  'cookie',
]
const redactPaths = secretFields.flatMap((field) => [field, `*.${field}`])

export function createLogger({ service, level, pod, destination, onLost }: LoggerOptions): Logger {
  const options = {
    level,
    base: pod === undefined ? { service } : { service, pod },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: withCode },
    serializers: { err: describeError, error: describeError },
    mixin: activeSpanFields,
    redact: { paths: redactPaths, censor: '***' },
    hooks: { streamWrite: redactText },
  }
  const lost = (cause: unknown): void => onLost?.(new CityError('LogLost', 'a line could not be written', { cause }))
  return pino(options, destination ?? createLogOutput(standardOutput, lost))
}

/** The word of an error stands beside it, where whoever searches logs for it looks. */
function withCode(fields: Record<string, unknown>): Record<string, unknown> {
  const { err, code } = fields
  return err === undefined || code !== undefined ? fields : { ...fields, code: toErrorCode(err) }
}

export type DescribedError = { code?: ErrorCode; message: string; stack?: string; cause?: DescribedError }

/** A chain of causes longer than this is a loop or a prank. */
const causesMax = 5

/** What a log line says about an error: our word once, at the top; the causes (often of libraries) by their messages. */
export function describeError(error: unknown): DescribedError {
  const described: DescribedError = { code: toErrorCode(error), ...describeCause(error, causesMax) }
  if (error instanceof Error && !(error instanceof CityError) && error.stack !== undefined)
    described.stack = redactText(error.stack)
  return described
}

function describeCause(error: unknown, depthLeft: number): DescribedError {
  if (!(error instanceof Error)) return { message: redactText(toText(error)) }
  const described: DescribedError = { message: redactText(messageOf(error)) }
  if (error instanceof CityError) described.code = error.code
  if (error.cause !== undefined && depthLeft > 0) described.cause = describeCause(error.cause, depthLeft - 1)
  return described
}

/** Even what cannot be turned into text (an object without prototype) must not break the line about it. */
function toText(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 1, breakLength: Infinity })
}

function messageOf(error: Error): string {
  if (error instanceof CityError) return error.message
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return `${error.name}: ${error.message}${code}`
}

export interface SampledLog {
  warn(key: string, fields: object, message: string): void
  error(key: string, fields: object, message: string): void
  info(key: string, fields: object, message: string): void
  /** Tells the counts not yet told; for the end. */
  flush(): void
}

export type SampledLogOptions = { readonly perKeyMs?: number; readonly keysMax?: number; readonly clock?: Clock }

/** At most one line a key and window (1 s); the next one says how many were held back. 256 kinds are more than we have. */
export function createSampledLog(log: Logger, options: SampledLogOptions = {}): SampledLog {
  const { perKeyMs = 1000, keysMax = 256, clock = systemClock } = options
  const sampler = createLogSampler(perKeyMs, keysMax)
  const writer = (level: 'info' | 'warn' | 'error') => (key: string, fields: object, message: string) => {
    const sampled = sample(sampler, key, clock.monotonicMs())
    if (!sampled.write) return
    log[level]({ ...fields, ...(sampled.suppressed > 0 ? { suppressed: sampled.suppressed } : {}) }, message)
  }
  const flush = () => {
    for (const { key, suppressed } of takeSuppressed(sampler))
      log.info({ kind: key, suppressed }, 'log lines held back')
  }
  return { info: writer('info'), warn: writer('warn'), error: writer('error'), flush }
}
