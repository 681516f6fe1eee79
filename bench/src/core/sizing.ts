// What a city needs, from what the benchmark measured: how many gateways, how much processor and memory, how old a change gets.
//
//   a sweep takes browsers x cost of a write; a change waits for the sweep that runs, and the last browser for its own
//   -> the age that is allowed says how many browsers one gateway may have
import type { KeptRun } from './result.ts'

export type Slopes = {
  /** CPU of one write with some rooms in it. */
  readonly writeMicros: number
  readonly idleMicrosPerS: number
  readonly connectionBytes: number
  readonly gatewayBytes: number
}

export type CityNeed = { readonly browsers: number; readonly changesPerS: number }

type Size = {
  readonly gateways: number
  readonly browsersEach: number
  /** In cores, of all gateways. */
  readonly cores: number
  /** Of one gateway. */
  readonly memoryBytes: number
  readonly ageMs: number
  readonly bytesPerS: number
}

// Twice a sweep is the age of the last browser's change: half a second is what an eye calls at once.
const ageMaxMs = 500
// Below the 20,000 files that a process may hold open on a usual machine, with room for browsers that come over from another.
const browsersMax = 10_000
// Two, so that one can go.
const gatewaysLeast = 2
// {"type":"room.presence","room_slug":"…","online_count":…,"typing_count":0} with a name of ten letters, and its frame.
const bytesPerMessage = 90

export function sizeOf({ browsers, changesPerS }: CityNeed, slopes: Slopes): Size {
  const byAge = (ageMaxMs * 1_000) / (2 * slopes.writeMicros)
  const most = Math.max(1, Math.floor(Math.min(byAge, browsersMax)))
  const gateways = Math.max(gatewaysLeast, Math.ceil(browsers / most))
  const browsersEach = Math.ceil(browsers / gateways)
  const sweepMs = (browsersEach * slopes.writeMicros) / 1_000
  // Each change is a sweep of its own until sweeps fill the core; from there on several share one.
  const busy = Math.min(1, (changesPerS * sweepMs) / 1_000)
  const idle = (browsersEach * slopes.idleMicrosPerS) / 1e6
  return {
    gateways,
    browsersEach,
    cores: gateways * Math.min(1, busy + idle),
    memoryBytes: slopes.gatewayBytes + browsersEach * slopes.connectionBytes,
    ageMs: 2 * sweepMs,
    bytesPerS: browsers * changesPerS * bytesPerMessage,
  }
}

/** From a run; undefined while it lacks one of the rows. */
export function slopesOf({ rows }: KeptRun): Slopes | undefined {
  const at = (id: string, what: string): number | undefined =>
    rows[id]?.curves.find((curve) => curve.what === what)?.points.at(-1)?.value
  const gatewayMegabytes = rows['P3']?.figures.find(({ what }) => what === gatewayMemory)?.median
  const [writeMicros, kibibytes, idleMicrosPerS] = [
    at('P1', writeCost),
    at('P3', connectionMemory),
    at('P11', idleCost),
  ]
  if (
    writeMicros === undefined ||
    kibibytes === undefined ||
    idleMicrosPerS === undefined ||
    gatewayMegabytes === undefined
  )
    return undefined
  return { writeMicros, idleMicrosPerS, connectionBytes: kibibytes * 1_024, gatewayBytes: gatewayMegabytes * 1e6 }
}

/** What the rows call the curves and the figure that a size is made of. */
export const writeCost = 'CPU of a write with 10 rooms'
export const connectionMemory = 'resident memory of a connection'
export const idleCost = 'CPU time of an idle connection'
export const gatewayMemory = 'resident memory of a gateway without browsers'
