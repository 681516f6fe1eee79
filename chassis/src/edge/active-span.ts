// Which span is active, in the context of OpenTelemetry: what its log lines are joined to its trace by.
//
//   span.run(work) -> context with the span -> log line inside, or in what is awaited -> trace_id, span_id
//
// Context is kept with and without a collector, because ids join the logs of services also where nobody collects spans.
import { context, trace, TraceFlags } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { parseTraceparent } from '../core/trace-context.ts'

// Only one can be: the SDK, where it is loaded, finds this one there and takes it.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

export type TraceFields = { trace_id?: string; span_id?: string }

/** Nothing is active for a span that is not sampled. */
export function runUnder<T>(traceparent: string | undefined, work: () => T): T {
  const span = parseTraceparent(traceparent)
  if (span === undefined) return work()
  const { traceId, spanId } = span
  return context.with(trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: TraceFlags.SAMPLED }), work)
}

/** For a line that is written inside a span. A new object each time: the logger writes into it. */
export function activeSpanFields(): TraceFields {
  const active = trace.getSpanContext(context.active())
  return active === undefined ? {} : { trace_id: active.traceId, span_id: active.spanId }
}

/** For a line about something that a span elsewhere caused. */
export function spanFields(traceparent: string | undefined): TraceFields {
  const span = parseTraceparent(traceparent)
  return span?.sampled === true ? { trace_id: span.traceId, span_id: span.spanId } : {}
}
