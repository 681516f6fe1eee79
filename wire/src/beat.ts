// The leader's heartbeat: last message of every batch, alone after a second of silence.
import { flag, integer, object, oneOf, type Infer } from './decode.ts'

/**
 * `complete`: every mapped room was published in this epoch. `rooms`: how many rooms of this epoch the stream holds, removed
 * ones apart. `source_age_ms`: time since the last good sync.
 */
export const beat = object({
  complete: flag,
  rooms: integer(0),
  source: oneOf('live', 'stale'),
  source_age_ms: integer(0),
})
export type Beat = Infer<typeof beat>
