// What we have written ourselves is known to us before the cache tells it. Without this every write would be planned twice: the next
// round often comes before the watch has told of the last one.
//
//   write -> answer kept -> believed while the cache shows what it showed before, for a few seconds -> the cache moved: it is right
import { placeOf } from './desired-objects/metadata.ts'
import type { KubeObject } from './kube-object.ts'

// A watch tells within milliseconds. Longer than this nothing is believed that the cache does not say.
const believedMs = 5_000

type Written = {
  readonly object: KubeObject
  /** The version that the cache showed when it was written. */
  readonly instead: string | undefined
  readonly atMs: number
  /** The cache has told another version since. */
  readonly isTold: boolean
}

export type OwnWrites = {
  /** A round begins: this is what the cache shows. What it gives back is what to go by. */
  look(cached: readonly KubeObject[], nowMs: number): readonly KubeObject[]
  /** What was written in a place where the cache shows nothing yet. */
  unseen(place: string, nowMs: number): KubeObject | undefined
  note(object: KubeObject, nowMs: number): void
  forget(place: string): void
  /** What the last write in each place has left. */
  left(): ReadonlyMap<string, KubeObject>
  /** How long the cache may still be behind one of them; undefined when it has told all. */
  doubtMs(nowMs: number): number | undefined
}

export function createOwnWrites(): OwnWrites {
  const writes = new Map<string, Written>()
  let shown: ReadonlyMap<string, string | undefined> = new Map()
  const isBelieved = ({ instead, atMs, isTold }: Written, place: string, nowMs: number): boolean =>
    !isTold && instead === shown.get(place) && nowMs - atMs < believedMs
  return {
    look(cached, nowMs) {
      shown = new Map(cached.map((one) => [placeOf(one), one.metadata.resourceVersion]))
      const places = new Set(cached.map(placeOf))
      for (const [place, written] of writes)
        if (places.has(place) && written.instead !== shown.get(place)) writes.set(place, { ...written, isTold: true })
      return cached.map((one) => {
        const written = writes.get(placeOf(one))
        return written !== undefined && isBelieved(written, placeOf(one), nowMs) ? written.object : one
      })
    },

    unseen(place, nowMs) {
      const written = writes.get(place)
      return written !== undefined && written.instead === undefined && isBelieved(written, place, nowMs)
        ? written.object
        : undefined
    },

    note(object, nowMs) {
      const place = placeOf(object)
      writes.set(place, { object, instead: shown.get(place), atMs: nowMs, isTold: false })
    },

    forget: (place) => void writes.delete(place),

    left: () => new Map([...writes].map(([place, { object }]) => [place, object])),

    doubtMs(nowMs) {
      const waits = [...writes.values()].filter(({ isTold, atMs }) => !isTold && nowMs - atMs < believedMs)
      return waits.length === 0 ? undefined : Math.max(...waits.map(({ atMs }) => atMs + believedMs - nowMs))
    },
  }
}
