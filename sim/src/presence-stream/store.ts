// What a stream keeps and what it refuses, in memory: the last message of each subject, sequences, expectations, atomic batches,
// times to live. In the words of nats-server's API, headers and error codes included. Changed in place.
//
//   take(message) -> expectation holds? -> stored, numbered -> StoredMessage       otherwise an error code, and nothing has happened
export type StreamConfig = Readonly<Record<string, unknown>> & {
  readonly name: string
  readonly subjects: readonly string[]
  readonly subject_transform?: { readonly src: string; readonly dest: string }
  readonly republish?: { readonly src: string; readonly dest: string }
  readonly first_seq?: number
}

export type Fields = Readonly<Record<string, string>>
export type Incoming = { readonly subject: string; readonly headers: Fields; readonly body: string }
export type StoredMessage = Incoming & { readonly sequence: number; readonly expiresAtMs: number }
export type ApiError = { readonly code: number; readonly err_code: number; readonly description: string }
export type Taken =
  | { readonly kind: 'stored'; readonly messages: readonly StoredMessage[]; readonly batch?: string }
  /** Part of a batch that is not committed yet. */
  | { readonly kind: 'held' }
  | { readonly kind: 'refused'; readonly error: ApiError }

export type Store = {
  readonly config: StreamConfig
  sequence: number
  readonly messages: Map<string, StoredMessage>
  readonly batches: Map<string, Incoming[]>
}

const batchMax = 1_000
const openBatchesMax = 50

export const openStore = (config: StreamConfig): Store => ({
  config,
  sequence: (config.first_seq ?? 1) - 1,
  messages: new Map(),
  batches: new Map(),
})

/** As a backup would have it: open batches live in the server's memory only. */
export const copyStore = (store: Store): Store => ({
  ...store,
  messages: new Map(store.messages),
  batches: new Map(),
})

/** NATS subjects with their wildcards. */
export function matches(pattern: string, subject: string): boolean {
  const [wanted, found] = [pattern.split('.'), subject.split('.')]
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return found.length > index
    if (found[index] === undefined || (token !== '*' && token !== found[index])) return false
  }
  return wanted.length === found.length
}

/** The one form of transform and republish that we use: what stands before `>` is replaced. */
export function moved(subject: string, rule: { readonly src: string; readonly dest: string } | undefined): string {
  if (rule === undefined || !matches(rule.src, subject)) return subject
  return rule.dest.slice(0, -1) + subject.slice(rule.src.length - 1)
}

export function take(store: Store, message: Incoming, nowMs: number): Taken {
  expire(store, nowMs)
  const id = message.headers['Nats-Batch-Id']
  return id === undefined ? storeAll(store, [message], nowMs) : takePart(store, id, message, nowMs)
}

function takePart(store: Store, id: string, message: Incoming, nowMs: number): Taken {
  if (store.config['allow_atomic'] !== true) return refuse(10_174, 'atomic publish is disabled')
  const place = Number(message.headers['Nats-Batch-Sequence'])
  const parts = store.batches.get(id) ?? []
  if (place === 1 && store.batches.size >= openBatchesMax)
    return refuse(10_210, 'too many inflight atomic publish batches')
  if (place !== parts.length + 1 || place > batchMax) {
    store.batches.delete(id)
    return place > batchMax
      ? refuse(10_199, `atomic publish batch is too large: ${batchMax}`)
      : refuse(10_176, 'atomic publish batch is incomplete')
  }
  parts.push(message)
  store.batches.set(id, parts)
  if (message.headers['Nats-Batch-Commit'] !== '1') return { kind: 'held' }
  store.batches.delete(id)
  const taken = storeAll(store, parts, nowMs)
  return taken.kind === 'stored' ? { ...taken, batch: id } : taken
}

/** All of them or none. */
function storeAll(store: Store, messages: readonly Incoming[], nowMs: number): Taken {
  for (const message of messages) {
    const error = whyNot(store, message)
    if (error !== undefined) return { kind: 'refused', error }
  }
  const stored = messages.map((message) => {
    const subject = moved(message.subject, store.config.subject_transform)
    store.sequence++
    const kept = { ...message, subject, sequence: store.sequence, expiresAtMs: expiryOf(message, nowMs) }
    store.messages.delete(subject)
    store.messages.set(subject, kept)
    return kept
  })
  return { kind: 'stored', messages: stored }
}

function whyNot(store: Store, { subject, headers }: Incoming): ApiError | undefined {
  const expected = headers['Nats-Expected-Last-Subject-Sequence']
  if (headers['Nats-TTL'] !== undefined && store.config['allow_msg_ttl'] !== true)
    return errorOf(10_166, 'per-message TTL is disabled')
  if (expected === undefined) return undefined
  const fence = headers['Nats-Expected-Last-Subject-Sequence-Subject'] ?? moved(subject, store.config.subject_transform)
  const last = store.messages.get(fence)?.sequence ?? 0
  return last === Number(expected) ? undefined : errorOf(10_071, `wrong last sequence: ${last}`)
}

const expiryOf = ({ headers }: Incoming, nowMs: number): number => {
  const seconds = /^(\d+)s$/.exec(headers['Nats-TTL'] ?? '')?.[1]
  return seconds === undefined ? Number.POSITIVE_INFINITY : nowMs + Number(seconds) * 1_000
}

/** Takes no sequence, and nobody hears of it. */
export function expire(store: Store, nowMs: number): void {
  for (const [subject, message] of store.messages) if (message.expiresAtMs <= nowMs) store.messages.delete(subject)
}

/** In the order of their sequences. */
export const newestOf = (store: Store, pattern: string): StoredMessage[] =>
  [...store.messages.values()]
    .filter(({ subject }) => matches(pattern, subject))
    .sort((a, b) => a.sequence - b.sequence)

export const errorOf = (errorCode: number, description: string): ApiError => ({
  code: errorCode === 10_059 || errorCode === 10_037 ? 404 : 400,
  err_code: errorCode,
  description,
})
const refuse = (errorCode: number, description: string): Taken => ({
  kind: 'refused',
  error: errorOf(errorCode, description),
})
