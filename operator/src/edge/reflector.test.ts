import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import type { ApiFault, WatchTrouble } from '@citypresence/sim/kube-api'
import { kinds, type KubeKind } from '../core/kube-kinds.ts'
import type { Change } from '../core/object-cache.ts'
import { openApiOnDouble, turnUntil, type ApiOnDouble } from '../testing/api-double.ts'
import { runReflector, type RunningReflector } from './reflector.ts'

type World = ApiOnDouble & {
  readonly clock: ReturnType<typeof createFakeClock>
  readonly reflector: RunningReflector
  readonly changes: Change[]
  readonly restarts: string[]
  readonly errors: string[]
  write(name: string, n?: number): void
  remove(name: string): void
  /** What the cache and the server have, as text. */
  cached(): string
  stored(): string
  settled(): Promise<void>
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function openWorld(
  prepare: (on: ApiOnDouble) => void = () => undefined,
  kind: KubeKind = kinds.Service,
): Promise<World> {
  const clock = createFakeClock()
  const on = await openApiOnDouble({ clock })
  const { plural } = kind
  const [changes, restarts, errors]: [Change[], string[], string[]] = [[], [], []]
  prepare(on)
  const reflector = runReflector({
    api: on.api,
    kind,
    scope: { namespace: 'city', labelSelector: 'ours' },
    clock,
    random: () => 0.5,
    onChange: (change) => changes.push(change),
    onSynced: () => undefined,
    onError: (error) => errors.push(error.code),
    onRestart: (why) => restarts.push(why),
  })
  stops.push(async () => {
    reflector.stop()
    await on.stop()
  })
  const place = (name: string) => ({ plural, namespace: 'city', name })
  const versions = (
    all: readonly { readonly metadata: { name: string; uid?: string; resourceVersion?: string } }[],
  ): string =>
    all
      .map(({ metadata: { name, uid, resourceVersion } }) => `${name} ${uid ?? ''} ${resourceVersion ?? ''}`)
      .sort()
      .join(', ')
  const cached = (): string => versions(reflector.cache.all())
  const stored = (): string => versions(on.double.store.all(plural).map(({ object }) => object))
  return {
    ...{ ...on, clock, reflector, changes, restarts, errors, cached, stored },
    write: (name, n = 0) =>
      void on.double.store.write(
        place(name),
        { apiVersion: 'v1', kind: kind.kind, metadata: { labels: { ours: 'yes' } }, n },
        'kubectl',
      ),
    remove: (name) => void on.double.store.remove(place(name)),
    settled: () =>
      turnUntil(
        'cache and server to be equal',
        clock,
        () => reflector.isSynced() && on.double.watches() === 1 && cached() === stored(),
      ),
  }
}

it('[OV7] it lists, watches, and tells each change once', async () => {
  const world = await openWorld(({ double }) =>
    double.store.write(
      { plural: 'services', namespace: 'city', name: 'old' },
      { metadata: { labels: { ours: 'yes' } } },
      'kubectl',
    ),
  )
  expect(world.reflector.isSynced()).toBe(false)
  await world.settled()
  world.write('new', 1)
  world.write('new', 2)
  world.remove('old')
  await world.settled()
  const names = world.changes.map(
    ({ before, after }) => `${before?.metadata.name ?? '-'} ${after?.metadata.name ?? '-'}`,
  )
  expect(names).toEqual(['- old', '- new', 'new new', 'old -'])
})

it('[OV7] a list that fails, in any way, leaves it unsynced and is tried again; nothing is taken for gone', async () => {
  const faults: ApiFault[] = ['cut', 'garbage', 'truncate', { status: 500 }, { status: 403 }, { status: 404 }]
  const world = await openWorld(({ double }) => {
    for (const fault of faults) double.fail({ verb: 'list' }, fault)
  })
  world.write('a')
  await turnUntil('all failures', world.clock, () => world.errors.length === faults.length)
  expect(world.reflector.isSynced()).toBe(false)
  await world.settled()
  expect(world.errors).toEqual([
    'KubeUnreachable',
    'KubeGarbled',
    'KubeUnreachable',
    'KubeUnreachable',
    'KubeForbidden',
    'KubeMissing',
  ])
})

it('[OV7] a watch that breaks off, in any way, goes on where it was; what is forgotten is listed', async () => {
  const troubles: WatchTrouble[] = ['cut-mid-line', 'torn-character', 'garbage', 'end', 'gone']
  const world = await openWorld()
  world.write('a')
  await world.settled()
  for (const trouble of troubles) {
    world.double.trouble(trouble)
    world.write('a', troubles.indexOf(trouble) + 1)
    await world.settled()
  }
  world.double.store.forget()
  world.double.trouble('cut-mid-line')
  world.remove('a')
  world.write('b')
  world.double.store.forget()
  await world.settled()
  expect(world.cached()).toContain('b ')
  expect(world.errors).toContain('KubeGone')
})

it('[OV8] a watch on which nothing moves is dead after three minutes; bookmarks keep it alive, and it goes on from them', async () => {
  const world = await openWorld()
  await world.settled()
  for (let minute = 0; minute < 3; minute++) {
    await world.clock.advance(60_000)
    world.double.bookmark()
    await turnUntil('the bookmark', world.clock, () => world.reflector.silentMs() < 1_000, { stepMs: 0 })
  }
  expect(world.restarts).toEqual([])
  world.write('z')
  await world.settled()
  world.double.bookmark()
  world.double.trouble('silent')
  world.write('a')
  await turnUntil('the watchdog', world.clock, () => world.restarts.length > 0, { stepMs: 10_000 })
  expect(world.restarts).toEqual(['silent'])
  expect(world.errors).toEqual(['WatchSilent'])
  await turnUntil('the change that was missed', world.clock, () => world.cached() === world.stored(), { stepMs: 100 })
})

it('[OV8] an object that was deleted and made again while nobody looked is another one', async () => {
  const world = await openWorld()
  world.write('a')
  await world.settled()
  const uid = world.reflector.cache.all()[0]?.metadata.uid
  world.double.trouble('cut-mid-line')
  world.remove('a')
  world.write('a')
  world.double.store.forget()
  await world.settled()
  expect(world.changes.at(-1)).toMatchObject({ before: { metadata: { uid } }, after: { metadata: { name: 'a' } } })
  expect(world.reflector.cache.all()[0]?.metadata.uid).not.toBe(uid)
})

it("[OV6] somebody else's kind is nothing while nobody has installed it, and is there when somebody has", async () => {
  const world = await openWorld(({ double }) => double.missing.add('podmonitors'), kinds.PodMonitor)
  await turnUntil('the answer', world.clock, () => world.reflector.isSynced())
  expect(world.reflector.isPresent()).toBe(false)
  world.double.missing.clear()
  world.write('a')
  await turnUntil('it to be found', world.clock, () => world.reflector.isPresent(), { stepMs: 10_000 })
  await world.settled()
})

it('[OV8] a kind that nobody installs is neither silent nor stuck, however long it is looked for', async () => {
  const world = await openWorld(({ double }) => double.missing.add('podmonitors'), kinds.PodMonitor)
  await turnUntil('the answer', world.clock, () => world.reflector.isSynced())
  const looks = world.double.requests.length
  // Two looks and more, each eleven minutes after the one before at the latest; liveness gives up after five minutes.
  for (let minute = 0; minute < 25; minute++) {
    await turnUntil('a minute', world.clock, () => true)
    await world.clock.advance(60_000)
    expect(world.reflector.stillMs()).toBeLessThan(120_000)
    expect(world.reflector.silentMs()).toBe(0)
  }
  expect(world.double.requests.length).toBeGreaterThan(looks)
})

it('[OV2] once stopped it asks nothing more', async () => {
  const world = await openWorld()
  await world.settled()
  world.reflector.stop()
  await turnUntil('the end of the watch', world.clock, () => world.double.watches() === 0)
  const asked = world.double.requests.length
  world.write('a')
  await world.clock.advance(3_600_000)
  expect(world.double.requests).toHaveLength(asked)
  expect(world.reflector.cache.all()).toEqual([])
})

const anyAct = fc.oneof(
  fc.record({ write: fc.constantFrom('a', 'b', 'c'), n: fc.nat(5) }),
  fc.record({ remove: fc.constantFrom('a', 'b', 'c') }),
  fc.record({
    trouble: fc.constantFrom<WatchTrouble>('cut-mid-line', 'torn-character', 'garbage', 'end', 'gone', 'silent'),
  }),
  fc.record({
    verb: fc.constantFrom('list', 'watch'),
    fault: fc.constantFrom<ApiFault>(
      'cut',
      'lose-answer',
      'truncate',
      'garbage',
      { status: 500 },
      { status: 410 },
      {
        status: 429,
        headers: { 'retry-after': '1' },
      },
    ),
  }),
  fc.record({ turnMs: fc.nat(2_000) }),
  fc.constant({ forget: true }),
  fc.record({ drip: fc.boolean() }),
)

it('[OV9] whatever goes wrong, when it is over the cache is what the server has', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAct, { maxLength: 20 }), async (acts) => {
      const world = await openWorld()
      for (const act of acts) {
        if ('write' in act) world.write(act.write, act.n)
        if ('remove' in act) world.remove(act.remove)
        if ('trouble' in act) world.double.trouble(act.trouble)
        if ('verb' in act) world.double.fail({ verb: act.verb }, act.fault)
        if ('turnMs' in act) await world.clock.advance(act.turnMs)
        if ('forget' in act) world.double.store.forget()
        if ('drip' in act) world.double.drip(act.drip)
      }
      await turnUntil(
        'cache and server to be equal',
        world.clock,
        () => world.reflector.isSynced() && world.cached() === world.stored(),
        { stepMs: 1_000 },
      )
      for (const stop of stops.splice(0)) await stop()
    }),
    { numRuns: 15 },
  )
})
