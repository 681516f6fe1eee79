import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, anySpec, cityOf, contextOf, smallSpec } from '../testing/cities.ts'
import type { CityPresence } from './city-presence.ts'
import { isMadeFor, nameOf, placeOf } from './desired-objects/metadata.ts'
import { lease } from './desired-objects/rights.ts'
import { secretFiles } from './desired-objects/secrets.ts'
import { desiredObjects } from './desired.ts'
import type { SecretFinding } from './judge-city.ts'
import { keyOf, refOf, type KubeObject } from './kube-object.ts'
import { plan, versionOf, type Observed } from './plan.ts'

const context = contextOf({ secretNames: 'any' })

const seenBy = (city: CityPresence, objects: readonly KubeObject[], more: Partial<Observed> = {}): Observed => ({
  objects,
  applied: new Map(),
  secrets: secretFiles(city).map(({ secret, key }) => ({ secret, keys: [key] })),
  isLeaseSilent: false,
  refusals: [],
  ...more,
})

let serial = 0
/** As the server gives it back: with an identity, a count of changes, and fields of its own. */
const stored = (object: KubeObject, generation = 1): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, uid: `uid-${++serial}`, resourceVersion: String(serial), generation },
  status: { seen: true },
})

/** What is there after a plan was carried out. */
function carryOut(objects: readonly KubeObject[], { apply, remove }: ReturnType<typeof plan>): KubeObject[] {
  const left = new Map(objects.map((one) => [placeOf(one), one]))
  for (const one of apply) left.set(placeOf(one), stored(one, (left.get(placeOf(one))?.metadata.generation ?? 0) + 1))
  for (const ref of remove) left.delete(keyOf(ref))
  return [...left.values()]
}

const managed = anyCity.map((city) => ({ ...city, spec: { ...city.spec, managementState: 'Managed' as const } }))

it('[OP1] a plan that was carried out leaves nothing to do, remembered or not, in whatever order the objects come', () => {
  fc.assert(
    fc.property(managed, fc.nat(), (city, seed) => {
      const first = plan(city, seenBy(city, []), context, 0)
      expect(first.apply.length).toBeGreaterThan(10)
      const objects = carryOut([], first)
      const turned = [...objects.slice(seed % objects.length), ...objects.slice(0, seed % objects.length)].reverse()
      for (const seen of [objects, turned])
        for (const applied of [
          new Map<string, string>(),
          new Map(objects.map((one) => [placeOf(one), versionOf(one)])),
        ]) {
          const second = plan(city, seenBy(city, seen, { applied }), context, 0)
          expect([second.apply, second.remove]).toEqual([[], []])
        }
    }),
  )
})

it('[OP1] from any city to any other one plan leads, and what nobody asks for any more goes', () => {
  fc.assert(
    fc.property(fc.array(anySpec, { minLength: 2, maxLength: 5 }), (specs) => {
      let objects: KubeObject[] = []
      for (const [index, spec] of specs.entries()) {
        const city = cityOf({ ...spec, managementState: 'Managed' }, { generation: index + 1 })
        objects = carryOut(objects, plan(city, seenBy(city, objects), context, 0))
        const again = plan(city, seenBy(city, objects), context, 0)
        expect([again.apply.map(placeOf), again.remove]).toEqual([[], []])
        const wanted = desiredObjects(city, context, 1).map(placeOf)
        expect(objects.map(placeOf).sort()).toEqual([...wanted].sort())
      }
    }),
  )
})

it('[OP2] it names nothing that is not its own: strangers in the way are a condition, and nothing is written', () => {
  fc.assert(
    fc.property(managed, fc.nat(), fc.constantFrom('nobody', 'another uid', 'another kind'), (city, at, whose) => {
      const wanted = desiredObjects(city, context, 1)
      const victim = wanted[at % wanted.length]
      if (victim === undefined) return
      const owners =
        whose === 'nobody' ? [] : victim.metadata.ownerReferences?.map((one) => ({ ...one, uid: 'another' }))
      const stranger = stored({ ...victim, metadata: { ...victim.metadata, ownerReferences: owners ?? [] } })
      const bystander = stored({
        ...victim,
        metadata: { ...victim.metadata, name: 'bystander', ownerReferences: owners ?? [] },
      })
      const { apply, remove, status } = plan(city, seenBy(city, [stranger, bystander]), context, 0)
      expect([apply, remove]).toEqual([[], []])
      const accepted = status?.conditions?.find(({ type }) => type === 'Accepted')
      expect(accepted).toMatchObject({ status: 'False', reason: 'ResourceConflict' })
      expect(accepted?.message).toContain(`${victim.kind} ${victim.metadata.name} `)
    }),
  )
})

