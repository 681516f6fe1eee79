// OpenTelemetry behind the Tracer interface; imported only with a collector's address. Exports batches over OTLP (http,
// protobuf) from a bounded queue of the SDK: an unreachable collector costs dropped spans and nothing else.
import { type Link, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import type { Span as OtelSpan, SpanContext } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { redactText } from '../core/redact.ts'
import { linksMax } from '../core/causes.ts'
import { formatTraceparent, parseTraceparent } from '../core/trace-context.ts'
import { toErrorCode } from '../errors.ts'
import type { Span, SpanOptions, SpanOrigin, Tracer } from '../telemetry.ts'
import { runUnder } from './active-span.ts'
import { type Clock, sleep, systemClock } from './clock.ts'

/** A collector that cannot take the rest in this time is not waited for. */
const flushDeadlineMs = 3_000
/** One export; longer than this and the next batch is waiting. */
const exportTimeoutMs = 5_000
/** What a span may carry besides its name: more is a log. */

export function startOtelTracer(service: string, endpoint: string, clock: Clock = systemClock): Tracer {
  const ids = createIdGenerator()
  const sdk = new NodeSDK({
    serviceName: service,
    autoDetectResources: false,
    instrumentations: [],
    logRecordProcessors: [],
    metricReaders: [],
    textMapPropagator: null,
    idGenerator: ids,
    // Only spans already chosen get here; 2 is RECORD_AND_SAMPLED.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum lies in a package of the SDK's own
    sampler: { shouldSample: () => ({ decision: 2 }), toString: () => 'AlreadyChosen' },
    traceExporter: new OTLPTraceExporter({
      url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
      timeoutMillis: exportTimeoutMs,
    }),
  })
  sdk.start()
  const tracer = trace.getTracer(service)
  return {
    open(name, origin, options) {
      ids.nextTraceId(origin.traceId)
      const span = tracer.startSpan(
        name,
        { attributes: options.attributes ?? {}, links: linksOf(options) },
        contextOf(origin),
      )
      return wrapSpan(span)
    },
    async stop() {
      const shutdown = sdk.shutdown().catch(() => undefined)
      await Promise.race([shutdown, sleep(clock, flushDeadlineMs)])
      trace.disable()
    },
  }
}

/** A root span takes the trace id that the sampling was decided on. */
function createIdGenerator() {
  let nextTraceId: string | undefined
  const hex = (byteCount: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(byteCount))).toString('hex')
  return {
    nextTraceId: (traceId: string) => {
      nextTraceId = traceId
    },
    generateTraceId: () => nextTraceId ?? hex(16),
    generateSpanId: () => hex(8),
  }
}

function contextOf({ traceId, parentSpanId }: SpanOrigin) {
  if (parentSpanId === undefined) return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, remoteContext(traceId, parentSpanId))
}

const remoteContext = (traceId: string, spanId: string): SpanContext => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
})

function linksOf({ links = [] }: SpanOptions): Link[] {
  return links.slice(0, linksMax).flatMap((text) => {
    const cause = parseTraceparent(text)
    return cause === undefined ? [] : [{ context: remoteContext(cause.traceId, cause.spanId) }]
  })
}

function wrapSpan(span: OtelSpan): Span {
  const { traceId, spanId } = span.spanContext()
  const traceparent = formatTraceparent({ traceId, spanId, sampled: true })
  return {
    traceparent,
    traceId,
    run: (work) => runUnder(traceparent, work),
    setAttributes: (attributes) => void span.setAttributes(attributes),
    end(error) {
      if (error !== undefined) {
        const message = error instanceof Error ? redactText(error.message) : ''
        span.setAttribute('error.code', toErrorCode(error)).setStatus({ code: SpanStatusCode.ERROR, message })
      }
      span.end()
    },
  }
}
