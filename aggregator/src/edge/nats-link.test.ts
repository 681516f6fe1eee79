// Questions over a link that breaks, on the double of the stream and with a clock turned by hand.
import { TimeoutError } from '@nats-io/transport-node'
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

it('[L56] a link that gives no answer and no sign of life is given up after a second; one that lives is kept', async () => {
  for (const lives of [true, false]) {
    const { clock, server, connection, link } = linked()
    let dials = 0
    Object.assign(connection, {
      flush: () => (lives ? Promise.resolve() : new Promise(() => undefined)),
      reconnect: () => Promise.resolve(dials++),
      // As the client does where nobody answers in time.
      request: (_: string, __: string, { timeout }: { timeout: number }) =>
        new Promise((_resolve, reject) => clock.after(timeout, () => reject(new TimeoutError()))),
    })
    server.pause()
    const fate = fateOf(link.request(question))
    await clock.advance(5_000)
    expect([fate.now, dials]).toEqual(['NatsUnreachable', 0])
    await clock.advance(999)
    expect(dials).toBe(0)
    await clock.advance(1)
    expect(dials).toBe(lives ? 0 : 1)
  }
})

it('[L55] a question may have less time than others', async () => {
  const { clock, server, connection, link } = linked()
  const times: number[] = []
  Object.assign(connection, {
    request: (_: string, __: string, { timeout }: { timeout: number }) =>
      Promise.reject(new Error(String(times.push(timeout)))),
  })
  server.pause()
  await Promise.allSettled([link.request(question), link.request({ ...question, timeoutMs: 1_500 })])
  expect([times, clock.pendingTimers()]).toEqual([[5_000, 1_500], 0])
})
