// The stage of the demo: the whole city of forty residents with two gateways, as many aggregators as asked for, and the address
// where a person looks.
import { join } from 'node:path'
import { repositoryRoot } from '../machine.ts'
import { startPrometheus, type ScrapeTarget } from '../prometheus.ts'
import type { Service } from '../service.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'

export type Stage = Pick<WholeCity, 'city' | 'nats' | 'gateways' | 'throttleMs' | 'token' | 'stop'> & {
  /** One leads, the others stand by. */
  aggregators: readonly Service[]
  /** Where a person looks. The token stands in the fragment, which no browser sends anywhere. */
  address: string
  /** Of the Prometheus that looks on, where one was asked for. */
  prometheusUrl?: string
}

export type StageOptions = {
  say: (text: string) => void
  throttleMs: number
  leaders: number
  observe: boolean
  signal: AbortSignal
}

const gatewayPort = 7001 // the seed's
// Two samples for every rate within the first seconds of a demo.
const scrapeEveryMs = 2_000

export async function setStage(options: StageOptions): Promise<Stage> {
  const whole = await startWholeCity({ ...options, size: 'demo', gateways: 2, firstPort: gatewayPort })
  const aggregators = [whole.aggregator]
  try {
    while (aggregators.length < options.leaders) aggregators.push(await whole.addAggregator())
  } catch (error) {
    await whole.stop()
    throw error
  }
  const stage = { ...whole, aggregators, address: `${whole.gateways[0]?.url ?? ''}/city#token=${whole.token}` }
  if (!options.observe) return stage
  const prometheus = await lookOn(stage).catch(async (error: unknown) => {
    await whole.stop()
    throw error
  })
  const stop = async (): Promise<void> => {
    await prometheus.stop()
    await whole.stop()
  }
  return { ...stage, stop, prometheusUrl: prometheus.url }
}

/** Scrapes every service as an operator's monitor would, with the rules of the house. */
const lookOn = ({ aggregators, gateways }: Pick<Stage, 'aggregators' | 'gateways'>) => {
  const target =
    (kind: string) =>
    (service: Service, index: number): ScrapeTarget => ({
      url: service.adminUrl,
      labels: { namespace: 'demo', city: 'demo', pod: `${kind}-${index + 1}` },
    })
  return startPrometheus({
    targets: [...aggregators.map(target('aggregator')), ...gateways.map(target('gateway'))],
    rulesFile: join(repositoryRoot, 'sight', 'rules.json'),
    everyMs: scrapeEveryMs,
  })
}
