// What one piece of work was done for: the traces of the changes in it. Many changes share a write to the stream or a sweep, and a
// span has one parent: the first, and the others are its links. Pure.

/** Of a thousand syncs in one batch these many tell the story; each link costs some fifty bytes on its way to the collector. */
export const linksMax = 16

/** Traceparents, each once, in the order they came; no more than a span takes. */
export type Causes = readonly string[]

export const noCauses: Causes = []

/** The same list where there is nothing to add, so that an unsampled change costs nothing. */
export function withCause(causes: Causes, traceparent: string | undefined): Causes {
  if (traceparent === undefined || causes.length > linksMax || causes.includes(traceparent)) return causes
  return [...causes, traceparent]
}

/** How a span is begun for them; undefined where none of the changes was sampled. */
export function spanFor([parent, ...links]: Causes): { parent: string; links: readonly string[] } | undefined {
  return parent === undefined ? undefined : { parent, links }
}
