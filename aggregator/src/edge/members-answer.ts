// The bytes of one /joined_members answer as the names in it. As with answers of /sync, small ones are read here and large ones by the
// thread beside the loop (sync-worker.ts), from which the names cross in slices.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CityError } from '@citypresence/chassis/errors'
import { describeDecodeError, object } from '@citypresence/wire/decode'
import { parseJson } from './sync-answer.ts'

const where = 'GET /joined_members'
const answer = object({ joined: object({}) })

/** To unpack so many names takes some two milliseconds. */
const sliceNamesMax = 10_000

/** Throws MatrixGarbled. */
export function readMembers(body: Uint8Array): readonly string[] {
  const input = parseJson(body, where)
  const decoded = answer.decode(input)
  if (!decoded.ok) throw new CityError('MatrixGarbled', `${where}: ${describeDecodeError(decoded.error)}`)
  return Object.keys((input as { joined: object }).joined)
}

/** Names as JSON in UTF-8, each slice a buffer of its own that moves instead of being copied. */
export type PackedMembers = { readonly slices: readonly Uint8Array[] }

export function packMembers(body: Uint8Array): PackedMembers {
  const names = readMembers(body)
  const encoder = new TextEncoder()
  const slices: Uint8Array[] = []
  for (let start = 0; start < names.length; start += sliceNamesMax)
    slices.push(encoder.encode(JSON.stringify(names.slice(start, start + sliceNamesMax))))
  return { slices }
}

export async function unpackMembers({ slices }: PackedMembers): Promise<readonly string[]> {
  const names: string[] = []
  for (const slice of slices) {
    await nextTurn()
    names.push(...(JSON.parse(Buffer.from(slice).toString('utf8')) as string[]))
  }
  return names
}
