// The demo itself: sets the stage, lets the residents live, looks at the city through one socket on each gateway, tells
// every second what is going on, and judges at the end.
import { until } from '../until.ts'
import { tailOf } from '../process.ts'
import { measureLatency, type Latency } from './latency.ts'
import { pause } from './pause.ts'
import { progressLine, whyNotLived } from './progress.ts'
import { startResidents, type Residents } from './residents.ts'
import type { Service } from '../service.ts'
import { setStage, type Stage, type StageOptions } from './stage.ts'
import { truthOf } from '../truth.ts'
import { differences, startViewer, type Viewer } from '../viewer.ts'

export type ShowOptions = {
  /** Ends by itself after this time and judges; undefined lives until the signal. */
  lengthMs: number | undefined
  throttleMs: number
  /** Aggregators: one leads, the others stand by. */
  leaders: number
  /** A Prometheus looks on. */
  observe: boolean
  seed: number
  /** How long the gateways may take to agree once everybody has fallen silent. */
  agreeWithinMs: number
  signal: AbortSignal
  say: (text: string) => void
}

/** Undefined when the city lived (or was ended by hand), else why not. */
export async function show(
  options: ShowOptions,
  set: (options: StageOptions) => Promise<Stage> = setStage,
): Promise<string | undefined> {
  const stage = await set(options)
  const viewers = stage.gateways.map((gateway, index) =>
    startViewer(`gateway ${index + 1}`, gateway.webSocketUrl, stage.token),
  )
  const residents = startResidents(stage.city, options.seed)
  const latency = measureLatency(stage.city, viewers, stage.throttleMs)
  try {
    options.say(`\nThe city is open: ${stage.address}\n`)
    if (stage.prometheusUrl !== undefined)
      options.say(
        `Prometheus looks on: ${stage.prometheusUrl}/alerts; dashboards for Grafana lie in sight/dashboards.\n`,
      )
    const died = await watch(options, stage, { residents, viewers, latency })
    if (died !== undefined || options.signal.aborted) return died
    return await judge(options, stage, { residents, viewers, latency })
  } finally {
    residents.stop()
    for (const viewer of viewers) viewer.stop()
    await latency.stop()
    options.say('Stopping ...')
    await stage.stop()
  }
}

type Cast = { residents: Residents; viewers: readonly Viewer[]; latency: Latency }

/** Prints a line a second until the time is over, the signal comes, or a service dies; then tells which. */
async function watch(options: ShowOptions, stage: Stage, cast: Cast): Promise<string | undefined> {
  const startMs = performance.now()
  for (let second = 1; ; second++) {
    await pause(startMs + second * 1_000 - performance.now(), options.signal)
    const elapsedMs = performance.now() - startMs
    if (options.signal.aborted) return undefined
    const leader = await leaderOf(stage)
    options.say(progressLine({ ...factsOf(stage, cast, elapsedMs), leader }))
    const dead = deadIn(stage)
    if (dead !== undefined) return `The ${dead.name} ended on its own. Its log ends:\n${tailOf(dead.logFile)}`
    if (options.lengthMs !== undefined && second * 1_000 >= options.lengthMs) return undefined
  }
}

/** Whose end is the end of the city: a gateway's, and the last aggregator's. Of several aggregators any other may go. */
function deadIn({ aggregators, gateways }: Stage): Service | undefined {
  const gone = gateways.find((gateway) => !gateway.isRunning())
  return gone ?? (aggregators.some((one) => one.isRunning()) ? undefined : aggregators[0])
}

/** Who leads, for a person who wants to kill it; undefined where there is only one to ask. */
async function leaderOf({ aggregators }: Stage): Promise<string | undefined> {
  if (aggregators.length < 2) return undefined
  const roles = await Promise.all(aggregators.map(roleOf))
  const index = roles.indexOf('leader')
  return index < 0 ? 'nobody leads' : `aggregator ${index + 1} leads (process ${aggregators[index]?.pid})`
}

async function roleOf(one: Service): Promise<unknown> {
  if (!one.isRunning()) return undefined
  try {
    // A line comes each second, and one that does not answer does not lead.
    const answer = await fetch(`${one.adminUrl}/readyz`, { signal: AbortSignal.timeout(500) })
    return ((await answer.json()) as { role?: unknown }).role
  } catch {
    return undefined
  }
}

function factsOf(stage: Stage, { residents, viewers, latency }: Cast, elapsedMs: number) {
  return {
    elapsedMs,
    residents: stage.city.residents.length,
    online: residents.online(),
    changes: residents.changes,
    frames: viewers[0]?.updates ?? 0,
    samplesMs: latency.samplesMs,
    throttleMs: stage.throttleMs,
  }
}

async function judge(
  options: ShowOptions,
  stage: Stage,
  { residents, viewers, latency }: Cast,
): Promise<string | undefined> {
  options.say('Everybody falls silent; comparing the gateways with each other and with Synapse ...')
  await latency.stop()
  await residents.fallSilent()
  const [first, second] = viewers
  if (first === undefined || second === undefined) return 'A demo needs two gateways.'
  let truth = await truthOf(stage.city)
  const agree = async (): Promise<boolean> => {
    if (differences(first.rooms, second.rooms).length > 0) return false
    truth = await truthOf(stage.city)
    return differences(first.rooms, truth).length === 0
  }
  const deadlineMs = options.agreeWithinMs
  await until(agree, { deadlineMs, what: 'agreement', everyMs: 250 }).catch(() => undefined)
  return whyNotLived({
    snapshots: viewers.map((viewer) => viewer.snapshots),
    updates: viewers.map((viewer) => viewer.updates),
    changes: residents.changes,
    lastFailure: residents.lastFailure ?? latency.lastFailure,
    betweenGateways: differences(first.rooms, second.rooms),
    toTruth: differences(first.rooms, truth),
  })
}
