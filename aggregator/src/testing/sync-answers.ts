// Answers of /sync in the shapes that a live Synapse was seen to send, and what is made of them, for tests.
import { factsOf, type Fact, type SyncFacts, type SyncFactsOptions } from '../core/sync-facts.ts'

export const daemon = '@daemon:test.local'
export const room = '!aOneRoomOfVersionTwelveHasNoServerPart_01234'
export const options: SyncFactsOptions = { daemonUserId: daemon }

export const member = (userId: string, membership: string, ts = 1000) => ({
  type: 'm.room.member',
  sender: userId,
  state_key: userId,
  origin_server_ts: ts,
  content: { membership },
})

export const message = (sender: string, ts?: number) => ({
  type: 'm.room.message',
  sender,
  ...(ts !== undefined && { origin_server_ts: ts }),
})

export const presence = (sender: string, state: string, more: object = {}) => ({
  type: 'm.presence',
  sender,
  content: { presence: state, ...more },
})

export function decodeOf(response: object, more: Partial<SyncFactsOptions> = {}): SyncFacts {
  const decoded = factsOf({ next_batch: 's1', ...response }, { ...options, ...more })
  if (!decoded.ok) throw new Error(decoded.error.path)
  return decoded.value
}

/** The facts of one room's part of an answer, without the word that the room is there. */
export const inRoom = (json: object): Fact[] => decodeOf({ rooms: { join: { [room]: json } } }).facts.slice(1)
