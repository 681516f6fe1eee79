// The thread that reads large answers of /sync, and long lists of members, so that the event loop does not. Started and watched by
// sync-worker.ts.
//
//   { kind, body } -> packAnswer or packMembers -> { packed }      the bytes move in, the packed slices move out, nothing is cloned
import { parentPort, workerData } from 'node:worker_threads'
import { CityError } from '@citypresence/chassis/errors'
import { packAnswer, type AnswerOptions } from './sync-answer.ts'
import { packMembers } from './members-answer.ts'
import type { ThreadQuestion, ThreadReply } from './sync-worker.ts'

const port = parentPort
if (port === null) throw new Error('this file is a thread')

port.on('message', (question: ThreadQuestion) => {
  const reply = read(question)
  const moved = reply.ok ? reply.packed.slices.map(({ buffer }) => buffer as ArrayBuffer) : []
  port.postMessage(reply, moved)
})

function read({ kind, body }: ThreadQuestion): ThreadReply {
  try {
    return { ok: true, packed: kind === 'sync' ? packAnswer(body, workerData as AnswerOptions) : packMembers(body) }
  } catch (error) {
    // An error that nobody foresaw ends the thread, and sync-worker.ts reports it.
    if (!(error instanceof CityError)) throw error
    return { ok: false, problem: error.message }
  }
}
