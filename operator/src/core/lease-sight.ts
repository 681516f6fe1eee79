// Does whoever holds the Lease still renew it? Told by our own clock from its changes alone: the times that stand in it come from
// another clock. A cache can stand still too, while the API server is away, so silence in it is a suspicion and nothing more:
//
//   it changes --> fresh      no change for a while --> suspected: asked at the server --> changed: fresh
//                                                                                     '-> not: counted anew, asked once more --> lost

export type LeaseSight = {
  readonly version: string | undefined
  readonly sinceMs: number
  /** Since when it was the same at the server itself. */
  readonly confirmed: 'cache' | 'server' | 'twice'
}

/** What lies there now: the resourceVersion, undefined where there is none. `isLive`: asked at the server a moment ago. */
export function seeLease(
  sight: LeaseSight | undefined,
  version: string | undefined,
  { nowMs, silenceMs, isLive }: { readonly nowMs: number; readonly silenceMs: number; readonly isLive: boolean },
): LeaseSight {
  if (sight?.version !== version || sight === undefined) return { version, sinceMs: nowMs, confirmed: 'cache' }
  if (!isLive || nowMs - sight.sinceMs < silenceMs) return sight
  return sight.confirmed === 'cache'
    ? { version, sinceMs: nowMs, confirmed: 'server' }
    : { ...sight, confirmed: 'twice' }
}

/** Silent for so long that the server has to be asked before anything is said about it. */
export const isSuspect = ({ sinceMs, confirmed }: LeaseSight, nowMs: number, silenceMs: number): boolean =>
  confirmed !== 'twice' && nowMs - sinceMs >= silenceMs

/** Nobody has renewed it, twice in a row. */
export const isSilent = ({ confirmed }: LeaseSight): boolean => confirmed === 'twice'

/** When it is worth looking again. */
export const nextLookMs = ({ sinceMs, confirmed }: LeaseSight, nowMs: number, silenceMs: number): number | undefined =>
  confirmed === 'twice' ? undefined : Math.max(0, sinceMs + silenceMs - nowMs)
