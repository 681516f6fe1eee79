// The thread that reads large /sync answers, so that the event loop does not. Started and watched by sync-worker.ts.
//
//   { body } -> packAnswer -> { packed }      the bytes move in, the packed slices move out, nothing is cloned
import { parentPort, workerData } from 'node:worker_threads'
import { CityError } from '@citypresence/chassis/errors'
import { packAnswer, type AnswerOptions } from './sync-answer.ts'
import type { ThreadReply } from './sync-worker.ts'

const port = parentPort
if (port === null) throw new Error('this file is a thread')

port.on('message', (body: Uint8Array) => {
  const reply = read(body)
  const moved = reply.ok ? reply.packed.slices.map(({ buffer }) => buffer as ArrayBuffer) : []
  port.postMessage(reply, moved)
})

function read(body: Uint8Array): ThreadReply {
  try {
    return { ok: true, packed: packAnswer(body, workerData as AnswerOptions) }
  } catch (error) {
    // An error that nobody foresaw ends the thread, and sync-worker.ts reports it.
    if (!(error instanceof CityError)) throw error
    return { ok: false, problem: error.message }
  }
}
