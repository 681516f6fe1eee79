import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CityError, errorCodes } from './errors.ts'
import { createLabelBound, createMetrics } from './metrics.ts'

it('[C8] metrics are named for the service, with the process metrics beside them', async () => {
  const metrics = createMetrics('gateway')
  metrics.counter('frames_total', 'Frames sent.').inc()
  metrics.gauge('sessions', 'Open sessions.', ['state']).set({ state: 'live' }, 3)
  metrics.histogram('freshness_seconds', 'Age at the browser.', [], [0.1, 1]).observe(0.5)
  const text = await metrics.registry.metrics()
  expect(text).toContain('citypresence_gateway_frames_total 1')
  expect(text).toContain('citypresence_gateway_sessions{state="live"} 3')
  expect(text).toContain('citypresence_gateway_freshness_seconds_bucket{le="1"} 1')
  expect(text).toContain('process_resident_memory_bytes')
})

it('[C8] every error is counted under its word', async () => {
  const metrics = createMetrics('aggregator')
  metrics.countError(new CityError('NatsTooOld', 'x'))
  expect(metrics.countError('foreign')).toBe('Unexpected')
  const text = await metrics.registry.metrics()
  expect(text).toContain('citypresence_aggregator_errors_total{code="NatsTooOld"} 1')
  expect(text).toContain('citypresence_aggregator_errors_total{code="Unexpected"} 1')
})

it('[C8] what may be counted is there at zero before it was: Prometheus sees no increase in a series that begins at one', async () => {
  const metrics = createMetrics('aggregator')
  metrics
    .counter('claims_total', 'Claims.', ['answer'], [{ answer: 'acked' }, { answer: 'refused' }])
    .inc({ answer: 'acked' })
  const text = await metrics.registry.metrics()
  expect(text).toContain('citypresence_aggregator_claims_total{answer="acked"} 1')
  expect(text).toContain('citypresence_aggregator_claims_total{answer="refused"} 0')
  for (const code of Object.keys(errorCodes))
    expect(text).toContain(`citypresence_aggregator_errors_total{code="${code}"} 0`)
})

it('[C8] an error is counted under the words of its causes too, each once', async () => {
  const metrics = createMetrics('aggregator')
  const timeout = new CityError('HttpTimeout', 'x', { cause: new Error('socket') })
  const garbled = new CityError('HttpTimeout', 'y', { cause: timeout })
  metrics.countError(new CityError('MatrixUnreachable', 'z', { cause: new Error('between', { cause: garbled }) }))
  const text = await metrics.registry.metrics()
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('citypresence_aggregator_errors_total') && !line.endsWith(' 0'))
  expect(lines.sort()).toEqual([
    'citypresence_aggregator_errors_total{code="HttpTimeout"} 1',
    'citypresence_aggregator_errors_total{code="MatrixUnreachable"} 1',
  ])
  const loop = new Error('loop')
  loop.cause = loop
  expect(metrics.countError(loop)).toBe('Unexpected')
})

it('[C8] two services in one process do not share numbers', async () => {
  const [a, b] = [createMetrics('a'), createMetrics('a')]
  a.counter('x_total', 'X.').inc(5)
  b.counter('x_total', 'X.').inc(2)
  expect(await a.registry.metrics()).toContain('citypresence_a_x_total 5')
})

it('[C8] label values are bounded: past the bound everything new is "other", what is known stays', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ room: fc.string(), kind: fc.constantFrom('a', 'b') })),
      fc.integer({ min: 1, max: 5 }),
      (all, max) => {
        const bound = createLabelBound(max)
        const shown = new Set(all.map((labels) => JSON.stringify(bound(labels))))
        expect(shown.size).toBeLessThanOrEqual(max + 1)
        const first = all[0]
        if (first !== undefined) expect(bound(first)).toEqual(first)
      },
    ),
  )
})

it('[C8] a counter with labels from outside stays within its bound', async () => {
  const metrics = createMetrics('x')
  const counter = metrics.counter('flood_total', 'Flood.', ['id'])
  for (let id = 0; id < 10_000; id++) counter.inc({ id })
  const lines = (await metrics.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('citypresence_x_flood_total'))
  expect(lines.length).toBeLessThanOrEqual(6_001)
  expect(lines).toContain('citypresence_x_flood_total{id="other"} 4000')
})