it('[OP2] removed is only what was made for this very city, and only that very object', () => {
  fc.assert(
    fc.property(managed, fc.boolean(), fc.boolean(), (city, isOurs, isMarked) => {
      const made = desiredObjects(city, context, 1).map((one) => stored(one))
      const [one] = made
      if (one === undefined) return
      const old = stored({
        ...one,
        metadata: {
          ...one.metadata,
          name: 'no-longer-wanted',
          ownerReferences: (one.metadata.ownerReferences ?? []).map((owner) => ({
            ...owner,
            ...(!isOurs && { uid: 'x' }),
          })),
          labels: isMarked ? (one.metadata.labels ?? {}) : {},
        },
      })
      const { remove } = plan(city, seenBy(city, [...made, old]), context, 0)
      expect(remove).toEqual(isOurs && isMarked ? [refOf(old)] : [])
      for (const ref of remove) expect(ref.uid).toBe(old.metadata.uid)
      expect(isMadeFor(city, old)).toBe(isOurs && isMarked)
    }),
  )
})

it('[OP5] whatever somebody changes in an object is put right, and what they add beside it is left', () => {
  fc.assert(
    fc.property(managed, fc.nat(), (city, at) => {
      const objects = desiredObjects(city, context, city.spec.gateway.replicas).map((one) => stored(one))
      const applied = new Map(objects.map((one) => [placeOf(one), versionOf(one)]))
      const index = at % objects.length
      const victim = objects[index]
      if (victim === undefined || city.spec.gateway.autoscaling !== undefined) return
      const withLabels = (labels: Readonly<Record<string, string>>): KubeObject => ({
        ...victim,
        metadata: { ...victim.metadata, labels, resourceVersion: 'changed' },
      })
      const seen = (one: KubeObject) => plan(city, seenBy(city, objects.with(index, one), { applied }), context, 0)
      expect(seen(withLabels({})).apply.map(placeOf)).toEqual([placeOf(victim)])
      expect(seen(withLabels({ ...victim.metadata.labels, theirs: 'x' })).apply).toEqual([])
      const body = Object.keys(victim).find((key) => ['spec', 'data', 'rules', 'subjects'].includes(key))
      if (body === undefined) return
      const emptied = { ...victim, [body]: {}, metadata: { ...victim.metadata, generation: 9, resourceVersion: 'c' } }
      expect(seen(emptied).apply.map(placeOf)).toEqual([placeOf(victim)])
    }),
  )
})

it('[OP5] a ConfigMap in which somebody added a key is made anew, and nothing else is', () => {
  const added = fc.constantFrom('data', 'binaryData')
  fc.assert(
    fc.property(managed, fc.string({ minLength: 1 }), added, (city, key, where) => {
      const objects = desiredObjects(city, context, city.spec.gateway.replicas).map((one) => stored(one))
      const applied = new Map(objects.map((one) => [placeOf(one), versionOf(one)]))
      const index = objects.findIndex(({ kind }) => kind === 'ConfigMap')
      const victim = objects[index]
      if (victim === undefined || Object.keys(victim['data'] as object).includes(key)) return
      if (city.spec.gateway.autoscaling !== undefined) return
      const stained = { ...victim, [where]: { ...(victim[where] as object | undefined), [key]: 'x' } }
      const { apply, remove } = plan(city, seenBy(city, objects.with(index, stained), { applied }), context, 0)
      expect(apply).toEqual([])
      expect(remove.map(keyOf)).toEqual([placeOf(victim)])
      const next = plan(city, seenBy(city, objects.toSpliced(index, 1), { applied }), context, 0)
      expect(next.apply.map(placeOf)).toEqual([placeOf(victim)])
    }),
  )
})

