// W3C Trace Context, the header `traceparent`: parsed strictly at the border, formatted the one way there is. Pure.
//
//   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//   version  trace id (32 hex)           parent id (16 hex)  flags, bit 0 = sampled

export type TraceContext = { readonly traceId: string; readonly spanId: string; readonly sampled: boolean }

/** Later versions may append fields; more than this is nobody's honest header. */
const textLengthMax = 256
const versionZero = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const laterVersion = /^(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/
const allZero = /^0+$/

/** undefined for whatever the recommendation says to ignore: wrong form, upper case, zero ids, version ff. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined || text.length > textLengthMax) return undefined
  const match = versionZero.exec(text) ?? laterVersion.exec(text)
  if (match === null) return undefined
  const [, traceId = '', spanId = '', flags = ''] = match
  if (allZero.test(traceId) || allZero.test(spanId)) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}
