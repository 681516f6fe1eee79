// What an election relies on about a Lease at the API, as one suite for the double and for a real kube-apiserver; the edge of chassis
// runs on both as it is. Each test has a Lease of its own, and exactly the rights that an aggregator gets.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { KubeAccess } from '@citypresence/chassis/core/kubeconfig'
import type { LeaseRecord } from '@citypresence/chassis/core/lease-record'
import { openKubeDoor } from '@citypresence/chassis/edge/kube-door'
import { openKubeLease, type Lease } from '@citypresence/chassis/edge/kube-lease'
import { createHttpClient, type HttpClient } from '@citypresence/chassis/edge/http-client'
import { until } from '@citypresence/stack/until'

export type LeaseApi = {
  /** With get, update and watch on the Lease `city-presence`. */
  readonly access: KubeAccess
  readonly namespace: string
  makeLease(spec?: Record<string, unknown>): Promise<unknown>
  scribble(spec: Record<string, unknown>): Promise<unknown>
  deleteLease(): Promise<unknown>
}

const name = 'city-presence'
const deadlineMs = 10_000
const mine = { holder: 'pod-a_1', transitions: 1, durationS: 6, acquires: true }

export function kubeLeaseContract(
  server: string,
  start: () => Promise<{ next(): Promise<LeaseApi>; stop(): Promise<void> }>,
): void {
  describe(`a Lease on ${server}`, () => {
    let all: Awaited<ReturnType<typeof start>>
    let api: LeaseApi
    let lease: Lease
    let http: HttpClient
    const ends: (() => unknown)[] = []
    beforeAll(async () => {
      all = await start()
    })
    afterAll(() => all.stop())
    beforeEach(async () => {
      api = await all.next()
      lease = open(api.access)
      http = createHttpClient({ userAgent: 'test', ca: api.access.ca })
      ends.push(() => http.close())
      return async () => {
        for (const end of ends.splice(0)) await end()
      }
    })

    function open(access: KubeAccess): Lease {
      const one = openKubeLease({
        door: openKubeDoor({ access, userAgent: 'test' }),
        namespace: api.namespace,
        name,
        timeoutMs: 5_000,
        idleMs: 60_000,
      })
      ends.push(() => one.close())
      return one
    }

    async function read(): Promise<LeaseRecord> {
      const answer = await lease.read()
      if (answer.kind === 'failed') throw answer.error
      if (answer.record === undefined) throw new Error('no Lease')
      return answer.record
    }

    /** Everything that a watch tells, from now on. */
    function watch(): { readonly told: (LeaseRecord | undefined)[]; readonly ended: Promise<void> } {
      const told: (LeaseRecord | undefined)[] = []
      const stop = new AbortController()
      const ended = lease.watch((record) => told.push(record), stop.signal)
      ended.catch(() => undefined)
      ends.unshift(() => {
        stop.abort()
        return ended
      })
      return { told, ended }
    }

    /** As our edge does, but whatever one likes. */
    async function ask(
      method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH',
      path: string,
      body?: unknown,
    ): Promise<number> {
      const { server: url, token } = api.access
      const text = token !== undefined && 'text' in token ? token.text : ''
      const answer = await http.request(
        `${url}/apis/coordination.k8s.io/v1/namespaces/${api.namespace}/leases${path}`,
        {
          method,
          headers: {
            authorization: `Bearer ${text}`,
            'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          timeoutMs: 5_000,
          maxBytes: 1_000_000,
        },
      )
      return answer.status
    }

    it('[E11] one that is not there is no failure, and a write to one that is gone is refused', async () => {
      expect(await lease.read()).toEqual({ kind: 'read', record: undefined })
      await api.makeLease()
      const record = await read()
      await api.deleteLease()
      expect(await lease.write(record, mine)).toEqual({ kind: 'refused' })
    })

    it('[E11] a write is taken under the version that was read, and under no older one', async () => {
      await api.makeLease()
      const free = await read()
      expect(free).toMatchObject({ holder: '', transitions: 0, durationMs: undefined })
      const written = await lease.write(free, mine)
      expect(written).toMatchObject({
        kind: 'written',
        record: { holder: 'pod-a_1', transitions: 1, durationMs: 6_000 },
      })
      expect(await read()).toEqual(written.kind === 'written' ? written.record : undefined)
      expect(await lease.write(free, { ...mine, holder: 'pod-b_2' })).toEqual({ kind: 'refused' })
      expect((await read()).holder).toBe('pod-a_1')
    })

    it('[E11] twenty that write at once under one version: one is taken', async () => {
      await api.makeLease()
      const free = await read()
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, index) => lease.write(free, { ...mine, holder: `pod-${index}` })),
      )
      expect(all.filter(({ kind }) => kind === 'written')).toHaveLength(1)
      expect(all.filter(({ kind }) => kind === 'refused')).toHaveLength(19)
    })

    it('[E9] it can be let go: nobody holds it, for a second, and the transitions stay', async () => {
      await api.makeLease()
      const written = await lease.write(await read(), { ...mine, transitions: 7 })
      if (written.kind !== 'written') throw new Error(written.kind)
      const released = { holder: '', transitions: 7, durationS: 1, acquires: false }
      expect(await lease.write(written.record, released)).toMatchObject({
        kind: 'written',
        record: { holder: '', transitions: 7 },
      })
    })

    it('[E10] stamps of three digits are refused, ours are taken; nonsense that the API lets in is read as not given', async () => {
      await api.makeLease({ holderIdentity: 'a stranger' })
      const { body, version } = await read()
      const spec = { holderIdentity: 'a', renewTime: '2026-01-01T00:00:00.123Z' }
      expect(await ask('PUT', `/${name}`, { ...body, spec })).toBe(400)
      expect(await ask('PUT', `/${name}`, { ...body, metadata: { name } })).toBe(422) // under no version at all
      expect((await read()).version).toBe(version)
      expect(await read()).toMatchObject({ holder: 'a stranger', transitions: 0, durationMs: undefined })
      expect((await lease.write(await read(), mine)).kind).toBe('written')
    })

    it('[E10] transitions that fill the int32 are no end: the write is taken', async () => {
      await api.makeLease({ leaseTransitions: 2 ** 31 - 1, holderIdentity: 'x', leaseDurationSeconds: 2 ** 31 - 1 })
      const written = await lease.write(await read(), { ...mine, transitions: 2 ** 31 })
      expect(written).toMatchObject({ kind: 'written', record: { body: { spec: { leaseTransitions: 2 ** 31 - 1 } } } })
    })

    it('[E12] a watch tells what there is, and then each change, deletion and return', async () => {
      await api.makeLease({ holderIdentity: 'x', leaseDurationSeconds: 6 })
      const { told } = watch()
      const hears = (count: number) =>
        until(() => told.length >= count, { deadlineMs, what: `${count} words of the watch` })
      await hears(1)
      expect(told[0]).toMatchObject({ holder: 'x' })
      const written = await lease.write(await read(), mine)
      await hears(2)
      expect(told[1]).toEqual(written.kind === 'written' ? written.record : undefined)
      await api.deleteLease()
      await hears(3)
      expect(told[2]).toBeUndefined()
      await api.makeLease()
      await hears(4)
      expect(told[3]).toMatchObject({ holder: '' })
    })

    it('[E12] a watch may begin before there is a Lease', async () => {
      const { told } = watch()
      await api.makeLease({ holderIdentity: 'x' })
      await until(() => told.at(-1)?.holder === 'x', { deadlineMs, what: 'the Lease to be told' })
    })

    it('[E13] get, update and watch on the one Lease are all that is needed, and all there is', async () => {
      await api.makeLease()
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '?watch=true&timeoutSeconds=1'],
        ['GET', '?fieldSelector=metadata.name%3Dcity-presence'],
        ['GET', '/another'],
        ['PUT', '/another'],
        ['POST', ''],
        ['DELETE', `/${name}`],
        ['PATCH', `/${name}`],
      ] as const)
        expect([method, path, await ask(method, path, method === 'GET' ? undefined : {})]).toEqual([method, path, 403])
    })

    it('[E13] a token that is refused, and a server that is not there, have their own words', async () => {
      await api.makeLease()
      const record = await read()
      const stranger = open({ ...api.access, token: { text: 'no.such.token' } })
      const code = (word: string) => ({ kind: 'failed', error: { code: word } })
      expect(await stranger.read()).toMatchObject(code('LeaseForbidden'))
      expect(await stranger.write(record, mine)).toMatchObject(code('LeaseForbidden'))
      await expect(stranger.watch(() => undefined, new AbortController().signal)).rejects.toMatchObject({
        code: 'LeaseForbidden',
      })
      const nowhere = open({ ...api.access, server: 'https://127.0.0.1:9' })
      expect(await nowhere.read()).toMatchObject(code('LeaseUnreachable'))
    })
  })
}
