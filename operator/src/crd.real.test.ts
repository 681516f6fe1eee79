// The resource as a real API server takes it: limits, rules, defaults, columns. What is tried is walked from the schema itself, so
// that a new field, limit or rule without its cases is a red test.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startKubeApiServer, type KubeAnswer, type KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { stopAll } from '@citypresence/stack/stop-all'
import { until } from '@citypresence/stack/until'
import { cityPresence, type WrittenCityPresence } from './core/city-presence.ts'
import { printerColumns } from './core/crd.ts'
import { firstCity } from './core/example-city.ts'
import { withDefaults } from './core/read-object.ts'
import type { OpenApi } from './core/schema.ts'
import { causesOf, citiesPath, installCrd } from './testing/api-of.ts'
import { fourthCity, fullCity, otherCity, thirdCity } from './testing/full-city.ts'
import { breaches, type Breach } from './testing/rule-breaches.ts'
import { pathText, placesIn, rulesIn, schemaPath, withAt, type Place } from './testing/schema-walk.ts'

const cities = { first: firstCity, full: fullCity, other: otherCity, third: thirdCity, fourth: fourthCity }
const specSchema = cityPresence.openapi.properties?.['spec'] ?? {}

let server: KubeApiServer
beforeAll(async () => {
  server = await startKubeApiServer()
  await installCrd(server)
})
afterAll(() => stopAll(server))

const propose = (city: unknown): Promise<KubeAnswer> =>
  server.ask('POST', `${citiesPath}?dryRun=All&fieldValidation=Strict`, city)

/** Eight at a time: as many as the API server answers without making the others wait. */
async function each<T>(all: readonly T[], ask: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all]
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await ask(one)
  }
  await Promise.all(Array.from({ length: 8 }, work))
}

async function openApiOf(): Promise<OpenApi | undefined> {
  const { body } = await server.ask('GET', '/openapi/v3/apis/presence.daarion.city/v1alpha1')
  const { schemas = {} } = (body['components'] ?? {}) as { readonly schemas?: Readonly<Record<string, OpenApi>> }
  return schemas['city.daarion.presence.v1alpha1.CityPresence']
}

it('[API2] the CRD is taken, its rules are cheap enough, and every field explains itself', async () => {
  // Published a moment after the resource is served.
  const published = await until(openApiOf, { deadlineMs: 20_000, what: 'the OpenAPI of the resource' })
  const explained = published.properties?.['spec']
  const silent = Object.values(cities).flatMap((city) =>
    placesIn(explained ?? {}, city.spec, ['spec'])
      .filter(({ schema }) => (schema.description ?? '') === '')
      .map(({ path }) => pathText(path)),
  )
  expect(silent).toEqual([])
  expect(explained?.properties?.['matrix']?.description).toContain('homeserver')
})

it('[API3] a city that says something about every field is taken, by each way that there is', async () => {
  for (const [name, city] of Object.entries(cities)) {
    const { status, body } = await propose(city)
    expect(status, `${name}: ${String(body['message'])}`).toBe(201)
  }
  const said = new Set(
    Object.values(cities).flatMap((city) =>
      placesIn(specSchema, city.spec)
        .filter(({ value }) => value !== undefined)
        .map(({ path }) => schemaPath(pathText(path))),
    ),
  )
  const silent = placesIn(specSchema, undefined).map(({ path }) => schemaPath(pathText(path)))
  // Below a map there is any key.
  expect(silent.filter((path) => !said.has(path) && !path.endsWith('.key'))).toEqual([])
})

/** The whole object has no name in a message. */
const placeOf = (field: string): string => (field === '<nil>' ? '' : schemaPath(field))

it('[API3] every rule refuses what breaks it, with its sentence, at its field', async () => {
  const broken = new Set<string>()
  await each(breaches, async ({ city, change, at, says }: Breach) => {
    const answer = await propose(
      change.reduce<unknown>((changed, [path, value]) => withAt(changed, path, value), cities[city]),
    )
    const found = causesOf(answer).find(({ field, message }) => field === at && message.includes(says))
    expect(found, `${at}: ${says}\n${JSON.stringify(answer.body['message'])}`).toBeDefined()
    for (const { path, rule } of rulesIn(cityPresence.openapi))
      if (placeOf(at) === `${path}${rule.fieldPath ?? ''}` && rule.message.startsWith(says))
        broken.add(`${path}: ${rule.message}`)
  })
  const onUpdate = (rule: string): boolean => rule.includes('oldSelf')
  const all = rulesIn(cityPresence.openapi).filter(({ rule }) => !onUpdate(rule.rule))
  expect(all.map(({ path, rule }) => `${path}: ${rule.message}`).filter((one) => !broken.has(one))).toEqual([])
})

