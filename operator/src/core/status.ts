// What the operator says of a city: its conditions, its numbers, and the events that tell of changes.
//
//   spec, live objects, Lease, Secrets -> judgements -> conditions (a time moves only when a status flips) -> status, events
//
// Three conditions are the leader's (core/conditions.ts). The operator sets them until a leader has spoken, and takes them back as
// Unknown when nobody leads; in between it does not name them, and so leaves them alone.
import type { CityPresence, CityStatus } from './city-presence.ts'
import {
  conditions as conditionTable,
  conditionTypes,
  reasons,
  type AggregatorConditionType,
  type ConditionStatus,
  type ConditionType,
  type Reason,
} from './conditions.ts'
import type { Context } from './desired-objects/context.ts'
import { selectorText } from './desired-objects/metadata.ts'
import { socketUrl } from './desired-objects/network.ts'
import { canonical } from './fingerprint.ts'
import { isFields, type KubeObject } from './kube-object.ts'

type Condition = NonNullable<CityStatus['conditions']>[number]

export type Judgement = { readonly reason: Reason; readonly message: string }
export type Judgements = Readonly<Record<Exclude<ConditionType, 'Ready' | AggregatorConditionType>, Judgement>>

export type Numbers = {
  readonly aggregator: { readonly replicas: number; readonly readyReplicas: number }
  readonly gateway: { readonly replicas: number; readonly readyReplicas: number; readonly updatedReplicas: number }
  readonly leaseTransitions: number | undefined
}

export type CityEvent = { readonly type: 'Normal' | 'Warning'; readonly reason: Reason; readonly message: string }

export type StatusInput = {
  readonly city: CityPresence
  readonly context: Context
  readonly judgements: Judgements
  readonly numbers: Numbers
  /** Nobody leads: what the leader said last does not hold any more. */
  readonly isLeaderLost: boolean
  readonly nowMs: number
}

export type Told = {
  /** The operator's part, whole, as it is applied. */
  readonly status: CityStatus
  /** It says something else than what stands there. */
  readonly isNews: boolean
  readonly events: readonly CityEvent[]
}

export function tellStatus(input: StatusInput): Told {
  const { city, context, numbers, isLeaderLost, nowMs } = input
  const at = { generation: city.metadata.generation, nowMs }
  const before = new Map((city.status?.conditions ?? []).map((one) => [one.type, one]))
  const judged = new Map<ConditionType, Judgement>(Object.entries(input.judgements) as [ConditionType, Judgement][])
  const all = new Map<ConditionType, Condition>()
  for (const type of conditionTypes) {
    const judgement = judged.get(type) ?? leadersCondition(type, before.get(type), isLeaderLost)
    if (judgement !== undefined) all.set(type, toCondition(at, type, judgement, before.get(type)))
  }
  const seen = (type: ConditionType): Condition | undefined => all.get(type) ?? before.get(type)
  const ready = readiness(
    seen,
    `${roomsText(city)}${numbers.gateway.readyReplicas}/${numbers.gateway.replicas} gateways`,
  )
  all.set('Ready', toCondition(at, 'Ready', ready, before.get('Ready')))
  const url = socketUrl(city)
  const status: CityStatus = {
    observedGeneration: city.metadata.generation,
    operatorVersion: context.operatorVersion,
    aggregator: {
      ...numbers.aggregator,
      ...(numbers.leaseTransitions !== undefined && { leaseTransitions: numbers.leaseTransitions }),
      // Taken from the leader who is none any more; who leads next writes its own name over it.
      ...(isLeaderLost && { leader: '' }),
    },
    gateway: { ...numbers.gateway, selector: selectorText(city, 'gateway'), ...(url !== undefined && { url }) },
    rooms: { source: city.spec.rooms.http === undefined ? 'Inline' : 'HTTP' },
    conditions: [...all.values()].sort((a, b) => order(a.type) - order(b.type)),
  }
  return {
    status,
    isNews: canonical(status) !== canonical(partOf(city.status, status)),
    events: eventsOf(before, status.conditions ?? []),
  }
}

const order = (type: string): number => conditionTypes.indexOf(type as ConditionType)

function leadersCondition(
  type: ConditionType,
  before: Condition | undefined,
  isLeaderLost: boolean,
): Judgement | undefined {
  if (conditionTable[type].writtenBy !== 'aggregator') return undefined
  if (isLeaderLost) return { reason: 'LeaderLost', message: 'nobody leads, so nobody knows' }
  // Kept until a leader has written over it: dropped earlier, it would be gone for a moment.
  if (before === undefined) return { reason: 'Pending', message: 'no leader has told it yet' }
  const isOurs = before.reason === 'Pending' || before.reason === 'LeaderLost'
  return isOurs ? { reason: before.reason, message: before.message } : undefined
}

// The API takes 4,096 characters; a list of a hundred names says no more than one of ten.
const messageLengthMax = 1_024

function toCondition(
  { generation, nowMs }: { readonly generation: number; readonly nowMs: number },
  type: ConditionType,
  { reason, message }: Judgement,
  before: Condition | undefined,
): Condition {
  const status = statusOf(reason)
  return {
    type,
    status,
    observedGeneration: generation,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(nowMs),
    reason,
    message: message.length > messageLengthMax ? `${message.slice(0, messageLengthMax)}…` : message,
  }
}

