// Voices under an election that a test decides, on the double of a nats-server: which term is claimed, what a raised term waits for, and
// what becomes of who loses.
import { beforeEach, expect, it } from 'vitest'
import type { CityError } from '@citypresence/chassis/errors'
import { createLogger, createSampledLog } from '@citypresence/chassis/log'
import { createFakeClock, type FakeClock } from '@citypresence/chassis/testing/fake-clock'
import { createStreamServer, type StreamServer } from '@citypresence/sim/presence-stream'
import { defaultPrefix, roomStream, subjectsBelow } from '@citypresence/wire/subjects'
import { openFencedStream } from './edge/fenced-stream.ts'
import { createVoice, type Voice } from './voice.ts'

const subjects = subjectsBelow(defaultPrefix)
let clock: FakeClock
let server: StreamServer
beforeEach(() => {
  clock = createFakeClock()
  server = createStreamServer(clock)
})

type Pod = { readonly voice: Voice; readonly raised: number[]; term: number | undefined; ended: CityError | undefined }

function startPod(holder: string): Pod {
  const raised: number[] = []
  const voice = createVoice({
    me: { holder, city: 'town', terms: 'lease' },
    stream: openFencedStream({
      connection: server.connect(),
      streamName: roomStream,
      subjects,
      kind: 'rooms',
      replicas: 1,
      inboxPrefix: '_INBOX_aggregator',
      clock,
    }),
    speech: { begin: () => undefined, takeStored: () => undefined, next: () => [], said: () => undefined },
    elected: () => pod.term,
    termFloor: () => 0,
    standBy: () => undefined,
    raise: (to) => raised.push(to),
    end: (error) => (pod.ended = error),
    clock,
    random: () => 0,
    log: createSampledLog(createLogger({ service: 'test', level: 'silent' })),
    metrics: {
      claimed: () => undefined,
      published: () => undefined,
      doubted: () => undefined,
      leads: () => undefined,
      error: () => undefined,
    },
  })
  const pod: Pod = { voice, raised, term: undefined, ended: undefined }
  return pod
}

async function pass(pod: Pod, ms = 500): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 50) {
    await clock.advance(50)
    pod.voice.tick()
  }
}

it('[E27] a claim has the first term that the Lease opens', async () => {
  const pod = startPod('a')
  await pass(pod)
  expect(pod.voice.state()).toBe('standby')
  pod.term = 6_000
  await pass(pod)
  expect(pod.voice.epoch()?.term).toBe(6_000)
  expect(pod.raised).toEqual([])
})

it('[E27] where the stream is not below it the Lease is raised first: until it is, nothing is claimed', async () => {
  const first = startPod('a')
  first.term = 6_000
  await pass(first)
  const second = startPod('b')
  second.term = 2_000
  await pass(second, 5_000)
  expect(second.raised).toEqual([7_000])
  expect(second.voice.state()).toBe('raising')
  expect(server.stored(roomStream)[0]?.body).toContain('"term":6000')
  second.term = 7_000
  await pass(second)
  expect(second.voice.epoch()?.term).toBe(7_000)
})

it('[E27] one that slept through the loss of the Lease claims nothing, and waits again', async () => {
  const first = startPod('a')
  first.term = 6_000
  await pass(first)
  const sleeper = startPod('b')
  sleeper.term = 2_000
  await pass(sleeper)
  sleeper.term = undefined
  sleeper.voice.lose()
  await pass(sleeper)
  expect(sleeper.voice.state()).toBe('standby')
  expect(sleeper.ended).toBeUndefined()
  expect(server.stored(roomStream)[0]?.body).toContain('"term":6000')
})

it('[E27] one that wrote and loses the Lease ends as deposed', async () => {
  const pod = startPod('a')
  pod.term = 6_000
  await pass(pod)
  pod.voice.lose()
  expect(pod.ended?.code).toBe('Deposed')
})
