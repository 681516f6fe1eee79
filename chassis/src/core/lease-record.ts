// A Lease (coordination.k8s.io/v1) as the election sees it, from the API server's JSON and back.
//
//   JSON -> readLease -> { version, holder, transitions, duration, stamp } ... election ... -> leaseWith(change) -> JSON
//
// Its fields are anybody's to edit, so nothing in them is trusted: what is not a sensible number is read as not given. Its times
// are never parsed (other machines' clocks wrote them); they count only as "this differs from what was there before".
// A write sends back the whole object that was read, so that nobody's labels, owners or strategy are lost.
import { microTime } from './micro-time.ts'
import { accept, refuse, type Result } from './result.ts'

export type LeaseRecord = {
  /** The resourceVersion: opaque, and the condition under which a write is taken. */
  readonly version: string
  /** Empty when nobody holds it. */
  readonly holder: string
  readonly transitions: number
  readonly durationMs: number | undefined
  /** All that a holder writes, as text: two that are equal mean that nobody wrote in between. */
  readonly stamp: string
  /** The object as the server sent it. */
  readonly body: Readonly<Record<string, unknown>>
}

export type LeaseChange = {
  readonly holder: string
  readonly transitions: number
  readonly durationS: number
  /** A new holding begins: it gets its own acquireTime. */
  readonly acquires: boolean
}

// What the API's int32 holds.
const transitionsMax = 2 ** 31 - 1
// A leader of ours may begin at the seconds since 2020 (aggregator/core/lease-terms), which come here in 2054. What is above was written
// by somebody who does not count: were it believed, the int32 would soon be full, and nobody's term could be told from the next one's.
export const transitionsBelievedMax = 2 ** 30

export function readLease(json: unknown): Result<LeaseRecord> {
  if (!isObject(json) || !isObject(json['metadata'])) return refuse('is no object with metadata')
  const version = json['metadata']['resourceVersion']
  if (typeof version !== 'string' || version === '') return refuse('has no resourceVersion')
  const spec = isObject(json['spec']) ? json['spec'] : {}
  const { holderIdentity, leaseTransitions, leaseDurationSeconds, acquireTime, renewTime } = spec
  return accept({
    version,
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    transitions: wholeIn(0, transitionsBelievedMax, leaseTransitions) ?? 0,
    durationMs: times1000(wholeIn(1, Number.MAX_SAFE_INTEGER, leaseDurationSeconds)),
    stamp: JSON.stringify([holderIdentity, leaseTransitions, leaseDurationSeconds, acquireTime, renewTime]),
    body: json,
  })
}

/** The object to send: what was read, with the holder's fields changed. */
export function leaseWith(record: LeaseRecord, change: LeaseChange, wallMs: number): Record<string, unknown> {
  const spec = isObject(record.body['spec']) ? record.body['spec'] : {}
  const now = microTime(wallMs)
  const { acquireTime } = spec
  return {
    ...record.body,
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    spec: {
      ...spec,
      holderIdentity: change.holder,
      leaseDurationSeconds: change.durationS,
      leaseTransitions: Math.min(change.transitions, transitionsMax),
      renewTime: now,
      acquireTime: change.acquires || typeof acquireTime !== 'string' ? now : acquireTime,
    },
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wholeIn = (min: number, max: number, value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined

const times1000 = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * 1000)
