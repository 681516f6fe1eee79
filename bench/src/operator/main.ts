// What the operator costs on a real kube-apiserver, at a few numbers of cities:
//
//   make bench-operator                                   1, 100 and 1,000 cities, ten idle minutes each
//   CITIES='1 100' IDLE_MINUTES=2 make bench-operator
//
// For each: start, time from the first city to the last object, writes beside the least that there could be, one change, idle
// minutes, a restart. Memory and processor time as /proc has them. The operator is the process that a pod would run, by a mounted
// account; no controllers run here, so no pod is made and nobody leads. Ends with 1 when a bar is missed: a write too many, a write in
// an idle minute, or more than 120 MB.
import { readFileSync } from 'node:fs'
import { apiVersion, kind } from '@citypresence/operator/core/city-presence'
import { installCrd } from '@citypresence/operator/testing/api-of'
import { cityOf, contextOf, smallSpec } from '@citypresence/operator/testing/cities'
import { operatorRules } from '@citypresence/operator/testing/operator-rights'
import { desiredObjects } from '@citypresence/operator/core/desired'
import { startKubeApiServer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { makeLeaseHome, type LeaseHome } from '@citypresence/stack/kube-lease'
import { startService, type Service } from '@citypresence/stack/service'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'

const sizes = (process.env['CITIES'] ?? '1 100 1000').split(/\s+/).map(Number)
const idleMinutes = Number(process.env['IDLE_MINUTES'] ?? 10)
// As fast as the API server takes it, where nothing else is said: with the default of 50 a second the rate would be all that is measured.
const requestsPerS = process.env['API_REQUESTS_PER_SECOND'] ?? '1000'
const rssMbMax = 120
const deadlineMs = 3_600_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Children of a small city, and what a place of each kind holds beside them. */
const children = desiredObjects(cityOf(), contextOf(), 2)
const places: Readonly<Record<string, string>> = {
  ConfigMap: '/api/v1/namespaces/NS/configmaps',
  ServiceAccount: '/api/v1/namespaces/NS/serviceaccounts',
  Service: '/api/v1/namespaces/NS/services',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings',
  Lease: '/apis/coordination.k8s.io/v1/namespaces/NS/leases',
  Deployment: '/apis/apps/v1/namespaces/NS/deployments',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
}

type Running = { readonly server: KubeApiServer; readonly home: LeaseHome; readonly folder: string }

/** How many objects there are, without reading them. */
async function countChildren({ server, home }: Running): Promise<number> {
  const counts = await Promise.all(
    Object.values(places).map(async (place) => {
      const { body } = await server.ask('GET', `${place.replace('NS', home.namespace)}?limit=1`)
      const { remainingItemCount = 0 } = body['metadata'] as { readonly remainingItemCount?: number }
      return (body['items'] as readonly unknown[]).length + remainingItemCount
    }),
  )
  return counts.reduce((sum, one) => sum + one, 0)
}

/** Each is written once, unless the same is said again a minute later. */
async function countEvents({ server, home }: Running): Promise<number> {
  const { body } = await server.ask('GET', `/api/v1/namespaces/${home.namespace}/events?limit=1`)
  const { remainingItemCount = 0 } = body['metadata'] as { readonly remainingItemCount?: number }
  return (body['items'] as readonly unknown[]).length + remainingItemCount
}

const startOne = ({ home, folder }: Running): Promise<Service> =>
  startService('operator', {
    env: {
      ...home.mountAccount(folder),
      WATCH_NAMESPACES: home.namespace,
      AGGREGATOR_IMAGE: 'aggregator:1',
      GATEWAY_IMAGE: 'gateway:1',
      API_REQUESTS_PER_SECOND: requestsPerS,
    },
  })

const numberIn = (page: string, pattern: RegExp): number =>
  [...page.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
const writesOf = async (operator: Service): Promise<{ readonly applies: number; readonly statuses: number }> => {
  const page = await operator.metrics()
  const of = (verbs: string) =>
    numberIn(
      page,
      new RegExp(`^citypresence_operator_api_calls_total\\{verb="(?:${verbs})",code="ok"\\} (\\d+)$`, 'gm'),
    )
  return { applies: of('apply|create|delete'), statuses: of('status') }
}
const cpuS = async (operator: Service): Promise<number> =>
  numberIn(await operator.metrics(), /^process_cpu_seconds_total (\S+)$/gm)
const peakMb = ({ pid }: Service): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
const rssMb = (operator: Service): number => operator.rss() / 1024 / 1024

/** Until it wrote nothing for ten seconds. */
async function settle(operator: Service): Promise<void> {
  let [last, since] = ['', performance.now()]
  await until(
    async () => {
      const now = JSON.stringify(await writesOf(operator))
      if (now !== last) [last, since] = [now, performance.now()]
      return performance.now() - since > 10_000
    },
    { deadlineMs, everyMs: 1_000, what: 'quiet' },
  )
}

async function measure(server: KubeApiServer, cities: number): Promise<boolean> {
  const home = await makeLeaseHome(server)
  const folder = makeTemporaryFolder('bench-operator')
  const running = { server, home, folder: folder.path }
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${home.namespace}/roles/aggregator`
  await server.ask('PUT', role, { metadata: { name: 'aggregator' }, rules: operatorRules })
  const path = `/apis/${apiVersion}/namespaces/${home.namespace}/citypresences`

  const bornMs = performance.now()
  let operator = await startOne(running)
  const startMs = performance.now() - bornMs
  await until(() => leads(operator), {
    deadlineMs: 60_000,
    what: 'a leader',
  })
  const emptyMb = rssMb(operator)
  const [before, cpuBefore] = [await countChildren(running), await cpuS(operator)]

  const askedMs = performance.now()
  for (let index = 0; index < cities; index++) {
    const city = { apiVersion, kind, metadata: { name: `city-${index}`, namespace: home.namespace }, spec: smallSpec }
    const { status } = await server.ask('POST', path, city)
    if (status !== 201) throw new Error(`a city was refused: ${status}`)
  }
  const writtenMs = performance.now() - askedMs
  const least = cities * children.length
  await until(async () => (await countChildren(running)) - before >= least, {
    deadlineMs,
    everyMs: cities === 1 ? 20 : 500,
    what: 'all objects',
  })
  const madeMs = performance.now() - askedMs
  await settle(operator)
  const made = await writesOf(operator)
  const madeEvents = await countEvents(running)
  const madeCpuS = (await cpuS(operator)) - cpuBefore
  const fullMb = rssMb(operator)

  const changeMs = performance.now()
  const merge = { 'content-type': 'application/merge-patch+json' }
  await server.ask('PATCH', `${path}/city-0`, { spec: { publishing: { roomMinPeriodMilliseconds: 1_000 } } }, merge)
  await until(async () => (await writesOf(operator)).applies > made.applies, {
    deadlineMs,
    everyMs: 10,
    what: 'a change',
  })
  const changedMs = performance.now() - changeMs
  await settle(operator)
  const changed = await writesOf(operator)

  const idleCpu = await cpuS(operator)
  const idleFrom = performance.now()
  await until(() => performance.now() - idleFrom > idleMinutes * 60_000, {
    deadlineMs,
    everyMs: 1_000,
    what: 'idle minutes',
  })
  const idle = await writesOf(operator)
  const idleWrites = idle.applies + idle.statuses - changed.applies - changed.statuses
  const idleCpuMs = (((await cpuS(operator)) - idleCpu) / Math.max(idleMinutes, 1 / 60)) * 1000
  const [idleMb, highMb] = [rssMb(operator), peakMb(operator)]
  await operator.stop()

  const againMs = performance.now()
  operator = await startOne(running)
  const restartMs = performance.now() - againMs
  await until(() => leads(operator), { deadlineMs: 60_000, what: 'a leader again' })
  await settle(operator)
  const again = await writesOf(operator)
  const againMb = rssMb(operator)
  await operator.stop()
  folder.remove()

  const objects = made.applies - madeEvents
  const each = (writes: number): string => (writes / cities).toFixed(2)
  say(`${cities} cities of ${children.length} objects`)
  say(`  start to ready ${seconds(startMs)}, with these cities there ${seconds(restartMs)}`)
  say(
    `  cities written in ${seconds(writtenMs)}; first city to last object ${seconds(madeMs)}; ${madeCpuS.toFixed(1)} s of processor`,
  )
  say(
    `  writes a city: ${each(objects)} of objects (least ${children.length}), ${each(madeEvents)} events, ${each(made.statuses)} of status`,
  )
  say(
    `  one change: ${changed.applies - made.applies} objects, ${changed.statuses - made.statuses} statuses, the first after ${Math.round(changedMs)} ms`,
  )
  say(`  ${idleMinutes} idle minutes: ${idleWrites} writes, ${idleCpuMs.toFixed(0)} ms of processor a minute`)
  say(`  after a restart: ${again.applies + again.statuses} writes`)
  say(
    `  memory: ${emptyMb.toFixed(0)} MB empty, ${fullMb.toFixed(0)} full, ${idleMb.toFixed(0)} idle, ${againMb.toFixed(0)} after a restart, ${highMb.toFixed(0)} at the most`,
  )
  // The Lease of the operator is one more object.
  const isLeast = objects <= least + 1
  return (
    isLeast && idleWrites === 0 && again.applies + again.statuses === 0 && idleMb <= rssMbMax && againMb <= rssMbMax
  )
}

const leads = async ({ adminUrl }: Service): Promise<boolean> =>
  ((await (await fetch(`${adminUrl}/readyz`)).json()) as { readonly role?: string }).role === 'leader'

const server = await startKubeApiServer()
let isGood = true
try {
  await installCrd(server)
  for (const cities of sizes) isGood = (await measure(server, cities)) && isGood
} finally {
  await server.stop()
}
if (!isGood) {
  say('a bar was missed: see above')
  process.exitCode = 1
}
