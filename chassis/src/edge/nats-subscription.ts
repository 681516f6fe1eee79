// A subscription that outlives the loss of its right. The client closes one that the server refuses, and would stay deaf when the
// right is given back; so it is asked for again, until it is there.
//
//   subscribe --message--> hear      --refused--> tell, wait, subscribe again
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import type { Clock } from './clock.ts'
import { toNatsError } from './nats-errors.ts'
import type { CityError } from '../errors.ts'

export type SubscriptionOptions = {
  readonly connection: NatsConnection
  readonly subject: string
  readonly clock: Clock
  readonly hear: (message: Msg) => void
  /** At each refusal: what was said meanwhile was not heard. */
  readonly refused: (error: CityError) => void
}

/** Soon back, and shorter than any silence that is judged; each asking costs the server a line in its log. */
export const askAgainMs = 2_000

/** Returns how to end it. */
export function keepSubscribed({ connection, subject, clock, hear, refused }: SubscriptionOptions): () => void {
  let end = (): void => undefined
  const subscribe = (): void => {
    const subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) {
          hear(message)
          return
        }
        refused(toNatsError(error, subject))
        end = clock.after(askAgainMs, () => {
          // One that was closed for good ends the process; there is nothing to hear on it.
          if (!connection.isClosed()) subscribe()
        })
      },
    })
    end = () => subscription.unsubscribe()
  }
  subscribe()
  return () => end()
}
