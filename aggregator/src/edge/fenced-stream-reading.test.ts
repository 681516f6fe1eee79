// How patient a leader is with copies of its stream that do not answer, on the double and with a clock turned by hand.
import { expect, it } from 'vitest'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { createStreamServer } from '@citypresence/sim/presence-stream'
import { subjectsBelow } from '@citypresence/wire/subjects'
import { openFencedStream } from './fenced-stream.ts'

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

async function opened() {
  const clock = createFakeClock()
  const server = createStreamServer(clock)
  const stream = openFencedStream({
    connection: server.connect(),
    streamName: 'CITY_PRESENCE',
    subjects: subjectsBelow('city.presence'),
    kind: 'rooms',
    replicas: 3,
    inboxPrefix: '_INBOX_aggregator',
    clock,
  })
  await stream.ensure()
  return { clock, server, stream }
}

it('[L58] what the stream holds is asked for again after 500 ms without a word, then ever more patiently', async () => {
  const { clock, server, stream } = await opened()
  const asked = async (): Promise<{ words: string | undefined }> => {
    const fate: { words: string | undefined } = { words: undefined }
    stream.readStored().then(
      () => (fate.words = 'answered'),
      (error: unknown) => (fate.words = (error as Error).message),
    )
    await turns()
    return fate
  }
  server.pause()
  for (const waitMs of [500, 1_000, 2_000]) {
    const fate = await asked()
    await clock.advance(waitMs - 1)
    await turns()
    expect(fate.words).toBeUndefined()
    await clock.advance(1)
    await turns()
    expect(fate.words).toBe(`CITY_PRESENCE: no word in ${waitMs} ms`)
  }
  for (let time = 0; time < 10; time++) {
    await asked()
    await clock.advance(10_000)
    await turns()
  }
  const last = await asked()
  await clock.advance(9_999)
  await turns()
  expect(last.words).toBeUndefined()
  await clock.advance(1)
  await turns()
  expect(last.words).toMatch(/in 10000 ms$/)
  // One that is answered begins with the first patience again.
  server.resume()
  await turns()
  expect((await asked()).words).toBe('answered')
  server.pause()
  const again = await asked()
  await clock.advance(500)
  await turns()
  expect(again.words).toBe('CITY_PRESENCE: no word in 500 ms')
})
