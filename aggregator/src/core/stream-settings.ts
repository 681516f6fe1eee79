// How a fenced stream has to be made, and in which field one that is there differs. Pure.

export type StreamWish = {
  readonly name: string
  readonly prefix: string
  readonly kind: 'rooms' | 'users'
  readonly replicas: number
}

const intake = { rooms: ['room.>', 'epoch', 'beat'], users: ['user.>', 'uepoch'] }

/** In the form of the API. No age, number or size limit: each of them could throw out the epoch record, and the fence with it. */
export function wantedStream({ name, prefix, kind, replicas }: StreamWish) {
  return {
    name,
    subjects: intake[kind].map((tail) => `ingest.${prefix}.${tail}`),
    // Stored and read under the public subjects.
    subject_transform: { src: `ingest.${prefix}.>`, dest: `${prefix}.>` },
    // Heard only once it is stored: subscribers of the intake would hear what the fence refuses a moment later.
    republish: { src: `${prefix}.>`, dest: `${prefix}.>` },
    retention: 'limits',
    storage: 'file',
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    discard: 'new',
    allow_direct: true,
    allow_atomic: true,
    allow_msg_ttl: true,
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
  }
}

/** What the server leaves out of its answer has this value. */
const absent: Readonly<Record<string, unknown>> = { allow_rollup_hdrs: false, max_age: 0 }
// A grown cluster may hold more copies than a setting says; fewer are for its operator to judge.
const notCompared = new Set(['num_replicas'])

/** The first field that differs, with both values; undefined where the stream is as it has to be. */
export function differenceOf(
  wanted: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): string | undefined {
  const all = { ...wanted, subject_delete_marker_ttl: 0 }
  for (const [field, value] of Object.entries(all)) {
    if (notCompared.has(field)) continue
    const there = found[field] ?? absent[field] ?? (field === 'subject_delete_marker_ttl' ? 0 : undefined)
    if (!agrees(value, there)) return `${field} is ${JSON.stringify(there)}, and has to be ${JSON.stringify(value)}`
  }
  return undefined
}

/** Objects may have more fields than asked for; lists are compared as sets. */
function agrees(wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(found) && found.length === wanted.length && wanted.every((one) => found.includes(one))
  if (typeof wanted === 'object' && wanted !== null && typeof found === 'object' && found !== null)
    return Object.entries(wanted).every(([key, value]) => agrees(value, (found as Record<string, unknown>)[key]))
  return wanted === found
}