it('[OP5] a Service in which somebody gave a port of ours another number is made anew, for the server would refuse ours beside it', () => {
  fc.assert(
    fc.property(managed, fc.integer({ min: 1, max: 65_535 }), (city, port) => {
      if (city.spec.gateway.autoscaling !== undefined) return
      const objects = desiredObjects(city, context, city.spec.gateway.replicas).map((one) => stored(one))
      const index = objects.findIndex(({ kind }) => kind === 'Service')
      const victim = objects[index] as KubeObject & { spec: { ports: readonly { port: number }[] } }
      const moved = victim.spec.ports.map((one) => ({ ...one, port }))
      const isMoved = victim.spec.ports.some((one) => one.port !== port)
      const stained = { ...victim, spec: { ...victim.spec, ports: moved } }
      const { apply, remove } = plan(city, seenBy(city, objects.with(index, stained)), context, 0)
      expect(apply.map(placeOf)).not.toContain(placeOf(victim))
      expect(remove.map(keyOf)).toEqual(isMoved ? [placeOf(victim)] : [])
    }),
  )
})

it('[OP3] unmanaged, going, not accepted or with an unmarked Secret: nothing is written but the status', () => {
  fc.assert(
    fc.property(managed, (city) => {
      const old = stored({ ...lease(city), kind: 'Secret' })
      const strict = contextOf({ allowedHosts: ['elsewhere'] })
      const unmarked = { accessTokenSecretRef: { name: 'root', key: 'a' } }
      const cases = [
        plan({ ...city, spec: { ...city.spec, managementState: 'Unmanaged' } }, seenBy(city, [old]), context, 0),
        plan({ ...city, metadata: { ...city.metadata, deletionTimestamp: 'now' } }, seenBy(city, [old]), context, 0),
        plan(city, seenBy(city, [old]), strict, 0),
        plan(
          { ...city, spec: { ...city.spec, matrix: { ...city.spec.matrix, ...unmarked } } },
          seenBy(city, [old]),
          contextOf(),
          0,
        ),
      ]
      for (const { apply, remove, status } of cases) {
        expect([apply, remove]).toEqual([[], []])
        expect(status?.conditions?.map(({ type }) => type)).toContain('Ready')
      }
    }),
  )
})

it('[OP4] with an autoscaler replicas are named, within its bounds and as they are, until somebody has scaled, and then no more', () => {
  const autoscaling = { minReplicas: 2, maxReplicas: 6 }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 }), fc.boolean(), (now, isScaled) => {
      const before = cityOf({ ...smallSpec, gateway: { ...smallSpec.gateway, replicas: now } })
      const objects = desiredObjects(before, context, now).map((one) => {
        const entry = {
          manager: 'kube-controller-manager',
          subresource: 'scale',
          fieldsV1: { 'f:spec': { 'f:replicas': {} } },
        }
        const put = stored(one)
        return isScaled ? { ...put, metadata: { ...put.metadata, managedFields: [entry] } } : put
      })
      const city = cityOf({ ...smallSpec, gateway: { ...smallSpec.gateway, autoscaling } }, { generation: 2 })
      const wanted = plan(city, seenBy(city, objects), context, 0).apply.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === nameOf(city, 'gateway'),
      )
      const spec = wanted?.['spec'] as { replicas?: number } | undefined
      if (isScaled) expect(spec).not.toHaveProperty('replicas')
      else if (spec !== undefined) expect(spec.replicas).toBe(Math.min(Math.max(now, 2), 6))
    }),
  )
})

it('[OP6] who waits for a Secret looks again soon, everybody else in five minutes, who may not look among them', () => {
  const city = cityOf()
  const againMs = (keys: SecretFinding['keys']): number => {
    const secrets = secretFiles(city).map(({ secret }) => ({ secret, keys }))
    return plan(city, seenBy(city, [], { secrets }), context, 0).requeueAfterMs
  }
  expect(plan(city, seenBy(city, []), context, 0).requeueAfterMs).toBe(300_000)
  expect(againMs('missing')).toBe(10_000)
  expect(againMs(['another'])).toBe(10_000)
  expect(againMs('unknown')).toBe(300_000)
  const unmarked = contextOf({ secretNames: 'marked' })
  const foreign = cityOf({ ...smallSpec, gateway: { auth: { jwtSecretRef: { name: 'root-password' } } } })
  expect(plan(foreign, seenBy(foreign, []), unmarked, 0).requeueAfterMs).toBe(300_000)
})
