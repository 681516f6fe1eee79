// Brings into order what arrives on several ways: each way brings what it brings in order, but one may have missed something
// that another still has on its way. A number that nobody brings is waited for a moment, then passed over.
export type ArrivalOrder<T> = {
  readonly waitMs: number
  last: number
  readonly waiting: Map<number, { readonly item: T; readonly atMs: number }>
}

/** With a wait of 0 everything newer than the last is in order at once. */
export const createArrivalOrder = <T>(waitMs: number): ArrivalOrder<T> => ({ waitMs, last: 0, waiting: new Map() })

export function arrive<T>(order: ArrivalOrder<T>, sequence: number, item: T, atMs: number): void {
  if (sequence > order.last && !order.waiting.has(sequence)) order.waiting.set(sequence, { item, atMs })
}

/** What is in order by now. */
export function inOrder<T>(order: ArrivalOrder<T>, nowMs: number): { readonly item: T; readonly atMs: number }[] {
  const out: { item: T; atMs: number }[] = []
  while (order.waiting.size > 0) {
    const isNext = order.waiting.has(order.last + 1)
    const sequence = isNext ? order.last + 1 : Math.min(...order.waiting.keys())
    const arrival = order.waiting.get(sequence)
    if (arrival === undefined || (!isNext && nowMs - arrival.atMs < order.waitMs)) break
    order.waiting.delete(sequence)
    order.last = sequence
    out.push(arrival)
  }
  return out
}

/** The numbers begin anew. */
export function forgetOrder(order: ArrivalOrder<unknown>): void {
  order.last = 0
  order.waiting.clear()
}
