// The stage of the demo: the whole city of forty residents with two gateways, as many aggregators as asked for, and the address
// where a person looks.
import type { Service } from '../service.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'

export type Stage = Pick<WholeCity, 'city' | 'nats' | 'gateways' | 'throttleMs' | 'token' | 'stop'> & {
  /** One leads, the others stand by. */
  aggregators: readonly Service[]
  /** Where a person looks. The token stands in the fragment, which no browser sends anywhere. */
  address: string
}

export type StageOptions = { say: (text: string) => void; throttleMs: number; leaders: number; signal: AbortSignal }

const gatewayPort = 7001 // the seed's

export async function setStage(options: StageOptions): Promise<Stage> {
  const whole = await startWholeCity({ ...options, size: 'demo', gateways: 2, firstPort: gatewayPort })
  const aggregators = [whole.aggregator]
  try {
    while (aggregators.length < options.leaders) aggregators.push(await whole.addAggregator())
  } catch (error) {
    await whole.stop()
    throw error
  }
  return { ...whole, aggregators, address: `${whole.gateways[0]?.url ?? ''}/city#token=${whole.token}` }
}