/** A word that only a newer leader knows is a fault until we know better. */
const statusOf = (reason: string): ConditionStatus => known[reason]?.status ?? 'False'
const known: Readonly<Partial<Record<string, Pick<(typeof reasons)[Reason], 'status'>>>> = reasons

/** Whole seconds, as the API writes them. */
const timestamp = (nowMs: number): string => new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z')

/** Of a spec that cannot be read nothing else is known: what was said of the rest stays as it was said. */
export function refusedStatus(object: KubeObject, problem: string, nowMs: number): Told {
  const found = (isFields(object['status']) ? object['status'] : {}) as CityStatus
  const generation = object.metadata.generation ?? 0
  const before = new Map((found.conditions ?? []).map((one) => [one.type, one]))
  const refused = { reason: 'SpecRefused', message: problem } as const
  const ours = [...before.values()].filter(({ type }) => type !== 'Accepted' && type !== 'Ready' && isOperators(type))
  const at = { generation, nowMs }
  const conditions = [
    toCondition(at, 'Accepted', refused, before.get('Accepted')),
    toCondition(at, 'Ready', { ...refused, message: `Accepted: ${problem}` }, before.get('Ready')),
    ...ours,
  ].sort((a, b) => order(a.type) - order(b.type))
  const status: CityStatus = { observedGeneration: generation, conditions }
  const there = {
    observedGeneration: found.observedGeneration,
    conditions: conditions.map(({ type }) => before.get(type)),
  }
  return { status, isNews: canonical(status) !== canonical(there), events: eventsOf(before, conditions) }
}

const isOperators = (type: string): boolean =>
  Object.entries(conditionTable).some(([name, { writtenBy }]) => name === type && writtenBy === 'operator')

/** In this order: what comes first is the cause of what comes later. */
const readyNeeds: readonly ConditionType[] = [
  'Accepted',
  'ReferencesResolved',
  'AggregatorAvailable',
  'StreamReady',
  'RoomsResolved',
  'MatrixSynced',
  'GatewayAvailable',
  'RouteProgrammed',
]
/** The city counts and shows all the same. */
const bearable = new Set<string>(['SomeUnresolved'])
/** What nobody may ever tell: the operator may not look at Secrets, a controller writes no status. */
const mayStayUnknown = new Set<ConditionType>(['ReferencesResolved', 'RouteProgrammed'])

function readiness(seen: (type: ConditionType) => Condition | undefined, whole: string): Judgement {
  const needed = readyNeeds.map((type) => ({ type, condition: seen(type) }))
  const failing = needed.find(({ condition }) => condition?.status === 'False' && !bearable.has(condition.reason))
  if (failing?.condition !== undefined) {
    const { reason, message, type } = failing.condition
    return { reason: reason as Reason, message: `${type}: ${message}` }
  }
  const unknown = needed.find(
    ({ type, condition }) => condition?.status !== 'True' && condition?.status !== 'False' && !mayStayUnknown.has(type),
  )
  if (unknown !== undefined) return { reason: 'Pending', message: `${unknown.type} is not known yet` }
  return { reason: 'AllComponentsReady', message: whole }
}

const roomsText = ({ status }: CityPresence): string => {
  const count = status?.rooms?.count
  return count === undefined ? '' : `${count} rooms, `
}

/** Of what stands there, the fields that are ours or that we are about to take. */
function partOf(found: CityStatus | undefined, wanted: CityStatus): CityStatus {
  const types = new Set(wanted.conditions?.map(({ type }) => type))
  const { leader, ...aggregator } = found?.aggregator ?? {}
  return {
    ...found,
    aggregator:
      wanted.aggregator?.leader === undefined ? aggregator : { ...aggregator, ...(leader !== undefined && { leader }) },
    rooms: { ...(found?.rooms?.source !== undefined && { source: found.rooms.source }) },
    conditions: (found?.conditions ?? [])
      .filter(({ type }) => types.has(type))
      .sort((a, b) => order(a.type) - order(b.type)),
  }
}

/** One for each condition that turned, and none for what merely began. */
function eventsOf(before: ReadonlyMap<string, Condition>, after: readonly Condition[]): readonly CityEvent[] {
  return after
    .filter((one) => {
      const old = before.get(one.type)
      if (one.status === 'Unknown') return old !== undefined && old.status !== 'Unknown'
      if (old?.status === one.status) return isBad(one) && old.reason !== one.reason
      return isBad(one) || (old !== undefined && old.status !== 'Unknown')
    })
    .map((one) => ({
      type: isBad(one) || one.status === 'Unknown' ? 'Warning' : 'Normal',
      reason: one.reason as Reason,
      message: `${one.type}: ${one.message}`,
    }))
}

/** Paused and done rolling are no faults; a rollout that hangs and a warning are. */
function isBad({ type, status, reason }: Condition): boolean {
  if (type === 'Warning') return status === 'True'
  if (type === 'Paused') return false
  if (type === 'Progressing') return reason === 'RolloutStalled'
  return status === 'False'
}
