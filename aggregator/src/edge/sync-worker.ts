// Reads answers of /sync and lists of members without holding up the event loop: small ones at once, large ones on a thread.
//
//   bytes <= 256 KiB -> readAnswer here
//   bytes beyond     -> thread (started at the first need, ended after a minute without work) -> slices, unpacked one by one
//
// The thread has a bounded heap and a deadline. One that dies or hangs costs its answer, which then counts as unreadable; the
// next large answer starts another. What comes while it reads waits: there is one thread, and one memory.
import { Worker } from 'node:worker_threads'
import { type Cancel, type Clock, systemClock } from '@citypresence/chassis/edge/clock'
import { CityError } from '@citypresence/chassis/errors'
import { readMembers, unpackMembers, type PackedMembers } from './members-answer.ts'
import { readAnswer, unpackAnswer, type AnswerOptions, type PackedAnswer, type SyncAnswer } from './sync-answer.ts'

export type ThreadQuestion = { readonly kind: 'sync' | 'members'; readonly body: Uint8Array }
export type ThreadReply =
  | { readonly ok: true; readonly packed: PackedAnswer | PackedMembers }
  | { readonly ok: false; readonly problem: string }

export type AnswerReaderOptions = AnswerOptions & {
  readonly clock?: Clock
  /** Answers up to this size are read on the event loop. */
  readonly inlineBytesMax?: number
  readonly idleMs?: number
  readonly deadlineMs?: number
  readonly heapMbMax?: number
  /** For tests: another thread. */
  readonly threadUrl?: URL
}

export interface AnswerReader {
  /** Takes the bytes over. Throws MatrixGarbled. */
  read(body: Uint8Array): Promise<SyncAnswer>
  /** The same of an answer of /joined_members: the names in it. */
  readMembers(body: Uint8Array): Promise<readonly string[]>
  /** Whether the thread stands; for the curious and for tests. */
  readonly threadStands: () => boolean
  stop(): Promise<void>
}

/** 256 KiB of JSON is read and taken apart in about 3 ms, which no beat and no probe notices. */
const inlineBytesMaxDefault = 256 * 1024
/** Large answers come together at a start and after an outage, then not for hours: its memory should not stay. */
const idleMsDefault = 60_000
/** The largest answer that we accept takes the thread two seconds; thirty times that is a thread that hangs. */
const deadlineMsDefault = 60_000
/** 64 MiB of JSON become some 400 MB of objects. */
const heapMbMaxDefault = 1_024

type Thread = { readonly worker: Worker; gone: boolean }

export function createAnswerReader(options: AnswerReaderOptions): AnswerReader {
  const { clock = systemClock, inlineBytesMax = inlineBytesMaxDefault, idleMs = idleMsDefault } = options
  let thread: Thread | undefined
  let cancelIdle: Cancel | undefined
  const end = async (): Promise<void> => {
    cancelIdle?.()
    const standing = thread
    thread = undefined
    await standing?.worker.terminate()
  }
  let last: Promise<unknown> = Promise.resolve()
  const ask = async <T>(question: ThreadQuestion): Promise<T> => {
    cancelIdle?.()
    if (thread === undefined || thread.gone) thread = startThread(options)
    try {
      return (await askThread(thread, question, options)) as T
    } finally {
      cancelIdle = clock.after(idleMs, () => void end())
    }
  }
  /** Whatever became of the one before. */
  const askInTurn = <T extends PackedAnswer | PackedMembers>(question: ThreadQuestion): Promise<T> => {
    const asking = last.then(() => ask<T>(question))
    last = asking.catch(() => undefined)
    return asking
  }
  return {
    async read(body) {
      if (body.byteLength <= inlineBytesMax) return readAnswer(body, options)
      return unpackAnswer(await askInTurn<PackedAnswer>({ kind: 'sync', body }))
    },
    async readMembers(body) {
      if (body.byteLength <= inlineBytesMax) return readMembers(body)
      return unpackMembers(await askInTurn<PackedMembers>({ kind: 'members', body }))
    },
    threadStands: () => thread !== undefined && !thread.gone,
    stop: end,
  }
}

function startThread({ daemonUserId, unknownStateCounts, ...options }: AnswerReaderOptions): Thread {
  const workerData: AnswerOptions = {
    daemonUserId,
    ...(unknownStateCounts === undefined ? {} : { unknownStateCounts }),
  }
  const worker = new Worker(options.threadUrl ?? new URL('./sync.worker.ts', import.meta.url), {
    workerData,
    execArgv: [],
    // What the thread reads is none of its environment's business.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: options.heapMbMax ?? heapMbMaxDefault },
  })
  const thread: Thread = { worker, gone: false }
  worker.once('exit', () => (thread.gone = true))
  // Without a listener an error of the thread would be one of the process; askThread hears it when it matters.
  worker.on('error', () => (thread.gone = true))
  // Never a reason for the process to stay.
  worker.unref()
  return thread
}

const asked = { sync: 'GET /sync', members: 'GET /joined_members' }

async function askThread(
  thread: Thread,
  { kind, body }: ThreadQuestion,
  options: AnswerReaderOptions,
): Promise<PackedAnswer | PackedMembers> {
  const { clock = systemClock, deadlineMs = deadlineMsDefault } = options
  const { worker } = thread
  const heard = new AbortController()
  const reply = await new Promise<ThreadReply>((resolve) => {
    const once = (event: string, listener: (value: unknown) => void) => {
      worker.once(event, listener)
      heard.signal.addEventListener('abort', () => worker.off(event, listener))
    }
    const lost = (problem: string) => resolve({ ok: false, problem })
    once('message', (value) => resolve(value as ThreadReply))
    once('error', (error) => lost(`the thread that read it died: ${(error as Error).message}`))
    once('exit', () => lost('the thread that read it ended'))
    const cancel = clock.after(deadlineMs, () => {
      thread.gone = true
      lost(`not read after ${deadlineMs} ms`)
      void worker.terminate()
    })
    heard.signal.addEventListener('abort', cancel)
    const owned = movable(body)
    worker.postMessage({ kind, body: owned }, [owned.buffer])
  })
  heard.abort()
  if (!reply.ok) throw new CityError('MatrixGarbled', `${asked[kind]}: ${reply.problem}`)
  return reply.packed
}

/** Bytes that fill a buffer of their own can be moved; others are copied first. */
function movable(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = body
  const alone = buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === byteLength
  return alone ? new Uint8Array(buffer) : new Uint8Array(body)
}
