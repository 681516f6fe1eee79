import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { startOtelTracer } from './edge/otel-tracer.ts'
import { createFakeClock } from './testing/fake-clock.ts'
import { parseTraceparent } from './core/trace-context.ts'
import { CityError } from './errors.ts'
import { isSampled, startTelemetry } from './telemetry.ts'

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const unsampledParent = parent.replace(/01$/, '00')

describe('without an endpoint', () => {
  it('[C9] a sampled span has a traceparent, one that is not sampled has none, both have a trace id', async () => {
    const all = await startTelemetry({ service: 'x', sampleRatio: 1 })
    const none = await startTelemetry({ service: 'x', sampleRatio: 0 })
    const span = all.startSpan('a')
    expect(parseTraceparent(span.traceparent)).toMatchObject({ traceId: span.traceId, sampled: true })
    const unsampled = none.startSpan('b', { attributes: { rooms: 3 } })
    expect(unsampled.traceparent).toBeUndefined()
    expect(unsampled.traceId).toMatch(/^[0-9a-f]{32}$/)
    unsampled.setAttributes({ rooms: 4 })
    unsampled.end(new Error('x'))
  })

  it('[C9] a parent decides: its trace goes on when it is sampled and stays silent when it is not, whatever the ratio', async () => {
    for (const sampleRatio of [0, 1]) {
      const telemetry = await startTelemetry({ service: 'x', sampleRatio })
      const child = parseTraceparent(telemetry.startSpan('a', { parent }).traceparent)
      expect(child).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', sampled: true })
      expect(child?.spanId).not.toBe('b7ad6b7169203331')
      expect(telemetry.startSpan('a', { parent: unsampledParent }).traceparent).toBeUndefined()
    }
  })

  it('[C9] a parent that is no traceparent is ignored', async () => {
    const telemetry = await startTelemetry({ service: 'x', sampleRatio: 1 })
    expect(parseTraceparent(telemetry.startSpan('a', { parent: 'garbage' }).traceparent)).toBeDefined()
  })

  it('[C9] ids of zeros, which nobody may send, are not made', async () => {
    const telemetry = await startTelemetry({
      service: 'x',
      sampleRatio: 1,
      randomBytes: (count) => new Uint8Array(count),
    })
    expect(parseTraceparent(telemetry.startSpan('a').traceparent)).toBeDefined()
  })

  it('[C9] the share of sampled traces is the ratio', () => {
    const anyId = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(
        anyId,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (id, a, b) => {
          expect(isSampled(id, 0)).toBe(false)
          expect(isSampled(id, 1)).toBe(true)
          // What a smaller ratio samples, a larger one samples too: services with different ratios do not tear traces.
          if (isSampled(id, Math.min(a, b))) expect(isSampled(id, Math.max(a, b))).toBe(true)
        },
      ),
    )
    const ids = Array.from({ length: 10_000 }, (_, index) => (index * 0x6_8db_8bac_710).toString(16).padStart(32, '0'))
    const share = ids.filter((id) => isSampled(id, 0.25)).length / ids.length
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.3)
  })

  it('[C9] nothing of the OpenTelemetry SDK is loaded, but its small API and its context', () => {
    const listLoaded = (options: string) => `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      const { startTelemetry } = await import(${JSON.stringify(new URL('./telemetry.ts', import.meta.url).href)})
      const telemetry = await startTelemetry(${options})
      telemetry.startSpan('a', { parent: '${parent}' }).end()
      await telemetry.stop()
      console.log(JSON.stringify(loaded.filter((url) => /@opentelemetry.(?!api.|context-async-hooks.)/.test(url)).length))
      process.exit(0)`
    const run = (options: string) =>
      Number(execFileSync(process.execPath, ['--input-type=module', '-e', listLoaded(options)], { encoding: 'utf8' }))
    expect(run(`{ service: 'x' }`)).toBe(0)
    // The same look does see it when there is an endpoint.
    expect(run(`{ service: 'x', endpoint: 'http://127.0.0.1:1' }`)).toBeGreaterThan(50)
  })
})

describe('with an endpoint', () => {
  const cleanups: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  })

  async function startCollector() {
    const received: { url: string; body: Buffer }[] = []
    const server = createServer((request, response) => {
      void request.toArray().then((chunks) => {
        received.push({ url: request.url ?? '', body: Buffer.concat(chunks as Buffer[]) })
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return { received, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  it('[C9] spans reach the collector by the stop, with their trace, parent, attributes and error word', async () => {
    const { received, endpoint } = await startCollector()
    const telemetry = await startTelemetry({ service: 'aggregator', endpoint, sampleRatio: 1 })
    const root = telemetry.startSpan('tick', { attributes: { rooms: 3 }, links: [parent, 'garbage'] })
    const child = telemetry.startSpan('publish', { parent: root.traceparent })
    expect(child.traceId).toBe(root.traceId)
    child.end(new CityError('PublishUnknown', 'timeout, token=hunter2'))
    root.setAttributes({ done: true })
    root.end()
    telemetry.startSpan('silent', { parent: unsampledParent }).end()
    await telemetry.stop()
    const body = Buffer.concat(received.map((request) => request.body))
    expect(received.map(({ url }) => url)).toContain('/v1/traces')
    for (const word of ['aggregator', 'tick', 'publish', 'rooms', 'PublishUnknown'])
      expect(body.includes(word)).toBe(true)
    expect(body.includes(Buffer.from(root.traceId, 'hex'))).toBe(true)
    expect(body.includes(Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex'))).toBe(true)
    for (const word of ['silent', 'hunter2']) expect(body.includes(word)).toBe(false)
  })

  it('[C9] an unreachable collector costs no error', async () => {
    const telemetry = await startTelemetry({ service: 'x', endpoint: 'http://127.0.0.1:1', sampleRatio: 1 })
    for (let count = 0; count < 5_000; count++) telemetry.startSpan('a').end()
    await telemetry.stop()
  })

  it('[C9] a collector that never answers is left at the deadline of the stop', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    cleanups.push(() => {
      silent.closeAllConnections()
      silent.close()
    })
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const clock = createFakeClock()
    const tracer = startOtelTracer('x', endpoint, clock)
    tracer.open('a', { traceId: 'ab'.repeat(16), parentSpanId: undefined }, {}).end()
    let stopped = false
    void tracer.stop().then(() => (stopped = true))
    await clock.advance(2_999)
    expect(stopped).toBe(false)
    await clock.advance(1)
    expect(stopped).toBe(true)
  })
})
