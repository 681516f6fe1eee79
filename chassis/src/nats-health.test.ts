import { expect, it } from 'vitest'
import { CityError } from './errors.ts'
import { createNatsHealth } from './nats-health.ts'

const refusal = new CityError('NatsUnauthorized', "nats://n:4222: 'Authorization Violation'")

it('[C41] while NATS is away readiness says why, as it was told last; when it is there, nothing', () => {
  const counted: CityError[] = []
  const health = createNatsHealth((error) => counted.push(error))
  expect(health.reasons()).toEqual(['not connected to NATS'])
  health.onError(refusal)
  expect(health.reasons()).toEqual(["NatsUnauthorized: nats://n:4222: 'Authorization Violation'"])
  health.connected()
  expect(health.reasons()).toEqual([])
  health.onError(new CityError('NatsForbidden', 'one subject'))
  health.onStatus({ type: 'ping' })
  expect(health.reasons()).toEqual([])
  health.onStatus({ type: 'disconnect' })
  health.onError(refusal)
  expect(health.reasons()).toHaveLength(1)
  health.onStatus({ type: 'reconnect' })
  expect(health.reasons()).toEqual([])
  health.onStatus({ type: 'disconnect' })
  expect([health.reasons(), counted.length]).toEqual([['not connected to NATS'], 3])
})
