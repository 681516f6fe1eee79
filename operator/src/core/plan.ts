// From a city and what there is to what has to be done. Pure: whoever calls it applies, removes and tells.
//
//   desired objects - what is there as it is wanted = apply        ours, and not desired any more = remove
//   judgements of all of it -> status, where it is news; events, where something turned; when to look again
//
// Nothing is written over that is not ours, nothing at all while the spec is not accepted or the city is unmanaged, and nothing twice:
// an object is left alone while it carries the fingerprint of what is wanted and nobody has changed it since.
import type { CityPresence } from './city-presence.ts'
import type { Reason } from './conditions.ts'
import type { Context } from './desired-objects/context.ts'
import { intentAnnotation, isMadeFor, isOf, nameOf, placeOf } from './desired-objects/metadata.ts'
import { secretFiles } from './desired-objects/secrets.ts'
import { desiredObjects } from './desired.ts'
import { covers } from './in-sync.ts'
import {
  countPods,
  findChild,
  judgeAggregator,
  judgeGateway,
  judgeProgress,
  judgeReferences,
  judgeRoute,
  type SecretFinding,
} from './judge-city.ts'
import { risksOf, unmarkedSecret, whyNotAccepted } from './judge-spec.ts'
import { isFields, keyOf, refOf, type KubeObject, type ObjectRef } from './kube-object.ts'
import { tellStatus, type CityEvent, type Judgement, type Told } from './status.ts'

export type Observed = {
  /** What belongs to the city, and what lies where something of it should, whoever's it is. */
  readonly objects: readonly KubeObject[]
  /** By keyOf: what each object was at when our last apply had answered (versionOf). */
  readonly applied: ReadonlyMap<string, string>
  readonly secrets: readonly SecretFinding[]
  /** Nobody has renewed the Lease for too long. */
  readonly isLeaseSilent: boolean
  /** What the API server said no to last time. */
  readonly refusals: readonly string[]
}

export type Plan = {
  readonly apply: readonly KubeObject[]
  readonly remove: readonly ObjectRef[]
  /** Undefined where nothing else is to be said than what stands there. */
  readonly status: Told['status'] | undefined
  readonly events: readonly CityEvent[]
  readonly requeueAfterMs: number
}

// What no watch tells: that a Secret is there now. What every watch may have missed: once in five minutes.
const secretAgainMs = 10_000
export const lookAgainMs = 300_000
// Who may not look waits for nothing, and a name or a rule that is wrong is mended in the spec, which a watch tells.
const waitsForSecret = new Set<Reason>(['SecretNotFound', 'SecretKeyMissing'])

export function plan(
  city: CityPresence,
  observed: Observed,
  context: Context,
  nowMs: number,
  desired = desiredObjects,
): Plan {
  const wanted = desired(city, context, gatewayReplicas(city, observed.objects))
  const there = new Map(observed.objects.map((one) => [placeOf(one), one]))
  const accepted = judgeAcceptance(city, observed, context, wanted)
  const references = unmarkedSecret(city, context) ?? judgeReferences(secretFiles(city), observed.secrets)
  const mayWrite =
    accepted.reason !== 'ResourceConflict' &&
    whyNotAccepted(city, context) === undefined &&
    references.reason !== 'SecretNameUnmarked' &&
    city.spec.managementState === 'Managed' &&
    city.metadata.deletionTimestamp === undefined
  const told = tell(city, observed, context, { accepted, references, nowMs })
  const stained = new Set(wanted.filter((one) => isStained(one, there.get(placeOf(one)))).map(placeOf))
  const clean = wanted.filter((one) => !stained.has(placeOf(one)))
  return {
    apply: mayWrite ? clean.filter((one) => !isInPlace(one, there.get(placeOf(one)), observed.applied)) : [],
    // What is stained is made anew by the next round, which the removal calls for.
    remove: mayWrite ? leftovers(city, observed.objects, clean) : [],
    status: told.isNews ? told.status : undefined,
    events: told.isNews ? told.events : [],
    requeueAfterMs: waitsForSecret.has(references.reason) ? secretAgainMs : lookAgainMs,
  }
}

/** What an object is at: it moves with every change of what is wanted, and where nothing tells the two apart with every change. */
export const versionOf = ({ metadata }: KubeObject): string =>
  String(metadata.generation ?? metadata.resourceVersion ?? '')

function isInPlace(wanted: KubeObject, live: KubeObject | undefined, applied: ReadonlyMap<string, string>): boolean {
  if (live === undefined) return false
  if (!isApplied(wanted, live)) return false
  // A generation does not move with labels and owners, so these are compared in any case.
  if (!covers(live.metadata, wanted.metadata)) return false
  return applied.get(placeOf(wanted)) === versionOf(live) || covers(live, wanted)
}

const isApplied = (wanted: KubeObject, live: KubeObject): boolean =>
  live.metadata.annotations?.[intentAnnotation] === wanted.metadata.annotations?.[intentAnnotation]

