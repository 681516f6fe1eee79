import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CityError } from '../errors.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { startFakeNats, type FakeNats } from '../testing/fake-nats.ts'
import { until } from '../testing/until.ts'
import { askAgainMs, keepSubscribed } from './nats-subscription.ts'

let server: FakeNats
let clock: FakeClock
let connection: NatsConnection
beforeEach(async () => {
  server = await startFakeNats()
  clock = createFakeClock()
  connection = await connect({ servers: server.url })
})
afterEach(async () => {
  await connection.close()
  await server.stop()
})

const asked = (): string[] => server.others.filter((line) => line.startsWith('SUB '))

function follow() {
  const heard: string[] = []
  const refusals: CityError[] = []
  const end = keepSubscribed({
    connection,
    subject: 'city.presence.>',
    clock,
    hear: (message) => heard.push(message.string()),
    refused: (error) => refusals.push(error),
  })
  return { heard, refusals, end }
}

const refuse = (): void => server.say(`-ERR 'Permissions Violation for Subscription to "city.presence.>"'\r\n`)

it('[C42] a right that is taken is told, and asked for again until it is there', async () => {
  const { heard, refusals } = follow()
  await until('the first question', () => asked().length === 1)
  for (let round = 1; round <= 3; round++) {
    refuse()
    await until('the refusal', () => refusals.length === round)
    await clock.advance(askAgainMs - 1)
    expect(asked()).toHaveLength(round)
    await clock.advance(1)
    await until('the next question', () => asked().length === round + 1)
  }
  expect(refusals[0]).toMatchObject({
    code: 'NatsForbidden',
    message: expect.stringContaining('city.presence.>') as string,
  })
  server.say('MSG city.presence.beat 4 5\r\nagain\r\n')
  await until('a word', () => heard.length > 0)
  expect(heard).toEqual(['again'])
})

it('[C42] one that was ended is not asked for again, and neither is one of a connection that was closed for good', async () => {
  const { refusals, end } = follow()
  await until('the first question', () => asked().length === 1)
  refuse()
  await until('the refusal', () => refusals.length === 1)
  end()
  await clock.advance(2 * askAgainMs)
  expect(asked()).toHaveLength(1)
  const other = follow()
  await until('the second question', () => asked().length === 2)
  refuse()
  await until('the refusal', () => other.refusals.length === 1)
  await connection.close()
  await clock.advance(2 * askAgainMs)
  expect([asked().length, clock.pendingTimers()]).toEqual([2, 0])
})
