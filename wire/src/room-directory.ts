// The map of the city: which Matrix room is which slug. The city service answers it, or a file holds it, in the same shape:
// an array of entries, or `{ "rooms": [...] }`. It is taken whole or refused whole.
import { accept, arrayOf, object, plain, refuse, type Decoded, type Decoder, type Infer } from './decode.ts'
import { matrixIdLengthMax } from './room-presence.ts'
import { roomSlug } from './subjects.ts'

// Ten times the largest city we plan for; a larger answer is a mistake, not a city.
export const roomsMax = 10_000

const idStartingWith = (sigil: string, name: string): Decoder<string> =>
  plain(
    name,
    (input): input is string =>
      typeof input === 'string' && input.startsWith(sigil) && input.length > 1 && input.length <= matrixIdLengthMax,
  )

/** A room id may come without a server part, so it is never split. */
export const matrixRoomId = idStartingWith('!', 'a Matrix room id (beginning with !)')
export const matrixRoomAlias = idStartingWith('#', 'a Matrix room alias (beginning with #)')

const entry = object({ slug: roomSlug }, { matrix_room_id: matrixRoomId, matrix_room_alias: matrixRoomAlias })
export type RoomDirectoryEntry = Infer<typeof entry>
const entries = arrayOf(entry, roomsMax)

/** The keys of an entry that may come as null, as a database would give them. */
const optionalKeys = ['matrix_room_id', 'matrix_room_alias'] as const

const withoutNulls = (input: unknown): unknown => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  const record: Record<string, unknown> = { ...input }
  for (const key of optionalKeys) if (record[key] === null || record[key] === '') record[key] = undefined
  return record
}

export const roomDirectory: Decoder<readonly RoomDirectoryEntry[]> = {
  shape: { entries: entries.shape, form: 'an array, or an object with rooms' },
  decode(input, path = '') {
    const wrapped = typeof input === 'object' && input !== null && !Array.isArray(input)
    const list: unknown = wrapped ? (input as Record<string, unknown>)['rooms'] : input
    const listPath = wrapped ? `${path === '' ? '' : `${path}.`}rooms` : path
    const decoded = entries.decode(Array.isArray(list) ? list.map(withoutNulls) : list, listPath)
    return decoded.ok ? checkEntries(decoded.value, listPath) : decoded
  },
}

/** No slug, id or alias twice: half a map is worse than yesterday's. An entry may have no Matrix room yet. */
function checkEntries(list: readonly RoomDirectoryEntry[], path: string): Decoded<readonly RoomDirectoryEntry[]> {
  const seen = new Set<string>()
  for (const [index, room] of list.entries()) {
    const at = `${path}[${index}]`
    for (const [key, value] of Object.entries(room)) {
      if (seen.has(value)) return refuse(`${at}.${key}`, 'a value that no other entry has', value)
      seen.add(value)
    }
  }
  return accept(list)
}
