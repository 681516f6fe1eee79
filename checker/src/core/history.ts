// What happened while faults came and went, in the order it was noted: the truth, every stored message, every frame of every
// witness, every poll of the homeserver, every end of a process. Recorded by recorder.ts, judged by core/check-history.ts
// when all is over.
//
// One clock for all entries: milliseconds of the recording process's monotonic clock since the recording began. What comes in
// over a socket is noted when it arrives here, so an entry may lag behind its cause by a few milliseconds, never run ahead.
import type { ClientMessage } from '@citypresence/wire/client-messages'
import type { Beat } from '@citypresence/wire/beat'
import type { EpochRecord } from '@citypresence/wire/epoch'
import type { RoomPresence } from '@citypresence/wire/room-presence'

export type Entry = { readonly atMs: number } & (
  | { readonly kind: 'began'; readonly settings: RecordedSettings }
  /** What Matrix would answer now, had it nobody else to serve: written in the moment of the act that changed it. */
  | {
      readonly kind: 'truth'
      readonly slug: string
      readonly online: number
      readonly typing: number
      readonly members: number
    }
  /** The room is no longer part of the city's map. */
  | { readonly kind: 'truth-removed'; readonly slug: string }
  /** Everything the stream republished, in order of its sequence. */
  | {
      readonly kind: 'stored'
      readonly sequence: number
      readonly term: number
      readonly epoch: number
      readonly what: Stored
      /** Read after a lost connection, not heard: it may have been stored a while ago. */
      readonly caughtUp: boolean
    }
  /** The store went back in time, or was lost: sequences and terms may begin again, once. */
  | { readonly kind: 'rolled-back' }
  | { readonly kind: 'opened'; readonly witness: string; readonly connection: number }
  | { readonly kind: 'frame'; readonly witness: string; readonly connection: number; readonly message: ClientMessage }
  /** A frame that is no message of the contract. */
  | { readonly kind: 'garbled'; readonly witness: string; readonly connection: number; readonly text: string }
  | { readonly kind: 'closed'; readonly witness: string; readonly connection: number; readonly code: number }
  /** A long poll of the daemon, from the moment the homeserver took it to the end of its connection. */
  | {
      readonly kind: 'poll'
      readonly phase: 'begins' | 'ends'
      readonly poll: number
      readonly since: string | undefined
    }
  /** `blindMs`: for so long this fault may keep the source's silence from being noticed; 0 where it is noticed as usual. `breaksPolls`: who types may be forgotten. */
  | {
      readonly kind: 'fault'
      readonly id: string
      readonly phase: 'begins' | 'ends'
      readonly blindMs: number
      readonly breaksPolls: boolean
    }
  /** A fault was mended, and all was well again after so long; its bar says how long that may take. */
  | { readonly kind: 'recovered'; readonly tookMs: number; readonly barMs: number }
  /** Everything is healed and every witness shows the truth; how long that took since the fault's end. */
  | { readonly kind: 'settled'; readonly tookMs: number }
  /** A process of ours ended although nobody told it to. */
  | {
      readonly kind: 'exit'
      readonly service: string
      readonly code: number | null
      readonly signal: string | null
      readonly asked: boolean
    }
  /** A line of level error or above, or one that speaks of an uncaught error. */
  | { readonly kind: 'complaint'; readonly service: string; readonly code: string | undefined; readonly text: string }
  | { readonly kind: 'sample'; readonly service: string; readonly rssBytes: number; readonly descriptors: number }
)

export type Stored =
  | { readonly kind: 'epoch'; readonly record: EpochRecord }
  | { readonly kind: 'beat'; readonly beat: Beat }
  | { readonly kind: 'room'; readonly room: RoomPresence }

/** What the checks have to know of the city that was recorded. */
export type RecordedSettings = {
  readonly throttleMs: number
  readonly staleAfterMs: number
  readonly offlineGraceMs: number
}
