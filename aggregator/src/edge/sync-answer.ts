// The bytes of one /sync answer as slices of facts. Small answers are read here; large ones are for the thread beside the loop
// (sync-worker.ts), which uses the same functions.
//
//   bytes -> JSON -> factsOf -> slices of at most 500 facts -> as text, so that they cross from the thread without a clone
//
// Between two slices the event loop gets its turn: a first sync of a large city is learned without holding up a beat.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CityError } from '@citypresence/chassis/errors'
import { describeDecodeError } from '@citypresence/wire/decode'
import { factsOf, type Fact } from '../core/sync-facts.ts'

export type AnswerOptions = { readonly daemonUserId: string; readonly unknownStateCounts?: boolean }

export type SyncAnswer = {
  readonly nextBatch: string
  readonly malformed: number
  readonly unknownStates: number
  readonly factCount: number
  readonly slices: AsyncIterable<readonly Fact[]>
}

/** What crosses from the thread: slices as JSON in UTF-8, each a buffer of its own that moves instead of being copied. */
export type PackedAnswer = Omit<SyncAnswer, 'slices'> & { readonly slices: readonly Uint8Array[] }

/** To unpack and to learn 500 facts takes two or three milliseconds, a tenth of what nobody would notice. */
const sliceFactsMax = 500

/** Reads an answer at once, on the caller's thread. Throws MatrixGarbled. */
export function readAnswer(body: Uint8Array, options: AnswerOptions): SyncAnswer {
  const { facts, ...head } = readFacts(body, options)
  return { ...head, factCount: facts.length, slices: withTurns(slicesOf(facts)) }
}

export function packAnswer(body: Uint8Array, options: AnswerOptions): PackedAnswer {
  const { facts, ...head } = readFacts(body, options)
  const encoder = new TextEncoder()
  const slices = Array.from(slicesOf(facts), (slice) => encoder.encode(JSON.stringify(slice)))
  return { ...head, factCount: facts.length, slices }
}

export function unpackAnswer(packed: PackedAnswer): SyncAnswer {
  return { ...packed, slices: withTurns(unpacked(packed.slices)) }
}

function readFacts(body: Uint8Array, options: AnswerOptions) {
  const decoded = factsOf(parseJson(body, 'GET /sync'), options)
  if (!decoded.ok) throw new CityError('MatrixGarbled', `GET /sync: ${describeDecodeError(decoded.error)}`)
  return decoded.value
}

export function parseJson(body: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch (cause) {
    // The parser's message quotes the text, which is people's; its kind is enough.
    const { name } = cause as Error
    throw new CityError('MatrixGarbled', `${where}: the answer is no JSON (${name}, ${body.byteLength} bytes)`)
  }
}

function* slicesOf(facts: readonly Fact[]): Generator<readonly Fact[]> {
  for (let start = 0; start < facts.length; start += sliceFactsMax) yield facts.slice(start, start + sliceFactsMax)
}

function* unpacked(slices: readonly Uint8Array[]): Generator<readonly Fact[]> {
  for (const slice of slices)
    yield JSON.parse(Buffer.from(slice.buffer, slice.byteOffset, slice.byteLength).toString('utf8')) as readonly Fact[]
}

async function* withTurns(slices: Iterable<readonly Fact[]>): AsyncGenerator<readonly Fact[]> {
  let first = true
  for (const slice of slices) {
    // A small answer is one slice and waits for nobody.
    if (!first) await nextTurn()
    first = false
    yield slice
  }
}
