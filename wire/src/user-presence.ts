// The optional event about one user. It never leaves the cluster: no gateway may read it.
import { flag, integer, object, oneOf, text, type Infer } from './decode.ts'
import { matrixIdLengthMax } from './room-presence.ts'

export const userPresence = object(
  {
    type: oneOf('user.presence'),
    matrix_user_id: text(matrixIdLengthMax),
    status: oneOf('online', 'offline', 'unavailable'),
    /** Milliseconds; 0 where the homeserver never told of any activity. */
    last_active_ts: integer(0),
  },
  {
    /** Online and asking not to be disturbed. */
    busy: flag,
  },
)
export type UserPresence = Infer<typeof userPresence>

// The last word about a user who shares no room any more is erased after so long; a minute is what is promised for it.
export const erasedUserTtlSeconds = 30
