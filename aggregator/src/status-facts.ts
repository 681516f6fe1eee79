// What the status is made from, gathered from the parts that know it.
import type { CityError } from '@citypresence/chassis/errors'
import type { LeaderFacts } from './core/leader-status.ts'
import type { RoomStatus } from './edge/matrix-rooms.ts'
import type { CityView } from './room-speech.ts'

export type Gathered = {
  readonly known: { readonly synced: boolean; readonly mapped: boolean }
  readonly view: Pick<CityView, 'slugs' | 'valueOf' | 'source'>
  readonly isComplete: boolean
  readonly rooms: RoomStatus
  /** Of the last poll; undefined since one was answered. */
  readonly syncError: CityError | undefined
  /** Why the source is not believed. */
  readonly sourceTrouble: CityError | undefined
  /** Why nothing can be written, or why this leader ends. */
  readonly streamTrouble: CityError | undefined
}

export function gatherFacts({ known, view, isComplete, rooms, ...troubles }: Gathered): LeaderFacts {
  const { joins, unresolved, doubled, directory } = rooms
  const slugs = view.slugs()
  return {
    synced: known.synced,
    mapped: known.mapped,
    source: view.source().source,
    // A refused token is told at once: nobody else can mend it. Other failures pass, and count when the source is stale.
    sourceTrouble:
      troubles.syncError?.code === 'MatrixTokenRefused' ? 'MatrixTokenRefused' : troubles.sourceTrouble?.code,
    rooms: slugs.length,
    uncounted: joins.wanted - joins.joined + unresolved.length + doubled.length,
    roomsTrouble: directory.problem,
    streamTrouble: troubles.streamTrouble,
    complete: isComplete,
    online: slugs.reduce((sum, slug) => sum + onlineIn(view.valueOf(slug)), 0),
  }
}

const onlineIn = (value: ReturnType<CityView['valueOf']>): number =>
  value.kind === 'unobserved' ? 0 : value.presence.online_count
