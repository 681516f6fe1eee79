// The operator as the process it is, on a real kube-apiserver, with the rights of its service account and no more.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startKubeApiServer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { makeLeaseHome, type LeaseHome } from '@citypresence/stack/kube-lease'
import { startService, type Service } from '@citypresence/stack/service'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
import { apiVersion, kind } from './core/city-presence.ts'
import { installCrd } from './testing/api-of.ts'
import { smallSpec } from './testing/cities.ts'
import { operatorRules } from './testing/operator-rights.ts'

const deadlineMs = 30_000
let server: KubeApiServer
let home: LeaseHome
const folder = makeTemporaryFolder('operator')
const operators: Service[] = []

beforeAll(async () => {
  server = await startKubeApiServer()
  await installCrd(server)
  home = await makeLeaseHome(server)
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${home.namespace}/roles/aggregator`
  await server.ask('PUT', role, { metadata: { name: 'aggregator' }, rules: operatorRules })
})
afterAll(async () => {
  for (const one of operators) if (one.isRunning()) await one.kill()
  await stopAll(server, folder)
})

async function startOperator(): Promise<Service> {
  const operator = await startService('operator', {
    env: {
      ...home.mountAccount(folder.path),
      WATCH_NAMESPACES: home.namespace,
      AGGREGATOR_IMAGE: 'aggregator:1',
      GATEWAY_IMAGE: 'gateway:1',
      LEASE_DURATION_MS: '3000',
      LEASE_RENEW_DEADLINE_MS: '2000',
      LEASE_RETRY_PERIOD_MS: '500',
    },
  })
  operators.push(operator)
  return operator
}

const city = (name: string) => ({ apiVersion, kind, metadata: { name, namespace: home.namespace }, spec: smallSpec })
const cities = () => `/apis/presence.daarion.city/v1alpha1/namespaces/${home.namespace}/citypresences`
const deployments = () => `/apis/apps/v1/namespaces/${home.namespace}/deployments`
const namesAt = async (path: string): Promise<string[]> =>
  ((await server.ask('GET', path)).body['items'] as { metadata: { name: string } }[]).map(
    ({ metadata }) => metadata.name,
  )
const hasDeployments = async (name: string): Promise<boolean> => {
  const names = await namesAt(deployments())
  return names.includes(`${name}-aggregator`) && names.includes(`${name}-gateway`)
}
const leaseOf = async () => {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${home.namespace}/leases/citypresence-operator`
  return (await server.ask('GET', path)).body['spec'] as { holderIdentity?: string; leaseTransitions?: number }
}
const roleOf = async ({ adminUrl }: Service): Promise<string> =>
  ((await (await fetch(`${adminUrl}/readyz`)).json()) as { role: string }).role
const numberOf = async (operator: Service, pattern: RegExp): Promise<number> =>
  [...(await operator.metrics()).matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
const writesOf = (operator: Service): Promise<number> =>
  numberOf(
    operator,
    /^citypresence_operator_api_calls_total\{verb="(?:apply|status|create|delete)",code="ok"\} (\d+)$/gm,
  )

it(
  '[OC4] one of two operators works, on a Lease that it made; a city is made, kept, and quiet; who is killed is followed, who is told to stop lets go',
  { timeout: 150_000 },
  async () => {
    const first = await startOperator()
    await until(async () => (await roleOf(first)) === 'leader', { deadlineMs, what: 'a leader' })
    const second = await startOperator()
    expect(await roleOf(second)).toBe('standby')

    const askedMs = performance.now()
    expect((await server.ask('POST', cities(), city('daarion'))).status).toBe(201)
    await until(() => hasDeployments('daarion'), { deadlineMs: 12_000, what: 'the city' })
    console.log(`from the city to its deployments: ${Math.round(performance.now() - askedMs)} ms`)
    const status = await until(
      async () =>
        (await server.ask('GET', `${cities()}/daarion`)).body['status'] as { observedGeneration?: number } | undefined,
      { deadlineMs, what: 'a status' },
    )
    expect(status).toMatchObject({ observedGeneration: 1 })

    // Quiet: two looks at the writes are the same, with a good many chances to write in between.
    const settled = await until(
      async () => {
        const before = await writesOf(first)
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        return (await writesOf(first)) === before && before > 0 ? before : undefined
      },
      { deadlineMs, what: 'quiet' },
    )
    expect(await writesOf(second)).toBe(0)
    expect(
      await numberOf(first, /^citypresence_operator_reconcile_seconds_count\{result="done"\} (\d+)$/gm),
    ).toBeGreaterThan(0)
    expect(
      await numberOf(first, /^citypresence_operator_watch_silent_seconds\{kind="citypresences"\} ([\d.e-]+)$/gm),
    ).toBeLessThan(180)

    await server.ask('DELETE', `${deployments()}/daarion-gateway`)
    await until(() => hasDeployments('daarion'), { deadlineMs: 10_000, what: 'the deleted deployment to be back' })
    expect(await writesOf(first)).toBeGreaterThan(settled)

    const killedTerm = (await leaseOf()).leaseTransitions ?? 0
    await first.kill()
    await until(async () => (await roleOf(second)) === 'leader', { deadlineMs, what: 'the second to lead' })
    expect((await leaseOf()).leaseTransitions).toBeGreaterThan(killedTerm)
    await server.ask('POST', cities(), city('lumen'))
    await until(() => hasDeployments('lumen'), { deadlineMs, what: 'another city' })

    // An API server that goes and comes back, without a word on any watch.
    await server.restart()
    await server.ask('POST', cities(), city('solara'))
    const third = second.isRunning() ? second : await startOperator()
    await until(() => hasDeployments('solara'), { deadlineMs: 60_000, what: 'a city after the outage' })

    expect(await third.stop('SIGTERM')).toMatchObject({ code: 0 })
    expect((await leaseOf()).holderIdentity ?? '').toBe('')
  },
)
