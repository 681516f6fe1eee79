// How a fenced stream has to be made, and in which field one that is there differs. Pure.

export type StreamWish = {
  readonly name: string
  readonly prefix: string
  readonly kind: 'rooms' | 'users'
  readonly replicas: number
  readonly storage?: 'file' | 'memory' | undefined
}

const intake = { rooms: ['room.>', 'epoch', 'beat'], users: ['user.>', 'uepoch'] }

/** In the form of the API. No age, number or size limit: each of them could throw out the epoch record, and the fence with it. */
export function wantedStream({ name, prefix, kind, replicas, storage = 'file' }: StreamWish) {
  return {
    name,
    subjects: intake[kind].map((tail) => `ingest.${prefix}.${tail}`),
    // Stored and read under the public subjects.
    subject_transform: { src: `ingest.${prefix}.>`, dest: `${prefix}.>` },
    // Heard only once it is stored: subscribers of the intake would hear what the fence refuses a moment later.
    republish: { src: `${prefix}.>`, dest: `${prefix}.>` },
    retention: 'limits',
    storage,
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

/** What is never asked for and would break a promise, and the value it has to have. */
const never: Readonly<Record<string, unknown>> = {
  mirror: null, // Holds what another stream holds, whoever wrote it.
  sources: [], // Takes in what no fence has seen.
  sealed: false, // Takes nothing any more.
  no_ack: false, // Every write would stay unknown.
  discard_new_per_subject: false, // Refuses each second word about a room, and each second claim.
  max_msg_size: -1, // Refuses a room in which many people type.
  allow_msg_counter: false, // Takes sums, and no records.
  allow_msg_schedules: false, // The server itself writes then, without a fence.
  persist_mode: 'default', // Acknowledges otherwise what a loss of power takes.
  subject_delete_marker_ttl: 0, // Stored and republished without a fence.
}
/** What an answer leaves out has this value. */
const unsaid: Readonly<Record<string, unknown>> = { ...never, allow_rollup_hdrs: false, max_age: 0 }
// A grown cluster may hold more copies than a setting says; fewer are for its operator to judge, as are placement, compression and
// all else that is neither here nor above: nothing that is promised hangs on it.
const notCompared = new Set(['num_replicas'])

/** The first field that differs, with both values; undefined where the stream is as it has to be. */
export function differenceOf(
  wanted: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [field, value] of Object.entries({ ...never, ...wanted })) {
    if (notCompared.has(field)) continue
    const there = found[field] ?? unsaid[field]
    if (!agrees(value, there)) return `${field} is ${JSON.stringify(there)}, and has to be ${JSON.stringify(value)}`
  }
  return undefined
}

/** Objects may have more fields than asked for as long as these say nothing; lists are compared as sets. */
function agrees(wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(found) && found.length === wanted.length && wanted.every((one) => found.includes(one))
  if (!isFields(wanted) || !isFields(found)) return wanted === found
  const more = Object.entries(found).filter(([key]) => !(key in wanted))
  return Object.entries(wanted).every(([key, value]) => agrees(value, found[key])) && more.every(([, value]) => !value)
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
