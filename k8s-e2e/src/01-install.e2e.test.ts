// A platform team installs, and somebody outside looks at the city.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startChromium, type RunningChromium } from '@citypresence/stack/chromium'
import { stopAll } from '@citypresence/stack/stop-all'
import { tell } from './figures.ts'
import { cityName, gatewaySelector, namespace, operatorName, release } from './names.ts'
import { podsReady, type Pod } from './kube.ts'
import { leavesEvidence, timed } from './scenario.ts'
import { Truth } from './truth.ts'
import { chartFolder } from './helm.ts'
import { cityReady, groundStands, install, takeAway, valuesOf, type World } from './world.ts'

let world: World
let chromium: RunningChromium | undefined
let page: Page

leavesEvidence()
beforeAll(async () => {
  world = await groundStands()
  await takeAway(world)
}, 600_000)
afterAll(() => stopAll(chromium))

// Of docs/ROADMAP.md: with the images on the nodes.
const readyWithinS = 90

it('[KIND1] from helm install to a city that is Ready, in a namespace that enforces the restricted profile', async () => {
  const seconds = await timed({ rule: 'KIND1', what: 'helm install to Ready', bar: readyWithinS }, async () => {
    await install(world)
    await cityReady(world, 2 * readyWithinS * 1_000)
  })
  expect(seconds).toBeLessThan(readyWithinS)
})

it('[KIND16] every pod of ours is as the restricted profile wants it, and none of our objects was warned about', async () => {
  const pods = await world.kube.list<Pod>('pods', namespace)
  expect(pods.length).toBeGreaterThanOrEqual(7)
  // Applying it once more to a dry server says what it would be warned about.
  const warned = await world.kube.run([
    ...['label', '--dry-run=server', '--overwrite', 'namespace', namespace],
    'pod-security.kubernetes.io/enforce=restricted',
  ])
  expect(warned).not.toMatch(/violate/i)
  const byImage = new Map<string, number>()
  for (const pod of pods) {
    const { containers } = pod.spec as unknown as { containers: readonly { image: string; securityContext?: object }[] }
    for (const { image, securityContext } of containers) {
      expect(securityContext, image).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false })
      byImage.set(image, (byImage.get(image) ?? 0) + 1)
    }
  }
  tell({ rule: 'KIND16', what: 'pods under the restricted profile', value: pods.length, unit: 'count' })
})

it('[KIND1] a Chromium outside the cluster sees a resident come online', async () => {
  const truth = new Truth(world)
  await truth.empty()
  chromium = await startChromium()
  page = await chromium.browser.newPage()
  await page.goto(`${await world.gatewayUrl()}/city#token=${world.token}`)
  const resident = world.people.residents[0]
  const slug = resident?.rooms[0] ?? ''
  const shows = (text: string): Promise<void> =>
    page.locator(`.card[data-slug="${slug}"]`).filter({ hasText: text }).waitFor({ timeout: 30_000 })
  await shows('0 online')
  // Synapse, the throttle of 0.3 s, NATS, the gateway: well below a second on a quiet machine.
  const seconds = await timed(
    { rule: 'KIND1', what: 'a resident comes online, to the card in a browser outside', bar: 5 },
    async () => {
      await truth.turn(resident?.localpart ?? '')
      await shows('1 online')
    },
  )
  expect(seconds).toBeLessThan(5)
  await truth.empty()
  await shows('0 online')
})

it('[KIND2] helm test passes: the operator is ready, and a socket on the city gets a snapshot', async () => {
  await world.helm(['upgrade', release, chartFolder, '--namespace', namespace, '--values', '-'], {
    input: JSON.stringify({ ...valuesOf(world), test: { city: cityName } }),
  })
  await timed({ rule: 'KIND2', what: 'helm test' }, async () => {
    const said = await world.helm(['test', release, '--namespace', namespace, '--timeout', '120s'])
    expect(said.match(/Phase:\s+Succeeded/g)).toHaveLength(3)
  })
  // The same values again change nothing: nothing is rolled.
  const pods = await podsReady(world.kube, namespace, gatewaySelector, 2, 30_000)
  expect(pods.every(({ status }) => status.containerStatuses?.every(({ restartCount }) => restartCount === 0))).toBe(
    true,
  )
  expect((await world.kube.get('deployment', operatorName, namespace))?.metadata.generation).toBe(1)
})
