// Each setting of a fenced stream that matters, changed once: the difference is found and named.
import { describe, expect, it } from 'vitest'
import { differenceOf, wantedStream } from './stream-settings.ts'

const wanted: Record<string, unknown> = wantedStream({ name: 'S', prefix: 'city.presence', kind: 'rooms', replicas: 1 })

describe('the settings of a fenced stream', () => {
  it('[L11] agree with themselves, with what a server adds, and with what it leaves out', () => {
    expect(differenceOf(wanted, wanted)).toBeUndefined()
    const served = { ...wanted, first_seq: 5, compression: 'none', metadata: { '_nats.ver': '2.15' }, num_replicas: 3 }
    expect(differenceOf(wanted, served)).toBeUndefined()
    expect(differenceOf(wanted, { ...wanted, allow_rollup_hdrs: undefined, max_age: undefined })).toBeUndefined()
    const subjects = [...(wanted['subjects'] as string[])].reverse()
    expect(differenceOf(wanted, { ...wanted, subjects })).toBeUndefined()
  })

  const others: Record<string, unknown> = {
    subjects: ['ingest.city.presence.room.>'],
    subject_transform: { src: 'ingest.city.presence.>', dest: 'elsewhere.>' },
    republish: undefined,
    storage: 'memory',
    max_msgs_per_subject: 2,
    max_msgs: 1_000,
    max_bytes: 1_000_000,
    max_age: 60_000_000_000,
    discard: 'old',
    allow_direct: false,
    allow_atomic: undefined,
    allow_msg_ttl: false,
    deny_delete: false,
    deny_purge: false,
    allow_rollup_hdrs: true,
    retention: 'interest',
    subject_delete_marker_ttl: 60_000_000_000,
  }
  it.each(Object.entries(others))('[L11] another %s is named', (field, value) => {
    expect(differenceOf(wanted, { ...wanted, [field]: value })).toMatch(new RegExp(`^${field} is .*, and has to be `))
  })

  it('[L11] users have their own intake, below the same prefix', () => {
    const users = wantedStream({ name: 'U', prefix: 'p', kind: 'users', replicas: 3 })
    expect(users.subjects).toEqual(['ingest.p.user.>', 'ingest.p.uepoch'])
    expect(users.num_replicas).toBe(3)
  })
})
