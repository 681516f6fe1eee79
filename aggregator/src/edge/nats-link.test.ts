// Questions over a link that breaks, on the double of the stream and with a clock turned by hand.
import { expect, it } from 'vitest'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { createStreamServer } from '@citypresence/sim/presence-stream'
import { followLink } from './nats-link.ts'

const question = { subject: '$JS.API.STREAM.INFO.NOBODY', body: '{}' }
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

function linked() {
  const clock = createFakeClock()
  const server = createStreamServer(clock)
  const connection = server.connect()
  return { clock, server, connection, link: followLink({ connection, clock, timeoutMs: 5_000 }) }
}

/** What became of a promise so far. */
function fateOf(promise: Promise<unknown>): { now: string } {
  const fate = { now: 'waiting' }
  promise.then(
    () => (fate.now = 'answered'),
    (error: unknown) => (fate.now = String((error as { code?: string }).code)),
  )
  return fate
}

it('[L55] a question asked while the link is down leaves when it is up, and gets its answer', async () => {
  const { server, connection, link } = linked()
  server.cut(connection)
  await turns()
  expect(link.isUp).toBe(false)
  const fate = fateOf(link.request(question))
  await turns()
  expect(fate.now).toBe('waiting')
  server.join(connection)
  await turns()
  await turns()
  expect(fate.now).toBe('answered')
})

it('[L55] a question whose link breaks is over at once; one whose link stays down is over in time', async () => {
  const { clock, server, connection, link } = linked()
  server.pause()
  const broken = fateOf(link.request(question))
  await turns()
  server.cut(connection)
  await turns()
  expect(broken.now).toBe('NatsUnreachable')
  const late = fateOf(link.request(question))
  await turns()
  await clock.advance(4_999)
  await turns()
  expect(late.now).toBe('waiting')
  await clock.advance(1)
  await turns()
  expect(late.now).toBe('NatsUnreachable')
})
