// Leader and gateways in one NATS account: it works, and whoever chose it is told what that costs.
import { expect, it, onTestFinished } from 'vitest'
import type { NatsAccounts } from '../nats-config.ts'
import { startWholeCity } from '../whole-city.ts'

async function warningsOf(natsAccounts: NatsAccounts): Promise<number[]> {
  const whole = await startWholeCity({ size: 'small', gateways: 2, throttleMs: 300, quiet: true, natsAccounts })
  onTestFinished(() => whole.stop())
  return whole.gateways.map((gateway) => gateway.logLines().filter(({ code }) => code === 'NatsAccountShared').length)
}

it('[CITY19] a gateway that shares the account of the leader says so once', async () => {
  expect(await warningsOf('one')).toEqual([1, 1])
})

it('[CITY19] in an account of its own it has nothing to say', async () => {
  expect(await warningsOf('two')).toEqual([0, 0])
})
