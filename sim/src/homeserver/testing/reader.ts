// A reader of /sync for the contract suite: it asks on from token to token and keeps all that it was told, so that a test can
// say "in the end this was told" and, after a fence, "and that never was".
import { createMatrixClient, type Account, type MatrixClient, type SyncAnswer } from '@citypresence/stack/matrix-client'

export type EventLike = { type: string; sender?: string; state_key?: string; content?: Record<string, unknown> }

export type Reader = {
  readonly client: MatrixClient
  /** All answers since the beginning, or since the last `forget`. */
  readonly told: SyncAnswer[]
  token(): string
  /** One answer. No two questions are alike, because a homeserver answers the same question with the same answer. */
  next(timeoutMs?: number): Promise<SyncAnswer>
  /** Reads on until what was told fulfils this, or fails after a deadline. */
  until(what: string, isTold: (told: readonly SyncAnswer[]) => boolean): Promise<void>
  forget(): void
}

// An answer on a busy machine has been seen to take seconds; nothing here waits for time to pass.
const deadlineMs = 20_000
const pollMs = 2_000
let asked = 0

export async function readFrom(url: string, account: Account, filter: unknown): Promise<Reader> {
  const client = createMatrixClient(url, account)
  const told: SyncAnswer[] = []
  let since: string | undefined
  const next = async (timeoutMs = 0): Promise<SyncAnswer> => {
    asked++
    const timeout = timeoutMs === 0 ? 0 : timeoutMs + asked
    const answer = await client.sync({
      filter,
      setPresence: 'offline',
      timeoutMs: timeout,
      ...(since !== undefined && { since }),
    })
    since = answer.next_batch
    told.push(answer)
    return answer
  }
  // A first sync repeated within two minutes is answered from memory, so it too has a timeout of its own.
  await next(1)
  return {
    client,
    told,
    token: () => since ?? '',
    next,
    async until(what, isTold) {
      const endMs = performance.now() + deadlineMs
      while (!isTold(told)) {
        if (performance.now() > endMs) throw new Error(`never told: ${what}; told was ${JSON.stringify(told)}`)
        await next(pollMs)
      }
    },
    forget: () => void told.splice(0),
  }
}

export const presenceTold = (told: readonly SyncAnswer[], userId: string): readonly Record<string, unknown>[] =>
  told
    .flatMap(({ presence }) => presence?.events ?? [])
    .filter(({ sender }) => sender === userId)
    .map(({ content }) => content ?? {})

const roomsOf = (told: readonly SyncAnswer[], kind: 'join' | 'leave', roomId: string) =>
  told.flatMap(({ rooms }) => {
    const room = rooms?.[kind]?.[roomId]
    return room === undefined ? [] : [room]
  })
export const joinTold = (told: readonly SyncAnswer[], roomId: string) => roomsOf(told, 'join', roomId)
export const leaveTold = (told: readonly SyncAnswer[], roomId: string) => roomsOf(told, 'leave', roomId)

export const typingTold = (told: readonly SyncAnswer[], roomId: string): readonly string[][] =>
  joinTold(told, roomId)
    .flatMap(({ ephemeral }) => ephemeral?.events ?? [])
    .filter(({ type }) => type === 'm.typing')
    .map(({ content }) => [...(content?.['user_ids'] as string[])].sort())

export const stateTold = (told: readonly SyncAnswer[], roomId: string): readonly EventLike[] =>
  joinTold(told, roomId).flatMap(({ state }) => state?.events ?? [])
export const timelineTold = (told: readonly SyncAnswer[], roomId: string): readonly EventLike[] =>
  joinTold(told, roomId).flatMap(({ timeline }) => timeline?.events ?? [])

/** Everybody's last membership as a reader learns it who applies the state and then the timeline. */
export function membersTold(told: readonly SyncAnswer[], roomId: string): Readonly<Record<string, unknown>> {
  const members: Record<string, unknown> = {}
  for (const room of [...joinTold(told, roomId), ...leaveTold(told, roomId)])
    for (const event of [...(room.state?.events ?? []), ...(room.timeline?.events ?? [])])
      if (event.type === 'm.room.member') members[event.state_key ?? ''] = event.content?.['membership']
  return members
}
