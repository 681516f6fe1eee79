// Traces: which span follows from which, across services, by `traceparent`.
//
//   startSpan -> sampled? no  -> a light object without traceparent: nothing is sent, nothing is passed on
//                         yes -> no endpoint: a light object with random ids, so that ids still join the logs of services
//                                endpoint:    an OpenTelemetry span, exported in batches
//
// The OpenTelemetry SDK (hundreds of modules) is loaded only with an endpoint. Sampling is decided here in both cases, by the
// parent or else by ratio, so an unsampled span costs the same with and without a collector: nothing.
import { randomFillSync } from 'node:crypto'
import { formatTraceparent, parseTraceparent } from './core/trace-context.ts'
import { runUnder } from './edge/active-span.ts'

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

export type SpanOptions = {
  /** A traceparent from outside: parsed, and ignored when it is not one. */
  readonly parent?: string | undefined
  /** Traceparents of other causes. */
  readonly links?: readonly string[]
  readonly attributes?: SpanAttributes
}

export interface Span {
  /** To be passed on; undefined when not sampled. */
  readonly traceparent: string | undefined
  readonly traceId: string
  /** The span is the active one for all that the work does, now and in what it awaits: its log lines carry it. */
  run<T>(work: () => T): T
  setAttributes(attributes: SpanAttributes): void
  end(error?: unknown): void
}

export interface Telemetry {
  startSpan(name: string, options?: SpanOptions): Span
  /** Sends what is left, with a deadline; never throws. */
  stop(): Promise<void>
}

export type TelemetryOptions = {
  readonly service: string
  readonly endpoint?: string | undefined
  readonly sampleRatio?: number
  readonly randomBytes?: (count: number) => Uint8Array
}

/** Opens a real span for one that is sampled; what edge/otel-tracer.ts makes. */
export type Tracer = {
  open(name: string, origin: SpanOrigin, options: SpanOptions): Span
  stop(): Promise<void>
}

export type SpanOrigin = { readonly traceId: string; readonly parentSpanId: string | undefined }

/** One in a hundred tells enough about latency, and a million updates stay cheap. */
const sampleRatioDefault = 0.01

export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { service, endpoint, sampleRatio = sampleRatioDefault, randomBytes = systemRandomBytes } = options
  const tracer = endpoint === undefined ? lightTracer(randomBytes) : await loadTracer(service, endpoint)
  return {
    startSpan(name, spanOptions = {}) {
      const parent = parseTraceparent(spanOptions.parent)
      const traceId = parent?.traceId ?? randomId(randomBytes, 16)
      const sampled = parent?.sampled ?? isSampled(traceId, sampleRatio)
      if (!sampled) return lightSpan(traceId, undefined)
      return tracer.open(name, { traceId, parentSpanId: parent?.spanId }, spanOptions)
    },
    stop: () => tracer.stop(),
  }
}

async function loadTracer(service: string, endpoint: string): Promise<Tracer> {
  const { startOtelTracer } = await import('./edge/otel-tracer.ts')
  return startOtelTracer(service, endpoint)
}

const doNothing = () => undefined

const lightSpan = (traceId: string, traceparent: string | undefined): Span => ({
  traceparent,
  traceId,
  run: (work) => runUnder(traceparent, work),
  setAttributes: doNothing,
  end: doNothing,
})

function lightTracer(randomBytes: (count: number) => Uint8Array): Tracer {
  return {
    open(_name, { traceId }) {
      const spanId = randomId(randomBytes, 8)
      return lightSpan(traceId, formatTraceparent({ traceId, spanId, sampled: true }))
    },
    stop: () => Promise.resolve(),
  }
}

function systemRandomBytes(count: number): Uint8Array {
  return randomFillSync(new Uint8Array(count))
}

/** All zero is the one value that the recommendation forbids. */
function randomId(randomBytes: (count: number) => Uint8Array, byteCount: number): string {
  const id = Buffer.from(randomBytes(byteCount)).toString('hex')
  return /^0+$/.test(id) ? id.replace(/0$/, '1') : id
}

/** By the last 52 bits of the id, so that every service judging one trace by the same ratio answers the same. */
export function isSampled(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52
}
