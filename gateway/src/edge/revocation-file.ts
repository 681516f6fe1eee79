// The list of revoked tokens as a file: read at the start, and again when it changes. A list that cannot be read or is none leaves
// the last good one in use: what was revoked stays so.
import type { Clock } from '@citypresence/chassis/edge/clock'
import { watchFile } from '@citypresence/chassis/edge/files'
import { CityError } from '@citypresence/chassis/errors'
import { readFileSync, statSync } from 'node:fs'
import { isRevoked, noRevocations, readRevocations, type Holder, type Revocations } from '../core/revocations.ts'

export type RevocationFile = { readonly isRevoked: (holder: Holder) => boolean; readonly stop: () => void }

type Options = { readonly file: string; readonly clock: Clock; readonly onProblem: (error: unknown) => void }

// A hundred thousand ids of a hundred letters.
const bytesMax = 16 * 1024 * 1024

/** Throws where there is no good list at the start. */
export function followRevocations({ file, clock, onProblem }: Options): RevocationFile {
  let list = noRevocations
  // Watched before it is read: a change in between would be missed otherwise.
  const stop = watchFile(
    file,
    () => {
      try {
        list = read(file)
      } catch (error) {
        onProblem(error)
      }
    },
    { clock },
  )
  try {
    list = read(file)
  } catch (error) {
    stop()
    throw error
  }
  return { isRevoked: (holder) => isRevoked(list, holder), stop }
}

function read(file: string): Revocations {
  const answer = readRevocations(textOf(file))
  if (!answer.ok) throw new CityError('FileUnreadable', `REVOKED_FILE ${file}: ${answer.problem}`)
  return answer.value
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > bytesMax) throw new Error(`more than ${bytesMax} bytes`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CityError('FileUnreadable', `REVOKED_FILE ${file}: cannot be read`, { cause })
  }
}