/** What server-side apply cannot put right, because it takes it for somebody else's: the whole is made anew. */
function isStained(wanted: KubeObject, live: KubeObject | undefined): boolean {
  if (live === undefined || live.metadata.deletionTimestamp !== undefined) return false
  // What we wanted before and do not want any more goes with the apply.
  if (!isApplied(wanted, live)) return false
  if (wanted.kind === 'ConfigMap') return hasForeignKey(wanted, live)
  return wanted.kind === 'Service' && hasMovedPort(wanted, live)
}

/** A key that somebody added to a ConfigMap is a setting of a pod: NODE_OPTIONS would be code. */
function hasForeignKey(wanted: KubeObject, live: KubeObject): boolean {
  const ours = keysIn(wanted['data'])
  return [...keysIn(live['data']), ...keysIn(live['binaryData'])].some((key) => !ours.includes(key))
}

/** A port of ours under another number is to the server another port, and ours would be the second of its name, which it refuses. */
function hasMovedPort(wanted: KubeObject, live: KubeObject): boolean {
  const there = portsOf(live)
  return portsOf(wanted).some(({ name, port }) => there.some((one) => one.name === name && one.port !== port))
}

type NamedPort = { readonly name?: unknown; readonly port?: unknown }

const portsOf = ({ spec }: KubeObject): readonly NamedPort[] =>
  isFields(spec) && Array.isArray(spec['ports']) ? (spec['ports'] as readonly NamedPort[]) : []

const keysIn = (fields: unknown): readonly string[] => (isFields(fields) ? Object.keys(fields) : [])

function leftovers(city: CityPresence, objects: readonly KubeObject[], wanted: readonly KubeObject[]): ObjectRef[] {
  const kept = new Set(wanted.map((one) => placeOf(one)))
  return objects
    .filter((one) => isMadeFor(city, one) && !kept.has(placeOf(one)) && one.metadata.deletionTimestamp === undefined)
    .map(refOf)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/**
 * With an autoscaler: named by us until somebody else has set them through /scale, and then no more. Dropped earlier, while we alone
 * own the field, they would fall to 1 for a moment.
 */
function gatewayReplicas(city: CityPresence, objects: readonly KubeObject[]): number | undefined {
  const { autoscaling, replicas } = city.spec.gateway
  if (autoscaling === undefined) return replicas
  const live = findChild({ city, objects }, 'Deployment', nameOf(city, 'gateway'))
  if (live !== undefined && isScaledByAnother(live)) return undefined
  const spec = live?.['spec']
  const now = isFields(spec) && typeof spec['replicas'] === 'number' ? spec['replicas'] : autoscaling.minReplicas
  return Math.min(Math.max(now, autoscaling.minReplicas), autoscaling.maxReplicas)
}

const isScaledByAnother = ({ metadata }: KubeObject): boolean =>
  (metadata.managedFields ?? []).some(({ subresource, fieldsV1 }) => {
    const spec = fieldsV1?.['f:spec']
    return subresource === 'scale' && isFields(spec) && spec['f:replicas'] !== undefined
  })

function judgeAcceptance(
  city: CityPresence,
  { objects, refusals }: Observed,
  context: Context,
  wanted: readonly KubeObject[],
): Judgement {
  const refused = whyNotAccepted(city, context)
  if (refused !== undefined) return refused
  const strangers = new Set(objects.filter((one) => !isOf(city, one)).map((one) => placeOf(one)))
  const foreign = wanted.find((one) => strangers.has(placeOf(one)))
  if (foreign !== undefined)
    return {
      reason: 'ResourceConflict',
      message: `${foreign.kind} ${foreign.metadata.name} is there already and does not belong to this city`,
    }
  const [refusal] = refusals
  if (refusal !== undefined) return { reason: 'ApplyRefused', message: refusal }
  return { reason: 'SpecAccepted', message: 'the spec can be carried out' }
}

type Judged = { readonly accepted: Judgement; readonly references: Judgement; readonly nowMs: number }

function tell(city: CityPresence, observed: Observed, context: Context, { accepted, references, nowMs }: Judged): Told {
  const seen = { city, objects: observed.objects.filter((one) => isOf(city, one)) }
  const aggregator = judgeAggregator(seen, observed.isLeaseSilent)
  const risks = risksOf(city, context)
  return tellStatus({
    city,
    context,
    nowMs,
    numbers: countPods(seen),
    isLeaderLost: aggregator.reason === 'NoLeader',
    judgements: {
      Accepted: accepted,
      ReferencesResolved: references,
      AggregatorAvailable: aggregator,
      GatewayAvailable: judgeGateway(seen),
      RouteProgrammed: judgeRoute(seen, context.cluster.httpRoute),
      Progressing: judgeProgress(seen),
      Paused:
        city.spec.managementState === 'Unmanaged'
          ? { reason: 'ManagementUnmanaged', message: 'spec.managementState is Unmanaged: only this status is written' }
          : { reason: 'ManagementManaged', message: 'the operator keeps the city as the spec asks for' },
      Warning:
        risks.length > 0
          ? { reason: 'RiskySettings', message: risks.join('; ') }
          : { reason: 'NothingRisky', message: 'nothing risky was found' },
    },
  })
}
