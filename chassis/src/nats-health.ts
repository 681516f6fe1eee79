// Whether NATS is there, and if not, why not, in words for /readyz: give its two listeners to connectNats.
import type { NatsStatus } from './edge/nats-connect.ts'
import type { CityError } from './errors.ts'

export type NatsHealth = {
  onStatus(status: Pick<NatsStatus, 'type'>): void
  onError(error: CityError): void
  /** The first connect has come about. */
  connected(): void
  /** Empty while it is there. */
  reasons(): readonly string[]
}

export function createNatsHealth(count: (error: CityError) => void): NatsHealth {
  let isUp = false
  let last: CityError | undefined
  const up = (): void => {
    isUp = true
    last = undefined
  }
  return {
    onStatus({ type }) {
      if (type === 'disconnect') isUp = false
      if (type === 'reconnect') up()
    },
    onError(error) {
      count(error)
      last = error
    },
    connected: up,
    reasons: () => (isUp ? [] : [last === undefined ? 'not connected to NATS' : reasonOf(last)]),
  }
}

export const reasonOf = ({ code, message }: CityError): string => `${code}: ${message}`