it('[API4] every limit refuses what lies just beyond it, at its field, and nothing that lies on it', async () => {
  const tried = Object.entries(cities).flatMap(([name, city]) =>
    placesIn(specSchema, city.spec, ['spec']).flatMap((place) =>
      limitCases(place).map((one) => ({ ...one, ...place, name, city })),
    ),
  )
  expect(tried.length).toBeGreaterThan(500)
  const once = [...new Map(tried.map((one) => [`${schemaPath(pathText(one.path))} ${one.kind}`, one])).values()]
  await each(once, async ({ city, path, with: value, refused, kind }) => {
    const at = pathText(path)
    const answer = await propose(withAt(city, path, value))
    const limit = causesOf(answer).find(({ field, message }) => isAt(field, at) && limitWords.test(message))
    if (refused) expect(limit, `${at} ${kind}: ${String(answer.body['message'])}`).toBeDefined()
    else expect(limit, `${at} ${kind}`).toBeUndefined()
  })
})

const limitWords =
  /should be (?:less|greater) than|should have at|Unsupported value|may not be (?:more|longer)|Too (?:long|many|few)|must have at (?:least|most)|should be at least|should match|must be at least|Duplicate/
// A word that is not in an enum, a size and a pattern are told at the field; of a list sometimes at the item.
const isAt = (field: string, at: string): boolean => field === at || field.startsWith(`${at}[`)

type LimitCase = { readonly kind: string; readonly with: unknown; readonly refused: boolean }

function limitCases({ schema, value }: Place): readonly LimitCase[] {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties, enum: words } = schema
  const both = (kind: string, limit: number, beyond: number, make: (size: number) => unknown): LimitCase[] => [
    { kind, with: make(limit), refused: false },
    { kind: `beyond ${kind}`, with: make(beyond), refused: true },
  ]
  const text = (size: number): string =>
    (typeof value === 'string' ? value.padEnd(size, 'x') : 'x'.repeat(size)).slice(0, size)
  const list = (size: number): unknown[] =>
    Array.from({ length: size }, (_, index) =>
      distinct((value as readonly unknown[] | undefined)?.[0], index, schema.items?.enum),
    )
  const map = (size: number): unknown =>
    Object.fromEntries(Array.from({ length: size }, (_, index) => [`key${index}`, 'value']))
  return [
    ...(minimum === undefined ? [] : both('minimum', minimum, minimum - 1, (size) => size)),
    ...(maximum === undefined ? [] : both('maximum', maximum, maximum + 1, (size) => size)),
    ...(minLength === undefined ? [] : both('minLength', minLength, minLength - 1, text)),
    ...(maxLength === undefined || words !== undefined ? [] : both('maxLength', maxLength, maxLength + 1, text)),
    ...(minItems === undefined ? [] : both('minItems', minItems, minItems - 1, list)),
    ...(maxItems === undefined ? [] : both('maxItems', maxItems, maxItems + 1, list)),
    ...(maxProperties === undefined ? [] : both('maxProperties', maxProperties, maxProperties + 1, map)),
    ...(words ?? []).map((word) => ({ kind: word, with: word, refused: false })),
    ...(words === undefined ? [] : [{ kind: 'no such word', with: 'Sometimes', refused: true }]),
  ]
}

/** An item like another, and yet another one. */
function distinct(item: unknown, index: number, words?: readonly string[]): unknown {
  if (words !== undefined) return words[index % words.length]
  if (typeof item !== 'object' || item === null) return `${String(item)}${index}`
  return 'slug' in item ? { ...item, slug: `slug-${index}` } : item
}

it('[API5] what is left out is filled in as the types promise, and what is given comes back as it was', async () => {
  for (const city of Object.values(cities)) {
    const { body } = await propose(city)
    expect(body['spec']).toEqual(withDefaults(specSchema, city.spec))
  }
  expect((await propose(fullCity)).body['spec']).toMatchObject(fullCity.spec)
})

