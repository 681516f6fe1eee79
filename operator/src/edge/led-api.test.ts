// A process that stood still past its deadline, with answers waiting that would have it go on writing.
import { expect, it } from 'vitest'
import { startElection, step, leads, type Election, type ElectionSettings } from '@citypresence/chassis/core/election'
import { readLease, type LeaseRecord } from '@citypresence/chassis/core/lease-record'
import type { KubeObject } from '../core/kube-object.ts'
import type { KubeApi } from './kube-api.ts'
import { whileLeading } from './led-api.ts'

const settings: ElectionSettings = {
  ...{ me: 'me', leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000, foreignLeaseMsMax: 25_000 },
  ...{ fenced: false, jitter01: 0 },
}
const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'first' } }

function record(spec: Record<string, unknown>): LeaseRecord {
  const read = readLease({ metadata: { resourceVersion: '1' }, spec })
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

/** Leads since 0; no timer has come since. */
function leader(): Election {
  let election = startElection(0)
  const free = record({ leaseTransitions: 1 })
  const mine = record({ holderIdentity: 'me', leaseTransitions: 2 })
  for (const event of [{ kind: 'tick' }, { kind: 'read', record: free }, { kind: 'written', record: mine }] as const)
    election = step(election, event, settings, 0).election
  return election
}

it('[OC7] who stood still past the deadline writes nothing, though no timer has told it yet; reading goes on', async () => {
  const election = leader()
  const asked: string[] = []
  const note = (name: string) => () => {
    asked.push(name)
    return Promise.resolve(object)
  }
  const raw = {
    ...{ get: note('get'), apply: note('apply'), applyStatus: note('status'), create: note('create') },
    delete: () => note('delete')().then(() => true),
  } as unknown as KubeApi
  let nowMs = 9_999
  const api = whileLeading(raw, () => leads(election, settings, nowMs))
  const writeAll = () =>
    Promise.allSettled([
      api.apply(object),
      api.applyStatus(object),
      api.create(object),
      api.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'town', name: 'first', uid: 'u' }),
    ])
  await writeAll()
  expect(asked.splice(0)).toEqual(['apply', 'status', 'create', 'delete'])
  nowMs = 10_000
  for (const one of await writeAll())
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'LeadershipLost' } })
  await api.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'town', name: 'first' })
  expect(asked).toEqual(['get'])
})
