// The double keeps the contract that a real kube-apiserver keeps, and has the troubles that only a double can be told to have.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKubeDoor } from '@citypresence/chassis/edge/kube-door'
import { openKubeLease, quietMsOf, type Lease } from '@citypresence/chassis/edge/kube-lease'
import { until } from '@citypresence/stack/until'
import { kubeLeaseContract } from './kube-lease.contract.ts'
import { startKubeLeaseDouble, type KubeLeaseDouble } from './kube-lease.ts'

const name = 'city-presence'
const accessOf = ({ url, namespace, token }: KubeLeaseDouble) => ({
  server: url,
  namespace,
  ca: undefined,
  client: undefined,
  token: { text: token },
})

kubeLeaseContract('the double', () => {
  const doubles: KubeLeaseDouble[] = []
  return Promise.resolve({
    async next() {
      const double = await startKubeLeaseDouble(name)
      doubles.push(double)
      return {
        access: accessOf(double),
        namespace: double.namespace,
        makeLease: (spec) => Promise.resolve(double.make(name, spec)),
        scribble: (spec) => Promise.resolve(double.scribble(name, spec)),
        deleteLease: () => Promise.resolve(double.remove(name)),
      }
    },
    async stop() {
      for (const double of doubles) await double.stop()
    },
  })
})

describe('a Lease in trouble', () => {
  let double: KubeLeaseDouble
  let lease: Lease
  beforeEach(async () => {
    double = await startKubeLeaseDouble(name)
    double.make(name)
    lease = openKubeLease({
      door: openKubeDoor({ access: accessOf(double), userAgent: 'test' }),
      namespace: double.namespace,
      name,
      timeoutMs: 300,
      idleMs: 200,
    })
  })
  afterEach(async () => {
    await lease.close()
    await double.stop()
  })

  it.each([
    'hang',
    'cut',
    'garbage',
    { status: 500 },
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 503 },
  ] as const)('[E13] %j is a failure with a word, in time, and the next request is well', async (fault) => {
    double.fail('GET', fault)
    expect(await lease.read()).toMatchObject({ kind: 'failed', error: { code: 'LeaseUnreachable' } })
    expect((await lease.read()).kind).toBe('read')
  })

  it.each([
    [{ status: 429, headers: { 'retry-after': '7' } }, 7_000],
    [{ status: 503, headers: { 'retry-after': '1' } }, 1_000],
    [{ status: 429 }, 0],
    [{ status: 429, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } }, 0],
    [{ status: 429, headers: { 'retry-after': '-1' } }, 0],
  ])('[E4] %j asks for %i ms of silence, of a watch as of a read', async (fault, quietMs) => {
    double.fail('GET', fault)
    double.fail('WATCH', fault)
    const read = await lease.read()
    expect(read.kind === 'failed' && quietMsOf(read.error)).toBe(quietMs)
    const watched = await lease.watch(() => undefined, new AbortController().signal).catch((error: unknown) => error)
    expect(quietMsOf(watched)).toBe(quietMs)
  })

  it('[E13] a write whose answer is lost is a failure, though it was stored', async () => {
    const read = await lease.read()
    if (read.kind === 'failed' || read.record === undefined) throw new Error('no Lease')
    double.fail('PUT', 'lose-answer')
    const change = { holder: 'a', transitions: 1, durationS: 6, acquires: true }
    expect((await lease.write(read.record, change)).kind).toBe('failed')
    expect(double.lease()?.spec).toMatchObject({ holderIdentity: 'a' })
  })

  it('[E12] a watch on which nothing moves ends, so that it can be opened anew; one that is cut fails', async () => {
    const told: unknown[] = []
    const never = new AbortController().signal
    await lease.watch((record) => told.push(record), never)
    expect(told).toHaveLength(1)
    double.remove(name)
    await lease.watch((record) => told.push(record), never) // not a word from its beginning
    expect(told).toHaveLength(1)
    double.make(name)
    const cut = lease.watch((record) => told.push(record), never)
    await until(() => told.length === 2, { deadlineMs: 5_000, what: 'the second watch' })
    double.endWatches('cut')
    await expect(cut).rejects.toMatchObject({ code: 'LeaseUnreachable' })
  })
})

describe('a server that says what it should not', () => {
  const of = (other: string): string =>
    JSON.stringify({ type: 'MODIFIED', object: { metadata: { name: other, resourceVersion: '1' }, spec: {} } })

  /** Asks, of a server that answers every request like this. */
  async function against<T>(
    answer: (response: ServerResponse) => unknown,
    ask: (lease: Lease) => Promise<T>,
  ): Promise<T> {
    const server = createServer((_, response) => void answer(response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const access = { server: url, namespace: 'city', ca: undefined, client: undefined, token: undefined }
    const door = openKubeDoor({ access, userAgent: 'test' })
    const lease = openKubeLease({ door, namespace: 'city', name, timeoutMs: 1_000, idleMs: 500 })
    try {
      return await ask(lease)
    } finally {
      await lease.close()
      server.closeAllConnections()
      server.close()
    }
  }

  const watchOf = (text: string) =>
    against(
      (response) => response.writeHead(200).write(text),
      async (lease) => {
        const told: unknown[] = []
        const watching = lease.watch((record) => told.push(record), new AbortController().signal)
        const error = await watching.then(
          () => undefined,
          (failure: unknown) => failure,
        )
        return { told, error }
      },
    )

  it('[E12] a Lease of another name is not ours, whatever was asked for', async () => {
    const { told, error } = await watchOf(`${of('another')}\n${of(name)}\n`)
    expect([told.length, error]).toEqual([1, undefined])
  })

  it.each([
    ['an error, as when what was watched is too old', '{"type":"ERROR","object":{"kind":"Status","code":410}}\n'],
    ['a line that is no JSON', '{"type":\n'],
    ['a line without end', 'x'.repeat(2_000_000)],
  ])('[E12] %s ends the watch, and it is opened anew', async (_, text) => {
    expect((await watchOf(text)).error).toMatchObject({ code: 'LeaseUnreachable' })
  })

  it('[E13] of a foreign text no more than a few words are said again', async () => {
    const text = JSON.stringify({ reason: 'Forbidden', message: 'no '.repeat(1_000) })
    const answer = await against(
      (response) => response.writeHead(403, { 'content-type': 'application/json' }).end(text),
      (lease) => lease.read(),
    )
    expect(answer).toMatchObject({ kind: 'failed', error: { code: 'LeaseForbidden' } })
    expect(answer.kind === 'failed' && answer.error.message.length).toBeLessThan(400)
  })
})