it('[API6] stream, prefix and storage are for ever; all else may change', async () => {
  const made = await server.ask('POST', citiesPath, { ...fullCity, metadata: { name: 'for-ever' } })
  expect(made.status).toBe(201)
  const path = `${citiesPath}/for-ever`
  const change = (at: Place['path'], value: unknown) =>
    server.ask('PUT', `${path}?dryRun=All`, withAt(made.body, at, value))
  for (const [name, value] of [
    ['name', 'ANOTHER'],
    ['subjectPrefix', 'town'],
    ['storage', 'Memory'],
  ] as const) {
    const answer = await change(['spec', 'nats', 'stream', name], value)
    expect(causesOf(answer)).toMatchObject([{ field: `spec.nats.stream.${name}`, reason: 'FieldValueForbidden' }])
    expect(causesOf(answer)[0]?.message).toContain('cannot be changed: make another CityPresence instead')
  }
  expect((await change(['spec'], { ...otherCity.spec, nats: fullCity.spec.nats })).status).toBe(200)
  // Taking the stream away means the default, which is another one.
  expect((await change(['spec', 'nats', 'stream'], undefined)).status).toBe(422)
  const old = await server.ask('GET', path)
  expect((await server.ask('PUT', `${path}?dryRun=All`, old.body)).status).toBe(200)
})

const badInputs: readonly (readonly [what: string, at: Place['path'], value: unknown, says: RegExp])[] = [
  ['no spec', ['spec'], undefined, /spec: Required value/],
  ['no homeserver', ['spec', 'matrix'], undefined, /spec.matrix: Required value/],
  ['no address', ['spec', 'matrix', 'homeserverURL'], undefined, /spec.matrix.homeserverURL: Required value/],
  ['no user', ['spec', 'matrix', 'userID'], undefined, /spec.matrix.userID: Required value/],
  ['no token', ['spec', 'matrix', 'accessTokenSecretRef'], undefined, /accessTokenSecretRef: Required value/],
  [
    'a Secret without a name',
    ['spec', 'matrix', 'accessTokenSecretRef'],
    { key: 'a' },
    /accessTokenSecretRef.name: Required value/,
  ],
  ['no rooms', ['spec', 'rooms'], undefined, /spec.rooms: Required value/],
  ['empty rooms', ['spec', 'rooms'], {}, /give exactly one of http and inline/],
  ['no NATS', ['spec', 'nats', 'servers'], undefined, /spec.nats.servers: Required value/],
  ['no gateway', ['spec', 'gateway'], undefined, /spec.gateway: Required value/],
  ['no door', ['spec', 'gateway', 'auth'], undefined, /spec.gateway.auth: Required value/],
  ['a list for an object', ['spec', 'matrix'], [], /spec.matrix in body must be of type object: "array"/],
  [
    'text for a number',
    ['spec', 'gateway', 'replicas'],
    '2',
    /spec.gateway.replicas in body must be of type integer: "string"/,
  ],
  [
    'a fraction',
    ['spec', 'gateway', 'replicas'],
    1.5,
    /spec.gateway.replicas in body must be of type (?:integer|int32): "(?:number|float64)"/,
  ],
  [
    'a number for text',
    ['spec', 'matrix', 'userID'],
    7,
    /spec.matrix.userID in body must be of type string: "integer"/,
  ],
  [
    'text for a list',
    ['spec', 'nats', 'servers'],
    'nats://a:4222',
    /spec.nats.servers in body must be of type array: "string"/,
  ],
  ['a secret itself', ['spec', 'matrix', 'accessToken'], 'syt_secret', /unknown field "spec.matrix.accessToken"/],
  ['a typing error', ['spec', 'gateway', 'replica'], 3, /unknown field "spec.gateway.replica"/],
  [
    'the same server twice',
    ['spec', 'nats', 'servers'],
    ['nats://a:4222', 'nats://a:4222'],
    /spec.nats.servers\[1\]: Duplicate value/,
  ],
  [
    'the same slug twice',
    ['spec', 'rooms', 'inline'],
    [
      { slug: 'a', matrixRoomID: '!a:b' },
      { slug: 'a', matrixRoomID: '!c:b' },
    ],
    /spec.rooms.inline\[1\]: Duplicate value/,
  ],
  [
    'half an amount',
    ['spec', 'gateway', 'resources'],
    { limits: { memory: 'lots' } },
    /spec.gateway.resources.limits.memory: .*must be an amount, as 1, 100m or 256Mi/,
  ],
]

