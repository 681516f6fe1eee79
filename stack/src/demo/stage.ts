// The stage of the demo: the whole city of forty residents with two gateways, and the address where a person looks.
import { startWholeCity, type WholeCity } from '../whole-city.ts'

export type Stage = Pick<WholeCity, 'city' | 'nats' | 'aggregator' | 'gateways' | 'throttleMs' | 'token' | 'stop'> & {
  /** Where a person looks. The token stands in the fragment, which no browser sends anywhere. */
  address: string
}

export type StageOptions = { say: (text: string) => void; throttleMs: number; signal: AbortSignal }

const gatewayPort = 7001 // the seed's

export async function setStage(options: StageOptions): Promise<Stage> {
  const whole = await startWholeCity({ ...options, size: 'demo', gateways: 2, firstPort: gatewayPort })
  return { ...whole, address: `${whole.gateways[0]?.url ?? ''}/city#token=${whole.token}` }
}
