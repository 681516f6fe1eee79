// Careful hands for the JSON of /sync: every container may be absent, none may be believed to be what it should be.
import { matrixIdLengthMax } from '@citypresence/wire/room-presence'

export type Json = Readonly<Record<string, unknown>>
/** What was passed over, and what was met for the first time. */
export type Tally = { malformed: number; unknownStates: number }

const nothing: Json = {}

export const isRecord = (input: unknown): input is Json =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

/** A container; an absent one is empty, one of another kind is counted and taken as empty. */
export function recordAt(parent: Json, key: string, tally: Tally): Json {
  const input = parent[key]
  if (isRecord(input)) return input
  if (input !== undefined && input !== null) tally.malformed++
  return nothing
}

/** The events of a list; what is no object is counted and left out. */
export function* itemsOf(parent: Json, key: string, tally: Tally): Generator<Json> {
  const input = parent[key]
  if (input === undefined || input === null) return
  if (!Array.isArray(input)) {
    tally.malformed++
    return
  }
  for (const item of input as readonly unknown[])
    if (isRecord(item)) yield item
    else tally.malformed++
}

/** Historical user ids hold almost anything, so only the frame is checked. */
export const isUserId = (input: unknown): input is string =>
  typeof input === 'string' && input.length <= matrixIdLengthMax && /^@[^:]*:./s.test(input)

/** A room id may come without a server part, so it is never split. */
export const isRoomId = (input: unknown): input is string =>
  typeof input === 'string' && input.length > 1 && input.length <= matrixIdLengthMax && input.startsWith('!')

export const serverOf = (userId: string): string => userId.slice(userId.indexOf(':') + 1)

/** A stamp of another server: any whole number, or nothing. */
export const stampOf = (input: unknown): number | undefined =>
  typeof input === 'number' && Number.isSafeInteger(input) ? input : undefined
