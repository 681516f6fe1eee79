import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cityOf, contextOf } from '../testing/cities.ts'
import type { CityPresence, CityStatus } from './city-presence.ts'
import { conditions, conditionTypes, reasons, type ConditionType, type Reason } from './conditions.ts'
import { refusedStatus, tellStatus, type Judgement, type Judgements } from './status.ts'

const said = (reason: Reason): Judgement => ({ reason, message: `because of ${reason}` })
const good: Judgements = {
  Accepted: said('SpecAccepted'),
  ReferencesResolved: said('SecretsFound'),
  AggregatorAvailable: said('LeaderElected'),
  GatewayAvailable: said('GatewaysReady'),
  RouteProgrammed: said('NotExposed'),
  Progressing: said('RolloutComplete'),
  Paused: said('ManagementManaged'),
  Warning: said('NothingRisky'),
}
const numbers = {
  aggregator: { replicas: 2, readyReplicas: 2 },
  gateway: { replicas: 2, readyReplicas: 2, updatedReplicas: 2 },
  leaseTransitions: 7,
}

const leaders: readonly (readonly [string, Reason])[] = [
  ['MatrixSynced', 'Synced'],
  ['RoomsResolved', 'AllResolved'],
  ['StreamReady', 'StreamWritable'],
]
const leaderSays = (status: CityStatus | undefined, changes: Readonly<Record<string, Reason>> = {}): CityStatus => ({
  ...status,
  aggregator: { ...status?.aggregator, leader: 'pod-1' },
  conditions: [
    ...(status?.conditions ?? []).filter(({ type }) => leaders.every(([one]) => one !== type)),
    ...leaders.map(([type, usual]) => {
      const reason = changes[type] ?? usual
      return {
        ...{ type, status: reasons[reason].status, reason, message: 'as the leader says' },
        ...{ observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' },
      }
    }),
  ],
})

type More = { readonly status?: CityStatus | undefined; readonly isLeaderLost?: boolean; readonly nowMs?: number }
const tell = (changes: Partial<Judgements> = {}, { status, isLeaderLost = false, nowMs = 0 }: More = {}) => {
  const city: CityPresence = { ...cityOf(), ...(status !== undefined && { status }) }
  return tellStatus({ city, context: contextOf(), judgements: { ...good, ...changes }, numbers, isLeaderLost, nowMs })
}
const find = (status: CityStatus, type: ConditionType) => status.conditions?.find((one) => one.type === type)

const anyJudgements: fc.Arbitrary<Judgements> = fc.record(
  Object.fromEntries(
    Object.keys(good).map((type) => {
      const possible = (Object.keys(reasons) as Reason[]).filter((one) =>
        (reasons[one].on as readonly string[]).includes(type),
      )
      return [type, fc.constantFrom(...possible).map(said)]
    }),
  ),
) as unknown as fc.Arbitrary<Judgements>

it('[OS2] told once more at any time, the same is no news; a time moves only when a status flips', () => {
  fc.assert(
    fc.property(anyJudgements, anyJudgements, fc.boolean(), (before, after, isLeaderLost) => {
      const first = tell(before, { isLeaderLost })
      expect(tell(before, { isLeaderLost, status: first.status, nowMs: 60_000 })).toMatchObject({
        isNews: false,
        events: [],
      })
      const second = tell(after, { isLeaderLost, status: first.status, nowMs: 60_000 })
      for (const { type, status, lastTransitionTime, observedGeneration } of second.status.conditions ?? []) {
        const was = find(first.status, type as ConditionType)
        expect(lastTransitionTime).toBe(was?.status === status ? '1970-01-01T00:00:00Z' : '1970-01-01T00:01:00Z')
        expect(observedGeneration).toBe(1)
      }
    }),
  )
})

it('[OS1] every condition has the status of its reason; Ready is so when all that it needs is, and else names the first that is not', () => {
  const needs = [
    'Accepted',
    'ReferencesResolved',
    'AggregatorAvailable',
    'GatewayAvailable',
    'RouteProgrammed',
  ] as const
  fc.assert(
    fc.property(anyJudgements, (judgements) => {
      const { status } = tell(judgements, { status: leaderSays(undefined) })
      for (const one of status.conditions ?? []) expect(one.status).toBe(reasons[one.reason as Reason].status)
      const failing = needs.find((type) => reasons[judgements[type].reason].status === 'False')
      const ready = find(status, 'Ready')
      if (failing !== undefined) {
        expect(ready).toMatchObject({ status: 'False', reason: judgements[failing].reason })
        expect(ready?.message).toContain(`${failing}: `)
      } else expect(ready?.status).not.toBe('False')
    }),
  )
  expect(find(tell({}, { status: leaderSays(undefined) }).status, 'Ready')).toMatchObject({
    status: 'True',
    message: '2/2 gateways',
  })
  const some = leaderSays(undefined, { RoomsResolved: 'SomeUnresolved' })
  expect(find(tell({}, { status: some }).status, 'Ready')).toMatchObject({ status: 'True' })
  const off = leaderSays(undefined, { MatrixSynced: 'PresenceOff' })
  expect(find(tell({}, { status: off }).status, 'Ready')).toMatchObject({ status: 'False', reason: 'PresenceOff' })
})

it('[OS3] at first sight all conditions are there, those of the leader as Pending; once it has spoken they are left to it', () => {
  const first = tell()
  expect(first.status.conditions?.map(({ type }) => type)).toEqual(conditionTypes)
  for (const [type] of leaders) expect(find(first.status, type as ConditionType)).toMatchObject({ reason: 'Pending' })
  const after = tell({}, { status: leaderSays(first.status) })
  const own = conditionTypes.filter((type) => conditions[type].writtenBy === 'operator')
  expect(after.status.conditions?.map(({ type }) => type)).toEqual(own)
})

it('[OS4] when nobody leads, what the leader said is taken back as Unknown, and its name with it, until the next one speaks', () => {
  const status = leaderSays(tell().status)
  const lost = tell({ AggregatorAvailable: said('NoLeader') }, { status, isLeaderLost: true })
  expect(lost.isNews).toBe(true)
  for (const [type] of leaders)
    expect(find(lost.status, type as ConditionType)).toMatchObject({ status: 'Unknown', reason: 'LeaderLost' })
  expect(lost.status.aggregator?.leader).toBe('')
  // The Lease is renewed again, and the new leader has not spoken yet: what stands there stays there.
  const back = tell({}, { status: lost.status })
  for (const [type] of leaders) expect(find(back.status, type as ConditionType)).toMatchObject({ reason: 'LeaderLost' })
  expect(find(back.status, 'Ready')).toMatchObject({ status: 'Unknown' })
})

it('[OS9] an event for each condition that turned and none for what stayed, the bad ones as warnings', () => {
  const status = leaderSays(tell().status)
  const quiet = tell({}, { status })
  expect(quiet.events.map(({ message }) => message.split(':')[0])).toEqual([])
  const bad = tell({ GatewayAvailable: said('NoGatewayReady') }, { status: leaderSays(quiet.status) })
  expect(bad.events.map(({ type, reason, message }) => [type, reason, message.split(':')[0]])).toEqual([
    ['Warning', 'NoGatewayReady', 'Ready'],
    ['Warning', 'NoGatewayReady', 'GatewayAvailable'],
  ])
  const again = tell({ GatewayAvailable: said('NoGatewayReady') }, { status: leaderSays(bad.status) })
  expect(again.events).toEqual([])
  const mended = tell({}, { status: leaderSays(bad.status) })
  expect(mended.events.map(({ type, reason }) => [type, reason])).toEqual([
    ['Normal', 'AllComponentsReady'],
    ['Normal', 'GatewaysReady'],
  ])
})

it('[OS8] a spec that cannot be read is refused in the status, and told once', () => {
  const { status: before } = tell()
  const city = { ...cityOf(), status: leaderSays(before) }
  const refused = refusedStatus(city, 'spec.matrix is missing', 5_000)
  expect(find(refused.status, 'Accepted')).toMatchObject({
    status: 'False',
    reason: 'SpecRefused',
    message: 'spec.matrix is missing',
  })
  expect(find(refused.status, 'Ready')).toMatchObject({ status: 'False', reason: 'SpecRefused' })
  expect(refused.status.conditions?.some(({ type }) => type === 'MatrixSynced')).toBe(false)
  expect(refused.isNews).toBe(true)
  expect(refusedStatus({ ...city, status: refused.status }, 'spec.matrix is missing', 9_000).isNews).toBe(false)
})