it('[API7] whatever is missing, of another kind or unknown is refused by its name', async () => {
  await each(badInputs, async ([what, at, value, says]) => {
    const { status, body } = await propose(withAt(firstCity, at, value))
    expect(status, what).toBeGreaterThanOrEqual(400)
    expect(String(body['message']), what).toMatch(says)
  })
})

it('[API7] without a strict check an unknown field is dropped, and never kept', async () => {
  const { status, body } = await server.ask(
    'POST',
    `${citiesPath}?dryRun=All`,
    withAt(firstCity, ['spec', 'gateway', 'image'], 'evil:latest'),
  )
  expect(status).toBe(201)
  expect(JSON.stringify(body['spec'])).not.toContain('evil')
})

it('[API8] the columns show the status, and the status is not the spec', async () => {
  await server.ask('POST', citiesPath, { ...firstCity, metadata: { name: 'shown' } })
  const path = `${citiesPath}/shown`
  const { body } = await server.ask('GET', path)
  const ready = {
    type: 'Ready',
    status: 'True',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
    reason: 'AllComponentsReady',
    message: '12 rooms',
  }
  const status = {
    observedGeneration: 1,
    operatorVersion: '0.1.0',
    aggregator: { leader: 'shown-aggregator-0' },
    gateway: { replicas: 2, readyReplicas: 2, selector: 'a=b', url: 'wss://rt.example.org/ws/city/presence' },
    rooms: { count: 12, online: 340 },
    conditions: [ready],
  }
  const written = await server.ask('PUT', `${path}/status`, { ...body, status, spec: fullCity.spec })
  expect(written.body['spec']).toEqual(body['spec'])
  const shown = await server.ask('GET', path, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
  const table = shown.body as { columnDefinitions: { name: string; priority: number }[]; rows: { cells: unknown[] }[] }
  const cells = Object.fromEntries(
    table.columnDefinitions.map(({ name }, index) => [name, table.rows[0]?.cells[index]]),
  )
  expect(cells).toMatchObject({
    Name: 'shown',
    Ready: 'True',
    Rooms: 12,
    Online: 340,
    Gateways: 2,
    Leader: 'shown-aggregator-0',
    Reason: 'AllComponentsReady',
    Message: '12 rooms',
    URL: status.gateway.url,
    Version: '0.1.0',
  })
  expect(
    table.columnDefinitions.filter(({ name }) => name !== 'Name').map(({ name, priority }) => [name, priority]),
  ).toEqual(printerColumns.map(({ name, priority = 0 }) => [name, priority]))
})

it('[API8] kubectl scale reaches the gateways, within their limits', async () => {
  await server.ask('POST', citiesPath, { ...firstCity, metadata: { name: 'scaled' } })
  const path = `${citiesPath}/scaled`
  const scale = await server.ask('GET', `${path}/scale`)
  expect(scale.body).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } })
  expect((await server.ask('PUT', `${path}/scale`, { ...scale.body, spec: { replicas: 7 } })).status).toBe(200)
  expect((await server.ask('GET', path)).body).toMatchObject({ spec: { gateway: { replicas: 7 } } })
  const tooMany = await server.ask('PUT', `${path}/scale`, { ...scale.body, spec: { replicas: 501 } })
  expect(tooMany.status).toBeGreaterThanOrEqual(400)
})

it('[API3] a city may have the longest name, and only a name that a Service can have', async () => {
  const named = (name: string) => propose({ ...firstCity, metadata: { name } } satisfies WrittenCityPresence)
  expect((await named(`a${'-'.repeat(38)}z`)).status).toBe(201)
  for (const [name, says] of [
    [`a${'b'.repeat(40)}`, /at most 40 characters/],
    ['my.city', /small letters, digits and -/],
    ['1city', /begins with a letter/],
  ] as const)
    expect(String((await named(name)).body['message']), name).toMatch(says)
})
