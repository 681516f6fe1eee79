// The leader's machine on a stream that answers when a test lets it.
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { CityError } from '@citypresence/chassis/errors'
import type { Epoch, EpochRecord } from '@citypresence/wire/epoch'
import { expect, it } from 'vitest'
import type { OutMessage } from './core/batch.ts'
import { silentLog } from './testing/matrix.ts'
import { createVoice, type Stored, type VoiceOptions } from './voice.ts'

const word: OutMessage = { subject: 'city.presence.beat', body: '{}', headers: {} }
const me = { holder: 'me', city: 'c', terms: 'record' as const }

type Answer = Awaited<ReturnType<VoiceOptions['stream']['write']>>
type Waiting<T> = { resolve(value: T): void; reject(error: Error): void }

/**
 * A candidate that is elected, and claims at once; its writes and its reading of what is stored wait. With `patient` the answers to its
 * claims do, too.
 */
function speaks({ patient = false, words = [word] }: { patient?: boolean; words?: readonly OutMessage[] } = {}) {
  const clock = createFakeClock()
  const record: { now: EpochRecord | undefined; sequence: number } = { now: undefined, sequence: 0 }
  const writes: Waiting<Answer>[] = []
  const claims: Waiting<Answer>[] = []
  const looks: Waiting<{ record: EpochRecord | undefined; sequence: number }>[] = []
  const state = { looksWait: false }
  const reads: Waiting<readonly Stored[]>[] = []
  const written: { epoch: Epoch; lastSequence: number }[] = []
  const taken: (readonly Stored[])[] = []
  const said: number[] = []
  const errors: unknown[] = []
  const spans: { name: string; parent: unknown; links: unknown; ends: unknown[] }[] = []
  let ended: CityError | undefined
  const voice = createVoice({
    me,
    stream: {
      ensure: () => Promise.resolve(),
      readRecord: () =>
        state.looksWait
          ? new Promise((resolve, reject) => looks.push({ resolve, reject }))
          : Promise.resolve({ record: record.now, sequence: record.sequence }),
      claim(claimed) {
        if (patient) return new Promise((resolve, reject) => claims.push({ resolve, reject }))
        record.now = claimed
        record.sequence += 100
        return Promise.resolve({ kind: 'acked', sequence: record.sequence })
      },
      write(_, epoch, lastSequence) {
        written.push({ epoch, lastSequence })
        return new Promise((resolve, reject) => writes.push({ resolve, reject }))
      },
      readStored: () => new Promise((resolve, reject) => reads.push({ resolve, reject })),
    },
    speech: {
      begin: () => undefined,
      takeStored: (stored) => void taken.push(stored),
      next: () => words,
      said: (nowMs) => void said.push(nowMs),
    },
    startSpan(name, { parent, links } = {}) {
      const ends: unknown[] = []
      spans.push({ name, parent, links, ends })
      return {
        traceparent: undefined,
        traceId: '',
        run: (work) => work(),
        setAttributes: () => undefined,
        end: (error) => void ends.push(error),
      }
    },
    elected: () => 1,
    termFloor: () => 0,
    standBy: () => undefined,
    end: (error) => (ended = error),
    clock,
    random: () => 0.5,
    log: silentLog,
    metrics: {
      claimed: () => undefined,
      published: () => undefined,
      doubted: () => undefined,
      leads: () => undefined,
      error: (error) => void errors.push(error),
    },
  })
  const lead = async (): Promise<void> => {
    voice.tick()
    await clock.advance(1)
  }
  return {
    clock,
    voice,
    record,
    state,
    looks,
    claims,
    writes,
    reads,
    written,
    taken,
    said,
    errors,
    spans,
    lead,
    ended: () => ended,
  }
}

it('[L42] one batch is in flight: the next leaves when it is acknowledged, and begins where it ended', async () => {
  const { clock, voice, writes, written, said, lead } = speaks()
  await lead()
  for (let tick = 0; tick < 5; tick++) voice.tick()
  expect(written).toHaveLength(1)
  writes[0]?.resolve({ kind: 'acked', sequence: 101 })
  await clock.advance(1)
  expect([written.length, said.length]).toEqual([2, 1])
  voice.tick()
  expect(written.map(({ lastSequence }) => lastSequence)).toEqual([100, 101])
})

it('[L4] the answer to a claim of an election that was lost is not the one to the next claim', async () => {
  const { clock, voice, claims, written, lead } = speaks({ patient: true })
  await lead()
  voice.lose()
  expect(voice.state()).toBe('standby')
  await lead()
  expect(claims).toHaveLength(2)
  // The first comes late, with the sequence of a record that has another term.
  claims[0]?.resolve({ kind: 'acked', sequence: 100 })
  await clock.advance(1)
  expect([voice.state(), written]).toEqual(['claiming', []])
  claims[1]?.resolve({ kind: 'acked', sequence: 200 })
  await clock.advance(1)
  expect(voice.epoch()?.epoch).toBe(200)
})

it('[L29] where every claim is taken and no write is, doubts have pauses between them', async () => {
  const { clock, voice, record, writes, lead } = speaks()
  await lead()
  const claims = (): number => record.sequence / 100
  let answered = 0
  for (let ms = 0; ms < 10_000; ms++) {
    for (; answered < writes.length; answered++) writes[answered]?.resolve({ kind: 'refused' })
    await clock.advance(1)
    voice.tick()
    // The first doubt is answered at once.
    if (ms === 2) expect(claims()).toBe(2)
  }
  expect(claims()).toBeGreaterThan(10)
  expect(claims()).toBeLessThan(100)
})

