// Starts a real OpenTelemetry collector and keeps the spans that it hands on. The way behind it can be told to refuse.
//
//   service --OTLP--> collector --batches, as JSON--> the sink in this process -> spans()
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { collectorBinary } from './cache.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'
import { startAgain, type Restartable } from './restartable.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export type CollectedSpan = {
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly startMs: number
  readonly endMs: number
}

export type OtelCollector = Restartable & {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string
  spans(): readonly CollectedSpan[]
}

// A test wants to see a span soon; a collector in production waits longer for a fuller batch.
const batchTimeout = '100ms'
/** More spans than any test makes; older ones go first. */
const spansMax = 100_000

export async function startOtelCollector(): Promise<OtelCollector> {
  const folder = makeTemporaryFolder('otel-collector')
  const sink = await startSink()
  const port = await freePort()
  const configFile = join(folder.path, 'collector.json')
  // JSON is YAML, too.
  writeFileSync(configFile, JSON.stringify(configOf(port, sink.url)))
  const endpoint = `http://127.0.0.1:${port}`
  const server = await startAgain(
    () =>
      startProcess({
        name: 'otel-collector',
        command: collectorBinary(),
        args: [`--config=file:${configFile}`],
        logFile: join(folder.path, 'otel-collector.log'),
        ports: [port],
        // It answers a GET with 405: it is there.
        ready: async () => (await fetch(`${endpoint}/v1/traces`)).status === 405,
      }),
    folder,
  ).catch((error: unknown) => {
    sink.close()
    throw error
  })
  const stopServer = server.stop.bind(server)
  return Object.assign(server, {
    endpoint,
    spans: () => sink.spans,
    async stop(signal?: NodeJS.Signals) {
      await stopServer(signal)
      sink.close()
    },
  })
}

const configOf = (port: number, sinkUrl: string) => ({
  receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
  processors: { batch: { timeout: batchTimeout } },
  exporters: { otlphttp: { endpoint: sinkUrl, encoding: 'json', compression: 'none', tls: { insecure: true } } },
  service: {
    telemetry: { metrics: { level: 'none' } },
    pipelines: { traces: { receivers: ['otlp'], processors: ['batch'], exporters: ['otlphttp'] } },
  },
})

type OtlpSpan = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
}
type OtlpTraces = {
  readonly resourceSpans?: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
    }
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
}

async function startSink() {
  const spans: CollectedSpan[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => void chunks.push(chunk))
    request.on('end', () => {
      spans.push(...spansOf(JSON.parse(Buffer.concat(chunks).toString()) as OtlpTraces))
      spans.splice(0, spans.length - spansMax)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    spans,
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const spansOf = ({ resourceSpans = [] }: OtlpTraces): CollectedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? ''
    return scopeSpans.flatMap((scope) =>
      scope.spans.map(({ name, traceId, spanId, parentSpanId = '', startTimeUnixNano, endTimeUnixNano }) => ({
        service,
        name,
        traceId,
        spanId,
        parentSpanId,
        startMs: Number(BigInt(startTimeUnixNano) / 1_000n) / 1_000,
        endMs: Number(BigInt(endTimeUnixNano) / 1_000n) / 1_000,
      })),
    )
  })
