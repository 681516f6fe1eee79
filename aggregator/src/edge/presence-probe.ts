// Does the homeserver keep what it is told about presence? One that has it switched off answers 200 to everything and says
// nothing, which looks like a city where everybody left at once.
//
//   PUT own presence `unavailable` -> GET it back -> `unavailable`: it works    anything else: it does not
//
// One PUT and one GET: a homeserver allows one PUT in ten seconds by default. The daemon is not counted, and its polls, which
// all say `offline`, let it fall back within half a minute.
import { CityError } from '@citypresence/chassis/errors'
import type { MatrixClient } from './matrix-client.ts'

export type PresenceProbeResult = { readonly works: boolean } | { readonly works: undefined; readonly error: CityError }

/** `works: undefined` when the homeserver did not answer: nothing is known then. */
export async function probePresence(
  client: Pick<MatrixClient, 'setPresence' | 'presenceOf'>,
  userId: string,
  signal?: AbortSignal,
): Promise<PresenceProbeResult> {
  try {
    await client.setPresence(userId, 'unavailable', signal)
    return { works: (await client.presenceOf(userId, signal)) === 'unavailable' }
  } catch (error) {
    if (error instanceof CityError) return { works: undefined, error }
    throw error
  }
}
