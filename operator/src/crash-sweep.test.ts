// The operator is killed at every write that it makes, and comes again: whatever was half done, the same city stands in the end.
//
//   before  the write never left        after  it was carried out, and nobody heard so any more
//   lost    it was carried out, its answer was lost, and the operator lives on
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import type { KubeApi } from './edge/kube-api.ts'
import { KubeError } from './edge/kube-errors.ts'
import { anySpec, smallSpec, type WrittenSpec } from './testing/cities.ts'
import { openOperatorWorld, type OperatorWorld } from './testing/operator-on-double.ts'

const worlds: OperatorWorld[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})
async function open(): Promise<OperatorWorld> {
  const world = await openOperatorWorld()
  worlds.push(world)
  return world
}

type Death = 'before' | 'after' | 'lost'
const writes = ['apply', 'applyStatus', 'create', 'delete'] as const

/** Stands before the API: at the write of this number (from 0) it happens. Counts them. */
function trap(death: Death | 'never', at: number) {
  const seen = { writes: 0, died: false }
  const through = (api: KubeApi): KubeApi => {
    const guard =
      (call: (...args: never[]) => Promise<unknown>) =>
      async (...args: never[]) => {
        const isIt = seen.writes++ === at && death !== 'never'
        if (!isIt) return await call(...args)
        seen.died = death !== 'lost'
        if (death !== 'before') await call(...args)
        if (death === 'lost') throw new KubeError('KubeUnreachable', 'the answer was lost')
        return await new Promise(() => undefined)
      }
    const guarded = Object.fromEntries(
      writes.map((name) => [
        name,
        guard((...args: never[]) => (api[name] as (...all: never[]) => Promise<unknown>)(...args)),
      ]),
    )
    return { ...api, ...guarded }
  }
  return { through, seen }
}

/** What a city becomes: from nothing, or from another one. */
const stories: readonly { readonly name: string; readonly from: WrittenSpec | undefined; readonly to: WrittenSpec }[] =
  [
    { name: 'a new city', from: undefined, to: smallSpec },
    {
      name: 'a city that grows an autoscaler, an Ingress and network policies',
      from: smallSpec,
      to: {
        ...smallSpec,
        networkPolicy: 'Managed',
        gateway: {
          ...smallSpec.gateway,
          autoscaling: { minReplicas: 2, maxReplicas: 5 },
          exposure: { ingress: { host: 'rt.city.example' } },
        },
      },
    },
    {
      name: 'a city that loses them',
      from: {
        ...smallSpec,
        networkPolicy: 'Managed',
        gateway: { ...smallSpec.gateway, autoscaling: { minReplicas: 2, maxReplicas: 5 } },
      },
      to: smallSpec,
    },
  ]

async function play({ from, to }: (typeof stories)[number], death: Death | 'never', at: number) {
  const world = await open()
  if (from !== undefined) {
    world.writeCity(from)
    world.start()
    await world.settle()
    await world.crash()
  }
  const { through, seen } = trap(death, at)
  world.writeCity(to)
  world.start(through)
  await world.settle()
  if (seen.died) {
    await world.crash()
    world.start()
    await world.settle()
  }
  const before = world.writes().length
  // Everything is looked at once more.
  if (death === 'never') await world.pass(6)
  await world.settle()
  const result = { picture: world.picture(), writes: seen.writes, later: world.writes().slice(before) }
  await world.stop()
  worlds.splice(worlds.indexOf(world), 1)
  return result
}

for (const story of stories)
  it(`[OC5] killed at any write, it comes to the same end: ${story.name}`, { timeout: 120_000 }, async () => {
    const whole = await play(story, 'never', 0)
    expect(whole.later).toEqual([])
    expect(whole.writes).toBeGreaterThan(1)
    for (const death of ['before', 'after', 'lost'] as const)
      for (let at = 0; at < whole.writes; at++) {
        const { picture, later } = await play(story, death, at)
        expect({ death, at, picture }).toEqual({ death, at, picture: whole.picture })
        expect({ death, at, later }).toEqual({ death, at, later: [] })
      }
  })

