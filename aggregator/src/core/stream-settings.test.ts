// Each setting of a fenced stream that matters, changed once: the difference is found and named.
import { describe, expect, it } from 'vitest'
import { differenceOf, wantedStream } from './stream-settings.ts'

const wanted: Record<string, unknown> = wantedStream({ name: 'S', prefix: 'city.presence', kind: 'rooms', replicas: 1 })
const users: Record<string, unknown> = wantedStream({ name: 'U', prefix: 'city.presence', kind: 'users', replicas: 1 })
// What nats-server 2.15 tells beside what it was asked for.
const told = {
  max_consumers: -1,
  max_msg_size: -1,
  duplicate_window: 120_000_000_000,
  compression: 'none',
  first_seq: 5_000,
  mirror_direct: false,
  sealed: false,
  consumer_limits: {},
  metadata: { '_nats.level': '5', '_nats.req.level': '2', '_nats.ver': '2.15.1' },
}

describe('the settings of a fenced stream', () => {
  it('[L11] agree with themselves, with what a server adds, and with what it leaves out', () => {
    expect(differenceOf(wanted, wanted)).toBeUndefined()
    expect(differenceOf(wanted, { ...wanted, ...told, num_replicas: 3 })).toBeUndefined()
    expect(differenceOf(wanted, { ...wanted, allow_rollup_hdrs: undefined, max_age: undefined })).toBeUndefined()
    const subjects = [...(wanted['subjects'] as string[])].reverse()
    expect(differenceOf(wanted, { ...wanted, subjects })).toBeUndefined()
  })

  it('[L11] what is never asked for may be left out, or said to be as it has to be', () => {
    const said = { mirror: null, sources: [], no_ack: false, discard_new_per_subject: false, persist_mode: 'default' }
    const more = { allow_msg_counter: false, allow_msg_schedules: false, subject_delete_marker_ttl: 0 }
    expect(differenceOf(wanted, { ...wanted, ...told, ...said, ...more })).toBeUndefined()
    const republish = { ...(wanted['republish'] as object), headers_only: false }
    expect(differenceOf(wanted, { ...wanted, republish })).toBeUndefined()
  })

  it('[L11] where and how a server keeps it is for its operator to judge', () => {
    const kept = {
      placement: { cluster: 'c', tags: ['ssd'] },
      compression: 's2',
      duplicate_window: 1,
      description: 'ours',
    }
    const limits = { num_replicas: 5, max_consumers: 1, consumer_limits: { max_ack_pending: 5 }, metadata: { a: 'b' } }
    expect(differenceOf(wanted, { ...wanted, ...told, ...kept, ...limits })).toBeUndefined()
  })

  const others: readonly (readonly [string, unknown])[] = [
    ['name', 'OTHER'],
    ['subjects', ['ingest.city.presence.room.>']],
    ['subject_transform', { src: 'ingest.city.presence.>', dest: 'elsewhere.>' }],
    ['subject_transform', { src: 'ingest.city.presence.room.>', dest: 'city.presence.room.>' }],
    ['subject_transform', undefined],
    ['republish', undefined],
    ['republish', { src: 'city.presence.>', dest: 'city.presence.>', headers_only: true }],
    ['republish', { src: 'city.presence.>', dest: 'elsewhere.>' }],
    ['storage', 'memory'],
    ['retention', 'interest'],
    ['max_msgs_per_subject', 2],
    ['max_msgs', 1_000],
    ['max_bytes', 1_000_000],
    ['max_age', 60_000_000_000],
    ['discard', 'old'],
    ['allow_direct', false],
    ['allow_atomic', undefined],
    ['allow_msg_ttl', false],
    ['deny_delete', false],
    ['deny_purge', false],
    ['allow_rollup_hdrs', true],
    ['mirror', { name: 'ANOTHER' }],
    ['sources', [{ name: 'ANOTHER' }]],
    ['sealed', true],
    ['no_ack', true],
    ['discard_new_per_subject', true],
    ['max_msg_size', 1_000],
    ['allow_msg_counter', true],
    ['allow_msg_schedules', true],
    ['persist_mode', 'async'],
    ['subject_delete_marker_ttl', 60_000_000_000],
  ]
  it.each(others)('[L11] another %s is named, with what it is and what it has to be: %j', (field, value) => {
    for (const asked of [wanted, users]) {
      const difference = differenceOf(asked, { ...asked, ...told, [field]: value })
      expect(difference).toMatch(new RegExp(`^${field} is .*, and has to be `))
      expect(difference).toContain(`${field} is ${JSON.stringify(value)}, and`)
    }
  })

  it('[L11] a mirror is called one, though it has no subjects either', () => {
    const mirror = { ...wanted, subjects: undefined, subject_transform: undefined, mirror: { name: 'ANOTHER' } }
    expect(differenceOf(wanted, mirror)).toMatch(/^mirror is \{"name":"ANOTHER"\}, and has to be null$/)
  })

  it('[L11] where it is to be kept in memory, a file is what differs', () => {
    const fast = wantedStream({ name: 'S', prefix: 'p', kind: 'rooms', replicas: 1, storage: 'memory' })
    expect(differenceOf(fast, { ...fast, storage: 'file' })).toBe('storage is "file", and has to be "memory"')
  })

  it('[L11] users have their own intake, below the same prefix', () => {
    const others = wantedStream({ name: 'U', prefix: 'p', kind: 'users', replicas: 3 })
    expect(others.subjects).toEqual(['ingest.p.user.>', 'ingest.p.uepoch'])
    expect(others.num_replicas).toBe(3)
  })
})
