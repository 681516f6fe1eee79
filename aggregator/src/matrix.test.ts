// The Matrix edges put together as main.ts does it: what a setting of the table does to the facts.
import { readConfig } from '@citypresence/chassis/config'
import { createMetrics } from '@citypresence/chassis/metrics'
import { startTelemetry } from '@citypresence/chassis/telemetry'
import { startHomeserver } from '@citypresence/sim/homeserver'
import { afterEach, expect, it } from 'vitest'
import { settings } from './config.ts'
import type { Fact } from './core/sync-facts.ts'
import { openMatrix } from './matrix.ts'
import { createAggregatorMetrics } from './metrics.ts'
import { silentLogger } from './testing/matrix.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** The facts of a first sync under these settings. */
async function factsUnder(env: Record<string, string>, act: (homeserver: Homeserver) => void): Promise<Fact[]> {
  const homeserver = await startHomeserver()
  stops.push(() => homeserver.stop())
  const daemon = homeserver.account('presence_daemon')
  act(homeserver)
  const read = readConfig(
    settings,
    {
      MATRIX_HS_URL: homeserver.url,
      MATRIX_ACCESS_TOKEN: daemon.accessToken,
      MATRIX_USER_ID: daemon.userId,
      CITY_SERVICE_INTERNAL_URL: homeserver.url,
      NATS_URL: 'nats://nowhere:4222',
      ...env,
    },
    { read: () => '' },
  )
  if (!read.ok) throw new Error(read.mistakes.join('; '))
  const telemetry = await startTelemetry({ service: 'aggregator', endpoint: undefined, sampleRatio: 0 })
  const numbers = createAggregatorMetrics(createMetrics('aggregator'))
  const matrix = openMatrix({
    config: read.config,
    log: silentLogger,
    numbers,
    startSpan: (name, options) => telemetry.startSpan(name, options),
    lookoutsIn: () => [],
  })
  stops.push(() => matrix.stop())
  const facts: Fact[] = []
  for await (const batch of matrix.source.batches(AbortSignal.timeout(20_000))) {
    for await (const slice of batch.slices) facts.push(...slice)
    break
  }
  return facts
}
type Homeserver = Awaited<ReturnType<typeof startHomeserver>>

it.each(['online', 'offline'] as const)(
  '[M7] UNKNOWN_PRESENCE=%s says how a state that nobody knows yet counts',
  async (word) => {
    const ada = '@ada:test.local'
    const facts = await factsUnder({ UNKNOWN_PRESENCE: word }, (homeserver) => {
      const members = [homeserver.account('presence_daemon').userId, homeserver.account('ada').userId]
      homeserver.script.createRoom({ members })
      homeserver.script.presence(ada, 'org.example.dreaming' as never)
    })
    expect(facts.filter(({ kind }) => kind === 'presence')).toEqual([
      expect.objectContaining({ kind: 'presence', userId: ada, state: word }),
    ])
  },
)
