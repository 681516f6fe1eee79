// One direction of a connection through the proxy: bytes in, bytes out, as late, as slowly, in as small pieces as told, always
// in order. Time is an argument; whoever owns the pipe asks `nextAtMs` when to come again.

export type Shape = {
  /** Each byte comes so much later. */
  readonly latencyMs?: number
  readonly bytesPerSecond?: number
  /** No write is longer than this. */
  readonly sliceBytes?: number
}

// One behind a later piece waits for it: the queue keeps the order.
type Piece = { readonly bytes: Buffer; readonly dueAtMs: number }

export type Pipe = {
  readonly queue: Piece[]
  queuedBytes: number
  /** When a line of that bandwidth has carried all that went before. */
  freeAtMs: number
}

export const createPipe = (): Pipe => ({ queue: [], queuedBytes: 0, freeAtMs: 0 })

export function put(pipe: Pipe, bytes: Buffer, shape: Shape, nowMs: number): void {
  const { latencyMs = 0, bytesPerSecond = Infinity, sliceBytes = bytes.length } = shape
  for (let from = 0; from < bytes.length; from += sliceBytes) {
    const slice = bytes.subarray(from, from + sliceBytes)
    const carriedAtMs = Math.max(pipe.freeAtMs, nowMs) + (slice.length / bytesPerSecond) * 1_000
    pipe.freeAtMs = carriedAtMs
    pipe.queue.push({ bytes: slice, dueAtMs: carriedAtMs + latencyMs })
    pipe.queuedBytes += slice.length
  }
}

/** What has arrived by now, in order; each piece is one write. */
export function take(pipe: Pipe, nowMs: number): Buffer[] {
  const out: Buffer[] = []
  for (let next = pipe.queue[0]; next !== undefined && next.dueAtMs <= nowMs; next = pipe.queue[0]) {
    pipe.queue.shift()
    pipe.queuedBytes -= next.bytes.length
    out.push(next.bytes)
  }
  return out
}

export const nextAtMs = (pipe: Pipe): number | undefined => pipe.queue[0]?.dueAtMs

/** The fault is over: what was on its way is there. */
export function hurry(pipe: Pipe, nowMs: number): void {
  const all = pipe.queue.splice(0)
  for (const { bytes } of all) pipe.queue.push({ bytes, dueAtMs: nowMs })
  pipe.freeAtMs = nowMs
}
