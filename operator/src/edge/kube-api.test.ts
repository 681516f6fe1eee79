import { afterEach, expect, it } from 'vitest'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import { kinds } from '../core/kube-kinds.ts'
import type { KubeObject } from '../core/kube-object.ts'
import { openApiOnDouble, turnUntil, type ApiOnDouble } from '../testing/api-double.ts'
import type { KubeApiOptions } from './kube-api.ts'
import { KubeError } from './kube-errors.ts'

let on: ApiOnDouble
afterEach(() => on.stop())
const open = async (options: Partial<KubeApiOptions> = {}): Promise<ApiOnDouble> =>
  (on = await openApiOnDouble(options))

const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'city', name: 'rooms' }
const rooms: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'rooms', namespace: 'city' },
  data: { a: '1' },
}
const failureOf = async (work: Promise<unknown>): Promise<KubeError> => {
  try {
    await work
  } catch (error) {
    if (error instanceof KubeError) return error
    throw error
  }
  throw new Error('it went well')
}

it('[OA1] fifty calls are made on a few connections that stay', async () => {
  const { api, double } = await open()
  for (let call = 0; call < 25; call++) await api.get(ref)
  await Promise.all(Array.from({ length: 25 }, () => api.get(ref)))
  expect(double.requests).toHaveLength(50)
  expect(double.connections()).toBeLessThanOrEqual(8)
})

it('[OA3] what the server wants to rest from nobody asks before its time, whoever it is', async () => {
  const clock = createFakeClock()
  const { api, double } = await open({ clock })
  double.fail({ verb: 'get' }, { status: 429, reason: 'TooManyRequests', headers: { 'retry-after': '3' } })
  expect(await failureOf(api.get(ref))).toMatchObject({ code: 'KubeBusy', failure: { quietMs: 3_000, status: 429 } })
  const later = api.apply(rooms)
  await clock.advance(2_999)
  expect(double.requests).toHaveLength(1)
  await clock.advance(1)
  await later
  expect(double.requests).toHaveLength(2)
})

it('[OA3] requests go at their rate', async () => {
  const clock = createFakeClock()
  const { api, double } = await open({ clock, rate: { perS: 10, burst: 2 } })
  const all = [1, 2, 3, 4].map(() => api.get(ref))
  await turnUntil('the burst', clock, () => double.requests.length === 2, { stepMs: 0 })
  await clock.advance(99)
  expect(double.requests).toHaveLength(2)
  await turnUntil('the third', clock, () => double.requests.length === 3, { stepMs: 1, turnsMax: 60 })
  await turnUntil('the last', clock, () => double.requests.length === 4, { stepMs: 10 })
  await Promise.all(all)
})

it('[OA1] a token that is not known any more is read again once', async () => {
  const { api, double, renewToken, calls } = await open()
  double.changeToken('the-next-token')
  expect(await failureOf(api.get(ref))).toMatchObject({ code: 'KubeForbidden', failure: { status: 401 } })
  expect(double.requests.map(({ status }) => status)).toEqual([401, 401])
  renewToken()
  expect(await api.apply(rooms)).toMatchObject({ data: { a: '1' } })
  expect(calls).toEqual(['get 401', 'apply ok'])
})

it('[OA5] a server that says nothing is given up after its time, and the next request is well', async () => {
  const clock = createFakeClock()
  const { api, double, calls } = await open({ clock })
  double.fail({ verb: 'get' }, 'hang')
  const hanging = failureOf(api.get(ref))
  await turnUntil('the request', clock, () => double.requests.length === 1, { stepMs: 0 })
  await clock.advance(10_000)
  expect(await hanging).toMatchObject({
    code: 'KubeUnreachable',
    message: expect.stringContaining('HttpTimeout') as string,
  })
  expect(await api.get(ref)).toBeUndefined()
  expect(calls).toEqual(['get KubeUnreachable', 'get 404'])
})

it('[OA5] every way to break off has its word, and what was carried out was carried out', async () => {
  const { api, double } = await open()
  const words: Record<string, string> = {}
  for (const fault of ['cut', 'lose-answer', 'truncate', 'garbage'] as const) {
    double.fail({ verb: 'apply' }, fault)
    const object = { ...rooms, metadata: { ...rooms.metadata, name: fault } }
    words[fault] = (await failureOf(api.apply(object))).code
    expect((await api.get({ ...ref, name: fault })) !== undefined).toBe(fault !== 'cut')
  }
  expect(words).toEqual({
    cut: 'KubeUnreachable',
    'lose-answer': 'KubeUnreachable',
    truncate: 'KubeUnreachable',
    garbage: 'KubeGarbled',
  })
  for (const [status, word] of [
    [500, 'KubeUnreachable'],
    [403, 'KubeForbidden'],
    [422, 'KubeRefused'],
    [409, 'KubeConflict'],
  ] as const) {
    double.fail({ verb: 'apply' }, { status })
    expect((await failureOf(api.apply(rooms))).code).toBe(word)
  }
})

it('[OA2] an error says method, path and the sentence of the server, and neither token nor body', async () => {
  const { api, double } = await open()
  double.fail({ verb: 'apply' }, { status: 422, reason: 'Invalid' })
  const error = await failureOf(api.apply({ ...rooms, data: { secret: 'body-of-the-request' } }))
  expect(error.message).toBe('PATCH /api/v1/namespaces/city/configmaps/rooms: 422 Invalid: as it was told')
  expect(JSON.stringify([error, error.cause, error.stack])).not.toMatch(/body-of-the-request|a-token/)
})

it('[OA5] who does not want the answer any more gets none', async () => {
  const { api, double, calls } = await open()
  double.fail({ verb: 'get' }, 'hang')
  const abort = new AbortController()
  const hanging = failureOf(api.get(ref, abort.signal))
  abort.abort()
  expect((await hanging).code).toBe('Aborted')
  expect((await failureOf(api.get(ref, abort.signal))).code).toBe('Aborted')
  expect(calls).toEqual([])
})

it('[OA6] of a Secret its keys are told, and whether anybody may ask', async () => {
  const { api, double } = await open()
  expect(await api.secretKeys('city', 'matrix')).toBe('missing')
  double.store.write(
    { plural: 'secrets', namespace: 'city', name: 'matrix' },
    { metadata: {}, data: { access_token: 'c2VjcmV0' } },
    'kubectl',
  )
  expect(await api.secretKeys('city', 'matrix')).toEqual(['access_token'])
  double.fail({ plural: 'secrets' }, { status: 403 })
  expect(await api.secretKeys('city', 'matrix')).toBe('unknown')
  await expect(api.get({ ...ref, kind: 'Node' })).rejects.toMatchObject({ code: 'KubeRefused' })
})

it('[OA4] a watch that ends within a character, in rubbish or with an error is a failure, each by its word', async () => {
  const { api, double } = await open()
  const words: string[] = []
  for (const trouble of ['cut-mid-line', 'torn-character', 'garbage', 'gone'] as const) {
    const watching = failureOf(
      api.watch(
        kinds.ConfigMap,
        { namespace: 'city', labelSelector: undefined },
        {
          version: String(double.store.version),
          timeoutS: 60,
          onEvent: () => undefined,
          onActivity: () => undefined,
          signal: new AbortController().signal,
        },
      ),
    )
    while (double.watches() === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    double.trouble(trouble)
    words.push((await watching).code)
    while (double.watches() > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(words).toEqual(['KubeUnreachable', 'KubeGarbled', 'KubeGarbled', 'KubeGone'])
})