it.each(['before', 'after'])(
  '[L15] a look that saw another %s its epoch was in doubt is no doubt of the next one',
  async (when) => {
    const { clock, voice, state, looks, writes, lead } = speaks()
    await lead()
    await clock.advance(2_000)
    state.looksWait = true
    writes[0]?.resolve({ kind: 'acked', sequence: 101 })
    await clock.advance(1)
    state.looksWait = false
    expect([looks.length, writes.length]).toEqual([1, 2])
    const see = (): void => looks[0]?.resolve({ record: { term: 9, holder: 'another', city: 'c' }, sequence: 900 })
    if (when === 'before') see()
    await clock.advance(1)
    writes[1]?.resolve({ kind: 'unknown', why: 'no answer' })
    await clock.advance(1)
    if (when === 'after') see()
    await clock.advance(1)
    expect(voice.epoch()).toEqual({ term: 2, epoch: 200 })
    writes[2]?.resolve({ kind: 'acked', sequence: 201 })
    await clock.advance(1)
    expect(voice.epoch()).toEqual({ term: 2, epoch: 200 })
  },
)

it('[L24] what the stream held is taken for the epoch that asked, and for no later one', async () => {
  const { clock, voice, writes, reads, taken, lead } = speaks()
  await lead()
  writes[0]?.resolve({ kind: 'unknown', why: 'no answer' })
  await clock.advance(1)
  expect(voice.epoch()).toEqual({ term: 2, epoch: 200 })
  expect(reads).toHaveLength(2)
  const [before, now] = [[{ subject: 'before', body: '' }], [{ subject: 'now', body: '' }]]
  reads[0]?.resolve(before)
  await clock.advance(1)
  expect(taken).toEqual([])
  reads[1]?.resolve(now)
  await clock.advance(1)
  expect(taken).toEqual([now])
})

it('[L24] a stream that cannot be read is read again, with pauses, for as long as the epoch lasts', async () => {
  const { clock, voice, writes, reads, taken, errors, lead } = speaks()
  await lead()
  for (let attempt = 0; attempt < 3; attempt++) {
    reads[attempt]?.reject(new CityError('SnapshotFailed', 'no end'))
    await clock.advance(0)
    expect(reads).toHaveLength(attempt + 1)
    await clock.advance(2_000)
    expect(reads).toHaveLength(attempt + 2)
  }
  expect(errors).toHaveLength(3)
  expect(voice.trouble()?.code).toBe('SnapshotFailed')
  writes[0]?.resolve({ kind: 'acked', sequence: 101 })
  await clock.advance(1)
  expect(voice.trouble()).toBeUndefined()
  // In the next epoch the question of this one is nobody's any more.
  writes[1]?.resolve({ kind: 'unknown', why: 'no answer' })
  await clock.advance(1)
  expect(reads).toHaveLength(5)
  reads[3]?.reject(new CityError('SnapshotFailed', 'no end'))
  await clock.advance(10_000)
  expect(reads).toHaveLength(5)
  reads[4]?.resolve([])
  await clock.advance(1)
  expect(taken).toEqual([[]])
})

it('[C13] a stop waits for the answer to the write under way, and nothing more is written', async () => {
  const { clock, voice, writes, written, lead, ended } = speaks()
  await lead()
  let stopped = false
  void voice.stop().then(() => (stopped = true))
  await clock.advance(1_000)
  expect(stopped).toBe(false)
  writes[0]?.resolve({ kind: 'acked', sequence: 101 })
  await clock.advance(1)
  expect(stopped).toBe(true)
  voice.tick()
  await clock.advance(10_000)
  expect([written.length, ended()]).toEqual([1, undefined])
})

it('[C13] a stop in the middle of a doubt begins nothing anew', async () => {
  const { clock, voice, writes, reads, written, lead } = speaks()
  await lead()
  reads[0]?.reject(new CityError('SnapshotFailed', 'no end'))
  await clock.advance(0)
  const stopping = voice.stop()
  writes[0]?.resolve({ kind: 'unknown', why: 'no answer' })
  await stopping
  await clock.advance(10_000)
  expect([written.length, reads.length]).toEqual([1, 1])
})

const trace = (number: number): string => `00-${String(number).padStart(32, '0')}-00f067aa0ba902b7-01`
const wordOf = (cause: string | undefined): OutMessage => ({
  ...word,
  headers: cause === undefined ? {} : { traceparent: cause },
})

it('[L59] a write of sampled changes has a span of the first cause that links the others; it ends with the answer', async () => {
  const words = [undefined, trace(1), trace(2), trace(1)].map(wordOf)
  const { clock, writes, spans, lead } = speaks({ words })
  await lead()
  expect(spans).toEqual([{ name: 'publish', parent: trace(1), links: [trace(2)], ends: [] }])
  writes[0]?.resolve({ kind: 'acked', sequence: 101 })
  await clock.advance(1)
  expect(spans[0]?.ends).toEqual([undefined])
  const error = new CityError('PublishUnknown', 'no answer')
  writes[1]?.resolve({ kind: 'unknown', why: 'no answer', error })
  await clock.advance(1)
  expect(spans[1]?.ends).toEqual([error])
})

it('[L59] a write of changes that nobody follows has no span', async () => {
  const { spans, lead } = speaks()
  await lead()
  expect(spans).toEqual([])
})
