// Questions to NATS that know about the link: while it is down the client swallows what is published, without a word, so a question
// waits until it is up; and a question whose link breaks is over at once, because its answer can no longer come.
//
//   request -> up?    -> sent -> answer | time is over | link broke  -> an error with its code
//              down   -> wait (at most as long as an answer may take) -> sent ...
//
// An answer that does not come in time may be the link's fault: one that is half open says nothing for 15 s. So it is asked for a
// sign of life, and given up when it gives none.
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { isTimeout, toNatsError } from '@citypresence/chassis/edge/nats-errors'
import { CityError } from '@citypresence/chassis/errors'

export type Question = {
  readonly subject: string
  readonly body: string
  readonly headers?: MsgHdrs
  readonly timeoutMs?: number
}

export interface NatsLink {
  readonly isUp: boolean
  /** Rejects with NatsUnreachable (or what NATS said) after the time, or when the link breaks. */
  request(question: Question): Promise<Msg>
}

export type NatsLinkOptions = {
  readonly connection: NatsConnection
  readonly clock: Clock
  readonly timeoutMs: number
}

/** A pong needs milliseconds, also from a server whose stream has no leader. */
const signOfLifeMs = 1_000

export function followLink({ connection, clock, timeoutMs }: NatsLinkOptions): NatsLink {
  let isUp = true
  const waiting = new Set<{ readonly up: () => void; readonly down: () => void }>()
  void watch(connection, (now) => {
    isUp = now
    for (const one of waiting) (now ? one.up : one.down)()
  })
  /** Resolves at the next change to `wanted`; `cancel` forgets it. */
  const next = (wanted: 'up' | 'down') => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const nothing = (): void => undefined
    const done = (): void => resolve(undefined)
    const entry = { up: wanted === 'up' ? done : nothing, down: wanted === 'down' ? done : nothing }
    waiting.add(entry)
    return { promise, cancel: () => void waiting.delete(entry) }
  }
  const lost = (subject: string, why: string) => new CityError('NatsUnreachable', `${subject}: ${why}`)
  const untilUp = async (subject: string): Promise<void> => {
    if (isUp) return
    const up = next('up')
    const { promise: late, reject } = Promise.withResolvers<never>()
    const cancel = clock.after(timeoutMs, () => reject(lost(subject, 'not connected')))
    await Promise.race([up.promise, late]).finally(() => {
      up.cancel()
      cancel()
    })
  }
  let probing = false
  const probe = async (): Promise<void> => {
    if (probing || !isUp) return
    probing = true
    const { promise: late, resolve } = Promise.withResolvers<boolean>()
    const cancel = clock.after(signOfLifeMs, () => resolve(false))
    const isAlive = await Promise.race([connection.flush().then(yes, yes), late])
    cancel()
    probing = false
    if (!isAlive) await connection.reconnect().catch(() => undefined)
  }
  return {
    get isUp() {
      return isUp
    },
    async request({ subject, body, headers, timeoutMs: answerMs = timeoutMs }) {
      await untilUp(subject)
      const down = next('down')
      try {
        return await Promise.race([
          connection.request(subject, body, { timeout: answerMs, ...(headers !== undefined && { headers }) }),
          down.promise.then((): never => {
            throw lost(subject, 'the connection broke while the answer was awaited')
          }),
        ])
      } catch (error) {
        if (isTimeout(error)) void probe()
        throw toNatsError(error, subject)
      } finally {
        down.cancel()
      }
    },
  }
}

// A flush that fails has been answered too: by a connection that knows it is gone.
const yes = (): boolean => true

async function watch(connection: NatsConnection, changed: (isUp: boolean) => void): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'disconnect') changed(false)
    if (type === 'reconnect') changed(true)
  }
  changed(false)
}
