// The chart: rendered by a real helm, judged by a real API server, installed on it, brought up to date and taken away.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { helmBinary, kubectlBinary, natsServerBinary } from '@citypresence/stack/cache'
import { bareEnv, repositoryRoot } from '@citypresence/stack/machine'
import { readConfig, type Setting } from '@citypresence/chassis/config'
import { startService } from '@citypresence/stack/service'
import { startKubeApiServer, type KubeAnswer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { natsConfig } from '@citypresence/stack/nats-config'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
import { mistakesOf, settings } from './config.ts'
import { firstCity } from './core/example-city.ts'
import { kinds } from './core/kube-kinds.ts'
import { citiesPath } from './testing/api-of.ts'
import { chartValues, wrongValues } from './testing/chart-values.ts'
import { chartFolder, helm, render, sets, type Rendered } from './testing/helm.ts'

const namespace = 'city-system'
const namespaces = [namespace, 'city-a', 'city-b']
const folder = makeTemporaryFolder('chart')
const all = Object.entries(chartValues)
const rendered = new Map<string, readonly Rendered[]>()
const of = (name: keyof typeof chartValues): readonly Rendered[] => rendered.get(name) ?? []

let server: KubeApiServer
let kubeconfig = ''
beforeAll(async () => {
  const starting = startKubeApiServer()
  for (const [name, values] of all) rendered.set(name, await render(folder.path, values))
  server = await starting
  kubeconfig = server.writeAdminKubeconfig(folder.path)
  for (const name of namespaces) await made('/api/v1/namespaces', { metadata: { name } })
  // Otherwise a controller makes it.
  await made(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
  for (const kind of ['PodMonitor', 'PrometheusRule'])
    await made('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', monitoringKind(kind))
})
afterAll(() => stopAll(server, folder))

async function made(path: string, body: unknown): Promise<KubeAnswer> {
  const answer = await server.ask('POST', path, body)
  if (answer.status >= 300) throw new Error(`${path}: ${String(answer.body['message'])}`)
  return answer
}

/** Somebody else's kind, as far as the API server has to know it. */
const monitoringKind = (kind: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.toLowerCase()}s.monitoring.coreos.com` },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: {
      kind,
      plural: `${kind.toLowerCase()}s`,
      singular: kind.toLowerCase(),
      listKind: `${kind}List`,
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
})

/** Where an object lies. Every kind of the chart has an ordinary plural but one. */
function pathOf({ apiVersion, kind, metadata }: Rendered): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const plural = kind === 'NetworkPolicy' ? 'networkpolicies' : `${kind.toLowerCase()}s`
  const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  return `${root}${within}/${plural}/${metadata.name}`
}

it('[CH1] the linter of helm has nothing to say, whatever is asked for', async () => {
  await Promise.all(all.map(([, values]) => helm(folder.path, ['lint', '--strict', chartFolder, ...sets(values)])))
})

it('[CH2] the schema knows every value, and every value of the schema is there', () => {
  const values = parse(readFileSync(join(chartFolder, 'values.yaml'), 'utf8')) as Record<string, unknown>
  const schema = JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8')) as Schema
  expect(differences(values, { ...schema, properties: { ...schema.properties, global: undefined } })).toEqual([])
})

type Schema = {
  readonly properties?: Readonly<Record<string, Schema | undefined>>
  readonly additionalProperties?: unknown
}

function differences(values: unknown, { properties, additionalProperties }: Schema, path = ''): string[] {
  if (properties === undefined) return []
  const inside = values as Record<string, unknown>
  const open = additionalProperties === false ? [] : [`${path}: takes anything`]
  const missing = Object.entries(properties).filter(([name, one]) => one !== undefined && !(name in inside))
  return [
    ...open,
    ...missing.map(([name]) => `${path}/${name}: not in values.yaml`),
    ...Object.entries(inside).flatMap(([name, value]) => {
      const one = properties[name]
      return one === undefined ? [`${path}/${name}: not in the schema`] : differences(value, one, `${path}/${name}`)
    }),
  ]
}

it('[CH3] a wrong value is refused by its place, each of several', async () => {
  const left = [...wrongValues]
  while (left.length > 0) {
    // Two about one place would be one: the later.
    const place = ([value]: (typeof left)[number]): string => value.split('=')[0] ?? ''
    const batch = left.filter((one, index) => left.findIndex((other) => place(other) === place(one)) === index)
    for (const one of batch) left.splice(left.indexOf(one), 1)
    const asked = helm(folder.path, ['template', 'city', chartFolder, ...sets(batch.map(([value]) => value))])
    const said = await asked.then(() => '', String)
    for (const [value, says] of batch) expect(said, value).toMatch(says)
  }
})

it('[CH4] every object that is rendered is one that the API server takes, to the last field', async () => {
  const kinds = new Set<string>()
  for (const [name] of all)
    for (const object of of(name as keyof typeof chartValues)) {
      kinds.add(object.kind)
      const path = `${pathOf(object)}?dryRun=All&fieldManager=chart&fieldValidation=Strict`
      const { status, body } = await server.ask('PATCH', path, object, {
        'content-type': 'application/apply-patch+yaml',
      })
      expect(status, `${name}: ${path}: ${String(body['message'])}`).toBeLessThan(300)
    }
  expect([...kinds].sort()).toEqual([
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'CustomResourceDefinition',
    'Deployment',
    'NetworkPolicy',
    'Pod',
    'PodDisruptionBudget',
    'PodMonitor',
    'PrometheusRule',
    'Role',
    'RoleBinding',
    'Secret',
    'Service',
    'ServiceAccount',
    'StatefulSet',
  ])
})

type Rule = {
  readonly apiGroups: string[]
  readonly resources: string[]
  readonly verbs: string[]
  readonly resourceNames?: string[]
}
const rulesOf = (objects: readonly Rendered[]): readonly Rule[] =>
  objects.filter(({ kind }) => kind.endsWith('Role')).flatMap((role) => role['rules'] as Rule[])

it('[CH5] no right is wide open, none gives more rights, and no Secret can be listed or watched', () => {
  for (const [name] of all)
    for (const { apiGroups, resources, verbs, ...rule } of rulesOf(of(name as keyof typeof chartValues))) {
      expect([...apiGroups, ...resources, ...verbs]).not.toContain('*')
      for (const verb of ['escalate', 'bind', 'impersonate']) expect(verbs).not.toContain(verb)
      if (resources.includes('secrets'))
        expect({ resources, verbs, rule, name }).toEqual({
          resources: ['secrets'],
          verbs: ['get'],
          rule: {},
          name: 'everything',
        })
      expect(resources.filter((one) => /^pods|nodes|exec|serviceaccounts\/token/.test(one))).toEqual([])
    }
})

it('[CH5] rights are for the kinds that the operator knows, each of them and no other', () => {
  const [role] = of('everything').filter(
    ({ kind, metadata: { name } }) => kind === 'ClusterRole' && name.endsWith('-cities'),
  )
  const granted = rulesOf(role === undefined ? [] : [role]).flatMap(({ resources }) => resources)
  const known = Object.values(kinds).map(({ plural }) => plural)
  expect(granted.filter((one) => !one.includes('/')).sort()).toEqual(known.sort())
  expect(granted.filter((one) => one.includes('/'))).toEqual(['citypresences/status', 'citypresences/finalizers'])
})

it('[CH5] in one or several namespaces there is no right beyond them', () => {
  const roles = of('namespaced').filter(({ kind }) => kind.startsWith('ClusterRole'))
  // What people may do with cities, and no account is bound to it.
  expect(roles.map(({ metadata: { name } }) => name)).toEqual(['city-city-presence-view', 'city-city-presence-edit'])
  const where = of('namespaced').filter(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-cities'))
  expect(where.map(({ metadata }) => metadata.namespace)).toEqual(['city-a', 'city-b'])
})

const podsOf = (
  objects: readonly Rendered[],
): readonly { readonly name: string; readonly spec: Record<string, unknown> }[] =>
  objects.flatMap(({ kind, metadata: { name }, spec }) => {
    if (kind === 'Pod') return [{ name, spec: spec as Record<string, unknown> }]
    const { template } = (spec ?? {}) as { readonly template?: { readonly spec: Record<string, unknown> } }
    return template === undefined ? [] : [{ name, spec: template.spec }]
  })

it('[CH7] every pod lives under the restricted profile, and can write to nothing that is not its own', async () => {
  const restricted = 'restricted'
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await made('/api/v1/namespaces', { metadata: { name: restricted, labels } })
  const pods = all.flatMap(([name]) => podsOf(of(name as keyof typeof chartValues)))
  const accounts = new Set(pods.map(({ spec }) => (spec['serviceAccountName'] as string | undefined) ?? 'default'))
  for (const name of accounts) await made(`/api/v1/namespaces/${restricted}/serviceaccounts`, { metadata: { name } })
  const propose = (pod: unknown) =>
    server.ask('POST', `/api/v1/namespaces/${restricted}/pods?dryRun=All&fieldValidation=Strict`, pod)
  for (const { name, spec } of pods) {
    const volumes = [
      ...((spec['volumes'] as object[] | undefined) ?? []),
      ...(name.endsWith('-nats') ? [{ name: 'data', emptyDir: {} }] : []),
    ]
    const once = [...new Map(volumes.map((volume) => [(volume as { name: string }).name, volume])).values()]
    const { status, body } = await propose({ metadata: { name }, spec: { ...spec, volumes: once } })
    expect(status, `${name}: ${String(body['message'])}`).toBe(201)
    for (const { securityContext } of spec['containers'] as { securityContext: object }[])
      expect(securityContext).toMatchObject({ readOnlyRootFilesystem: true })
  }
  const careless = await propose({ metadata: { name: 'careless' }, spec: { containers: [{ name: 'a', image: 'a' }] } })
  expect(String(careless.body['message'])).toContain('violates PodSecurity "restricted')
})

const install = (...more: string[]) =>
  helm(
    folder.path,
    ['install', 'city', chartFolder, '--namespace', namespace, ...sets(chartValues.namespaced), ...more],
    kubeconfig,
  )
const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/citypresences.presence.daarion.city'

async function versions(): Promise<Record<string, unknown>> {
  const manifest = await helm(folder.path, ['get', 'manifest', 'city', '--namespace', namespace], kubeconfig)
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as Rendered)
  const entries = objects.map(async (object) => {
    const { status, body } = await server.ask('GET', pathOf(object))
    return [
      pathOf(object),
      status === 200 ? (body['metadata'] as Record<string, unknown>)['resourceVersion'] : status,
    ] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

it('[CH6][CH8] installed, brought up to date with itself and taken away: nothing changes that was not asked for, and cities stay', async () => {
  const notes = await install()
  await until(async () => (await server.ask('GET', citiesPath)).status === 200, {
    deadlineMs: 20_000,
    what: 'the CRD to be served',
  })
  await cityOfNotes(notes)
  const before = await versions()
  expect(Object.values(before)).not.toContain(404)
  await helm(
    folder.path,
    ['upgrade', 'city', chartFolder, '--namespace', namespace, ...sets(chartValues.namespaced)],
    kubeconfig,
  )
  expect(await versions()).toEqual(before)

  await rightsHold()
  await operatorWorks()

  await helm(folder.path, ['uninstall', 'city', '--namespace', namespace], kubeconfig)
  expect((await server.ask('GET', crdPath)).status).toBe(200)
  expect((await server.ask('GET', `/apis/apps/v1/namespaces/${namespace}/deployments`)).body['items']).toEqual([])
})

/** The city that NOTES tell people to apply is a good one. */
async function cityOfNotes(notes: string): Promise<void> {
  const text = /<<'END'\n([\s\S]+?)\n {2}END/.exec(notes)?.[1] ?? ''
  const { status, body } = await server.ask('POST', `${citiesPath}?dryRun=All&fieldValidation=Strict`, parse(text))
  expect(status, String(body['message'])).toBe(201)
  const { nats } = body['spec'] as { nats: { servers: string[]; userPasswordSecretRef: { name: string } } }
  expect(nats.servers).toEqual(['nats://city-city-presence-nats.city-system.svc:4222'])
  const secret = await server.ask('GET', `/api/v1/namespaces/${namespace}/secrets/${nats.userPasswordSecretRef.name}`)
  expect(Object.keys(secret.body['data'] ?? {})).toEqual(['password', 'username'])
  expect(notes).toContain('FOR A FIRST TRY ONLY')
}

const operatorPod = 'city-city-presence'

/** The environment of the operator's container, as far as the chart says it. */
function environmentOf(objects: readonly Rendered[]): Record<string, string> {
  const pod = podsOf(objects).find(({ name }) => name === operatorPod)
  const [container] = (pod?.spec['containers'] ?? []) as { env: { name: string; value?: string }[] }[]
  return Object.fromEntries(
    (container?.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  )
}

it('[CH8] every variable that the chart sets is a setting of the operator, and its value one that it takes', () => {
  const known = Object.values<Setting<unknown>>(settings).map(({ env }) => env)
  for (const [name] of all) {
    const given = environmentOf(of(name as keyof typeof chartValues))
    if (Object.keys(given).length === 0) continue // under another name
    expect(
      Object.keys(given).filter((one) => !known.includes(one)),
      name,
    ).toEqual([])
    const inPod = { POD_NAMESPACE: namespace, KUBERNETES_SERVICE_HOST: '10.96.0.1' }
    const read = readConfig(settings, { ...given, ...inPod }, { read: () => '' })
    expect(read.ok ? mistakesOf(read.config) : read.mistakes, name).toEqual([])
  }
})

/** The operator itself, as the account that the chart made for it: it makes a city and takes a part of it away again. */
async function operatorWorks(): Promise<void> {
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${operatorPod}/token`
  const { body } = await made(account, { spec: { expirationSeconds: 3600 } })
  const file = join(folder.path, 'operator.kubeconfig')
  const text = JSON.parse(readFileSync(kubeconfig, 'utf8')) as { users: { user: object }[] }
  const user = { token: (body['status'] as { token: string }).token }
  writeFileSync(file, JSON.stringify({ ...text, users: [{ name: 'admin', user }] }))
  const env = { ...environmentOf(of('namespaced')), KUBECONFIG: file, POD_NAMESPACE: namespace, POD_NAME: 'operator-0' }
  const operator = await startService('operator', { env })
  try {
    const cities = '/apis/presence.daarion.city/v1alpha1/namespaces/city-a/citypresences'
    const exposure = { ingress: { host: 'rt.example.org' } }
    const city = {
      ...firstCity,
      spec: {
        ...firstCity.spec,
        gateway: { ...firstCity.spec.gateway, exposure, autoscaling: { maxReplicas: 5 } },
        networkPolicy: 'Managed',
      },
    }
    const { body: asked } = await made(cities, city)
    const path = (kind: string) => `/apis/${kind.replace('/', '/v1/namespaces/city-a/')}/first-gateway`
    const there = async (kind: string): Promise<boolean> => (await server.ask('GET', path(kind))).status === 200
    for (const kind of [
      'apps/deployments',
      'networking.k8s.io/ingresses',
      'networking.k8s.io/networkpolicies',
      'policy/poddisruptionbudgets',
    ])
      await until(() => there(kind), { deadlineMs: 20_000, what: `the operator to make ${kind}` })
    const status = () =>
      server
        .ask('GET', `${cities}/first`)
        .then(
          (answer) =>
            answer.body['status'] as { conditions?: { type: string; status: string; message: string }[] } | undefined,
        )
    const accepted = await until(async () => (await status())?.conditions?.find(({ type }) => type === 'Accepted'), {
      deadlineMs: 20_000,
      what: 'a status',
    })
    expect(accepted, accepted.message).toMatchObject({ status: 'True' })
    const { exposure: gone, ...gateway } = (asked['spec'] as { gateway: Record<string, unknown> }).gateway
    expect(gone).toBeDefined()
    await until(
      async () => {
        const { body: now } = await server.ask('GET', `${cities}/first`)
        return (
          (await server.ask('PUT', `${cities}/first`, { ...now, spec: { ...(now['spec'] as object), gateway } }))
            .status === 200
        )
      },
      { deadlineMs: 20_000, what: 'the city to be written between two writes of others' },
    )
    await until(async () => !(await there('networking.k8s.io/ingresses')), {
      deadlineMs: 20_000,
      what: 'the Ingress to go',
    })
    const numbers = await operator.metrics()
    const calls = [...numbers.matchAll(/^citypresence_operator_api_calls_total\{verb="(\w+)",code="(\w+)"\} (\d+)$/gm)]
    expect(numbers).not.toMatch(/errors_total\{code="KubeForbidden"\} [1-9]/)
    const verbs = new Set(calls.filter(([, , , count]) => count !== '0').map(([, verb]) => verb))
    expect([...verbs]).toEqual(expect.arrayContaining(['list', 'apply', 'status', 'create', 'delete']))
    // Whether a Secret has its keys may be asked, and is not granted.
    expect(
      calls
        .filter(([, verb, code, count]) => code === 'KubeForbidden' && verb !== 'get' && count !== '0')
        .map(([line]) => line),
    ).toEqual([])
  } finally {
    await operator.stop()
  }
}

/** As the operator's own account the API server lets it do its work, and nothing beyond. */
async function rightsHold(): Promise<void> {
  const who = { 'impersonate-user': `system:serviceaccount:${namespace}:city-city-presence` }
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces'
  const role = (name: string, ...more: Rule[]) => ({
    metadata: { name },
    rules: [
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: ['x'],
        verbs: ['get', 'update', 'watch'],
      },
      {
        apiGroups: ['presence.daarion.city'],
        resources: ['citypresences/status'],
        resourceNames: ['x'],
        verbs: ['patch'],
      },
      ...more,
    ],
  })
  const tries = async (method: string, path: string, body?: unknown) =>
    (await server.ask(method, path, body, who)).status
  expect(await tries('POST', `${rbac}/city-a/roles`, role('good'))).toBe(201)
  const secrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }
  expect(await tries('POST', `${rbac}/city-a/roles`, role('greedy', secrets))).toBe(403)
  expect(await tries('GET', '/api/v1/namespaces/city-a/configmaps')).toBe(200)
  expect(await tries('GET', `/api/v1/namespaces/${namespace}/configmaps`)).toBe(403)
  expect(await tries('GET', '/api/v1/namespaces/city-a/secrets')).toBe(403)
  expect(await tries('GET', '/api/v1/namespaces/city-a/secrets/city-citypresence-nats-gateway')).toBe(403)
  expect(await tries('GET', '/api/v1/configmaps')).toBe(403)
  const lease = (name: string) => tries('GET', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`)
  expect([await lease('city-city-presence'), await lease('another')]).toEqual([404, 403])
}

it('[CH11] the NATS for a first try takes its configuration, and its accounts are those of production', () => {
  const [secret] = of('everything').filter(({ metadata: { name } }) => name === 'city-citypresence-nats-server')
  const { 'nats.conf': text = '' } = secret?.['stringData'] as Record<string, string>
  const file = join(folder.path, 'nats.conf')
  writeFileSync(file, text)
  const said = execFileSync(natsServerBinary('current'), ['--config', file, '-t'], { stdio: 'pipe', encoding: 'utf8' })
  expect(said).toBeDefined()
  const passwords = [...text.matchAll(/password: "(\w+)"/g)].map(([, password = '']) => password)
  expect(passwords.map((password) => password.length)).toEqual([40, 40])
  expect(new Set(passwords).size).toBe(2)
  expect(text).toContain('sync_interval: always')
  // The same rights, subject by subject, as those that the acceptance tests run with.
  const user = (name: string, pass = '') => ({ user: name, pass })
  const users = {
    leader: user('aggregator', passwords[0]),
    gateway: user('gateway', passwords[1]),
    admin: user('admin'),
    system: user('system'),
  }
  const tested = natsConfig({
    serverName: 'a',
    port: 1,
    monitorPort: 1,
    storeDir: '',
    accounts: 'two',
    users,
    jetstream: true,
  })
  const bare = (config: string): string =>
    config
      .slice(config.indexOf('CITY {'))
      .replaceAll(/#.*|\s+/g, '')
      .replaceAll(/[,;](?=[\]}{])/g, '')
  const withoutAdmin = tested
    .replace('{ user: "admin", password: "" }', '')
    .replaceAll(/user: "(\w+)"/g, 'user: $1')
    .replace(/\}\nsystem_account: SYS\n$/, '}')
  expect(bare(text)).toBe(bare(withoutAdmin))
})

it('[CH6][CH12] every command of docs/KUBERNETES.md works as it stands there', async () => {
  // Over the resource that stayed behind, where the chart was installed before (CH6).
  const page = readFileSync(join(repositoryRoot, 'docs/KUBERNETES.md'), 'utf8')
  const blocks = [...page.matchAll(/^```sh\n([\s\S]+?)^```$/gm)].map(([, block = '']) => block)
  expect(blocks.length).toBeGreaterThan(5)
  const said = await runAsPerson(blocks.join('\n'))
  expect(said).toMatch(/^NAME +READY +ROOMS +ONLINE +GATEWAYS +LEADER +AGE +REASON +MESSAGE +URL +VERSION$/m)
  expect(said).toContain('citypresence.presence.daarion.city/first created')
  expect(said).toContain('Whose tokens open the door')
  expect(said).toContain('citypresence.presence.daarion.city/first scaled')
  expect(said.match(/first patched$/gm)).toHaveLength(3)
  expect(said).toContain('customresourcedefinition.apiextensions.k8s.io "citypresences.presence.daarion.city" deleted')
})

/** In a shell that stops at the first mistake, with helm and kubectl in its path. */
async function runAsPerson(commands: string): Promise<string> {
  const bin = join(folder.path, 'bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(helmBinary(), join(bin, 'helm'))
  symlinkSync(kubectlBinary(), join(bin, 'kubectl'))
  const { PATH = '', ...rest } = bareEnv()
  const { stdout, stderr } = await promisify(execFile)('sh', ['-e', '-c', commands], {
    cwd: repositoryRoot,
    env: { ...rest, PATH: `${bin}:${PATH}`, KUBECONFIG: kubeconfig, HOME: folder.path },
    timeout: 100_000,
  })
  return `${stdout}\n${stderr}`
}
