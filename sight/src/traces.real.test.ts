// One trace from the answer of Matrix to the sweep that told the browsers, seen by a real collector; and what a collector in trouble
// costs: spans, and nothing else.
import { startOtelCollector, type CollectedSpan, type OtelCollector } from '@citypresence/stack/otel-collector'
import { stopAll } from '@citypresence/stack/stop-all'
import { until } from '@citypresence/stack/until'
import { startViewer, type Viewer } from '@citypresence/stack/viewer'
import { startWholeCity, type WholeCity } from '@citypresence/stack/whole-city'
import { afterAll, beforeAll, expect, it } from 'vitest'

let collector: OtelCollector
let city: WholeCity
let viewer: Viewer

beforeAll(async () => {
  collector = await startOtelCollector()
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, TRACE_SAMPLE_RATIO: '1' }
  const settings = { aggregatorEnv: tracing, gatewayEnv: tracing }
  city = await startWholeCity({ size: 'small', gateways: 1, throttleMs: 100, quiet: true, ...settings })
  viewer = startViewer('traced', city.gateways[0]?.webSocketUrl ?? '', city.token)
  await until(() => viewer.stale === false, { deadlineMs: 30_000, what: 'a fresh city' })
})

afterAll(() => stopAll(viewer, city, collector))

let isTyping = false
/** Somebody begins or ends to type; resolves when the browser was told. */
async function toggleTyping(): Promise<void> {
  const ada = city.city.residents.find(({ localpart }) => localpart === 'ada')
  const slug = ada?.rooms[0] ?? ''
  isTyping = !isTyping
  const wanted = isTyping ? 1 : 0
  await city.city.clientOf('ada').typing(city.city.roomOf(slug).roomId, isTyping)
  await until(() => viewer.rooms.get(slug)?.typing === wanted, {
    deadlineMs: 20_000,
    what: `typing ${wanted} in ${slug}`,
  })
}

const sweepsWithSync = (spans: readonly CollectedSpan[]) =>
  spans.flatMap((sweep) => {
    if (sweep.name !== 'sweep') return []
    const sync = spans.find((one) => one.name === 'matrix sync' && one.traceId === sweep.traceId)
    return sync === undefined ? [] : [{ sweep, sync }]
  })

it('[O10] one trace joins the answer of Matrix and the sweep that told browsers of it', async () => {
  await toggleTyping()
  const what = 'a sweep in the trace of its sync'
  const { sync, sweep } = await until(() => sweepsWithSync(collector.spans())[0], { deadlineMs: 30_000, what })
  expect(sync).toMatchObject({ service: 'aggregator', parentSpanId: '' })
  expect(sweep).toMatchObject({ service: 'gateway', parentSpanId: sync.spanId })
  expect(sweep.startMs).toBeGreaterThanOrEqual(sync.startMs)
})

it('[O10] a write to the stream stands in the trace of the sync that caused it', async () => {
  await toggleTyping()
  const write = await until(
    () => {
      const spans = collector.spans()
      const syncs = new Set(spans.filter(({ name }) => name === 'matrix sync').map(({ spanId }) => spanId))
      return spans.find(({ name, parentSpanId }) => name === 'publish' && syncs.has(parentSpanId))
    },
    { deadlineMs: 30_000, what: 'a write in the trace of its sync' },
  )
  expect(write.service).toBe('aggregator')
})

type Trouble = {
  readonly name: string
  readonly begin: () => Promise<void> | void
  readonly end: () => Promise<void> | void
}

const troubles: readonly Trouble[] = [
  {
    name: 'a collector that hangs',
    begin: () => {
      collector.pause()
    },
    end: () => {
      collector.resume()
    },
  },
  { name: 'a collector that is gone', begin: () => collector.end('SIGKILL'), end: () => collector.restart() },
]

it.each(troubles)('[O11] $name costs spans and nothing else; traces come again after it', async ({ begin, end }) => {
  await begin()
  for (let turn = 0; turn < 4; turn++) await toggleTyping()
  expect(viewer.stale).toBe(false)
  await end()
  const before = collector.spans().length
  await until(
    async () => {
      await toggleTyping()
      return sweepsWithSync(collector.spans().slice(before)).length > 0
    },
    { deadlineMs: 60_000, everyMs: 500, what: 'traces after the trouble' },
  )
  for (const service of [city.aggregator, ...city.gateways]) {
    expect(service.isRunning()).toBe(true)
    expect((await fetch(`${service.adminUrl}/readyz`)).status).toBe(200)
  }
})