// A field that somebody edited while the city stops to want it is his, as server-side apply sees it, and stays: so no edits here but of
// what is always wanted.
type Act =
  | { readonly do: 'write'; readonly name: string; readonly spec: WrittenSpec }
  | { readonly do: 'delete'; readonly name: string }
  | { readonly do: 'vandal'; readonly which: number; readonly how: 'remove' | 'smear' }
  | { readonly do: 'crash'; readonly death: Death; readonly at: number }
  | { readonly do: 'wait'; readonly ms: number }

const anyName = fc.constantFrom('daarion', 'lumen')
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('write' as const), name: anyName, spec: anySpec }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), name: anyName }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('vandal' as const),
      which: fc.nat(40),
      how: fc.constantFrom('remove' as const, 'smear' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      death: fc.constantFrom<Death>('before', 'after', 'lost'),
      at: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
)

// Some forty transitions of cities each time; OPERATOR_LIVES=150 plays over a thousand, in some minutes.
const lives = Number(process.env['OPERATOR_LIVES'] ?? 5)

it(
  '[OC6] whatever becomes of cities, none is stuck: they end as they would have been made at once, and then nothing is written',
  { timeout: 30_000 * Math.ceil(lives / 5) },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyAct, { minLength: 5, maxLength: 30 }), async (acts) => {
        const world = await open()
        const wanted = new Map<string, WrittenSpec>()
        world.start()
        for (const act of acts) {
          if (act.do === 'write') {
            wanted.set(act.name, act.spec)
            world.writeCity(act.spec, act.name)
          } else if (act.do === 'delete') {
            wanted.delete(act.name)
            world.deleteCity(act.name)
          } else if (act.do === 'vandal') {
            const all = world.children()
            all[act.which % Math.max(all.length, 1)]?.[act.how]()
          } else if (act.do === 'crash') {
            await world.crash()
            world.start(trap(act.death, act.at).through)
          } else await world.clock.advance(act.ms)
        }
        // Of one that is not managed nothing is promised.
        for (const [name, spec] of wanted) {
          wanted.set(name, { ...spec, managementState: 'Managed' })
          world.writeCity({ ...spec, managementState: 'Managed' }, name)
        }
        await world.crash()
        world.start()
        await world.settle()
        world.collect()
        await world.settle()
        const picture = childrenIn(world)
        const before = world.writes().length
        await world.pass(6)
        expect(world.writes().slice(before)).toEqual([])
        await world.stop()

        const fresh = await open()
        for (const [name, spec] of wanted) fresh.writeCity(spec, name)
        fresh.start()
        await fresh.settle()
        expect(picture).toEqual(childrenIn(fresh))
        await fresh.stop()
        worlds.splice(0)
      }),
      { numRuns: lives, endOnFailure: true },
    )
  },
)

/**
 * Without the cities themselves, whose status tells of what was before, and without what may differ: fingerprints and ids that come
 * from an owner's uid, the order of lists whose items have names, and the replicas that an autoscaler was handed.
 */
function childrenIn(world: OperatorWorld): Record<string, unknown> {
  const picture = world.picture()
  const all = Object.entries(picture).filter(([key]) => !key.startsWith('CityPresence '))
  const text = JSON.stringify(Object.fromEntries(all), (_key, value: unknown) =>
    isNamedList(value) ? sorted(value) : value,
  )
  const masked = text
    .replace(/uid-\d+/g, 'uid')
    .replace(/("presence.daarion.city\/(?:intent|settings)"):"[^"]*"/g, '$1:""')
  const children = JSON.parse(masked) as Record<string, { spec?: { replicas?: number } }>
  for (const [key, { spec }] of Object.entries(children))
    if (spec !== undefined && `HorizontalPodAutoscaler ${key.split(' ')[1] ?? ''}` in picture) delete spec.replicas
  return children
}

const isNamedList = (value: unknown): value is readonly object[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((item: unknown) => typeof item === 'object' && item !== null && 'name' in item)
const sorted = (items: readonly object[]): readonly object[] =>
  items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
