// One question and its answers, on a connection that says what a test wants.
import { headers as createHeaders, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { expect, it } from 'vitest'
import { createFakeClock } from '../testing/fake-clock.ts'
import { readNewest } from './nats-direct-get.ts'

type Hear = (error: Error | null, message: Msg) => void

function ask(options: { readonly messagesMax?: number; readonly publishFails?: boolean } = {}) {
  const clock = createFakeClock()
  const asked: { subject: string; question: unknown; reply: string | undefined }[] = []
  const listeners = new Map<string, Hear>()
  const connection = {
    publish(subject: string, body: string, { reply }: { readonly reply?: string }) {
      if (options.publishFails === true) throw new Error('no such right')
      asked.push({ subject, question: JSON.parse(body), reply })
    },
    subscribe(inbox: string, { callback }: { readonly callback: Hear }) {
      listeners.set(inbox, callback)
      return { unsubscribe: () => listeners.delete(inbox) }
    },
  } as unknown as NatsConnection
  const kept: string[] = []
  const question = {
    connection,
    streamName: 'CITY',
    subjects: 'city.presence.room.>',
    inboxPrefix: '_INBOX_me',
    clock,
    timeoutMs: 1_500,
    messagesMax: options.messagesMax ?? 2,
  }
  const answer = readNewest(question, (one) => {
    kept.push(one.string())
    return one.string()
  })
  // Looked at later: until then a refusal is nobody's fault.
  answer.catch(() => undefined)
  const hear = (error: Error | null, message: Msg): void => {
    for (const listener of listeners.values()) listener(error, message)
  }
  return { answer, asked, kept, clock, hear, listeners }
}

const message = (body: string): Msg => ({ string: () => body }) as unknown as Msg
const status = (code: number, text: string): Msg => ({ headers: createHeaders(code, text) }) as unknown as Msg
const end = status(204, 'EOB')

it('[C43] asks once for the newest of each subject, and gives what came before the end mark', async () => {
  const { answer, asked, kept, hear, listeners, clock } = ask()
  const [inbox = ''] = listeners.keys()
  expect(inbox.startsWith('_INBOX_me.')).toBe(true)
  expect(asked).toEqual([
    {
      subject: '$JS.API.DIRECT.GET.CITY',
      question: { seq: 1, batch: 3, next_by_subj: 'city.presence.room.>' },
      reply: inbox,
    },
  ])
  // Each is looked at as it comes, not all of them in the end.
  hear(null, message('a'))
  expect(kept).toEqual(['a'])
  for (const one of [message('b'), end]) hear(null, one)
  expect(await answer).toEqual(['a', 'b'])
  // Nobody listens any more, and no timer is left.
  expect([listeners.size, clock.pendingTimers()]).toEqual([0, 0])
})

it('[C43] a stream without such a message holds none', async () => {
  const { answer, hear, listeners } = ask()
  hear(null, status(404, 'Message Not Found'))
  expect(await answer).toEqual([])
  expect(listeners.size).toBe(0)
})

it("[C43] more messages than the stream may hold are somebody else's stream", async () => {
  const { answer, hear, listeners } = ask({ messagesMax: 2 })
  for (const body of ['a', 'b', 'c']) hear(null, message(body))
  await expect(answer).rejects.toMatchObject({
    code: 'SnapshotFailed',
    message: expect.stringContaining('2') as string,
  })
  expect(listeners.size).toBe(0)
})

it.each([408, 413, 503])('[C43] a refusal (%d) is no answer, also after the first messages', async (code) => {
  const { answer, hear, listeners, clock } = ask()
  hear(null, message('a'))
  hear(null, status(code, 'whatever'))
  hear(null, end)
  await expect(answer).rejects.toMatchObject({ code: 'SnapshotFailed', message: `CITY: it answered ${code} whatever` })
  expect([listeners.size, clock.pendingTimers()]).toEqual([0, 0])
})

it('[C43] an answer without an end is given up in time', async () => {
  const { answer, hear, listeners, clock } = ask()
  hear(null, message('a'))
  await clock.advance(1_499)
  expect(listeners.size).toBe(1)
  await clock.advance(1)
  await expect(answer).rejects.toMatchObject({ code: 'SnapshotFailed' })
  expect(listeners.size).toBe(0)
})

it('[C43] a question that cannot be sent, and answers that may not be heard, are told at once', async () => {
  const mute = ask({ publishFails: true })
  await expect(mute.answer).rejects.toMatchObject({ code: 'SnapshotFailed', cause: new Error('no such right') })
  expect([mute.listeners.size, mute.clock.pendingTimers()]).toEqual([0, 0])
  const deaf = ask()
  deaf.hear(new Error('permissions violation'), message(''))
  await expect(deaf.answer).rejects.toMatchObject({ code: 'SnapshotFailed', cause: new Error('permissions violation') })
})
