// GET /sync: token and filter are checked, the reader's own presence is taken from his asking, and then it is a poll.
import type { Session } from './accounts.ts'
import type { Poll } from './polls.ts'
import { refuse } from './reply.ts'
import { filterOf, type Home } from './routes.ts'
import { answerSync } from './sync-answer.ts'
import { parseToken } from './tokens.ts'
import { addPerson, setPresence } from './world.ts'

export function pollOf(home: Home, session: Session, query: URLSearchParams, wallMs: () => number): Poll {
  const given = query.get('since')
  const since = given === null ? undefined : (parseToken(given) ?? refuse(400, 'M_UNKNOWN', 'Invalid stream token'))
  const filter = filterOf(home.filters, query.get('filter'))
  const timeoutMs = Number(query.get('timeout') ?? 0)
  if (!Number.isInteger(timeoutMs)) refuse(400, 'M_INVALID_PARAM', 'Query parameter timeout must be an integer')
  const fullState = query.get('full_state') === 'true'
  const { world } = home
  showUp(home, session.userId, query.get('set_presence'), wallMs())
  return {
    // Synapse's key: the same user and device, token, timeout, filter and full_state; set_presence is no part of it.
    key: JSON.stringify([session.accessToken, given, timeoutMs, query.get('filter'), fullState]),
    since: fullState ? undefined : (given ?? undefined),
    timeoutMs,
    ask: () => answerSync(world, { me: session.userId, since, filter, fullState }),
  }
}

/** Who syncs is online, unless he says otherwise. Going offline again is left to the script. */
function showUp({ world }: Home, userId: string, wanted: string | null, nowMs: number): void {
  if (wanted !== null && !['online', 'unavailable', 'offline'].includes(wanted))
    refuse(400, 'M_INVALID_PARAM', `Query parameter set_presence must be one of ['offline', 'online', 'unavailable']`)
  if (wanted === 'offline') return
  const person = world.people.get(userId) ?? addPerson(world, userId)
  const { statusMessage } = person
  setPresence(world, person, { state: wanted === 'unavailable' ? 'unavailable' : 'online', statusMessage, nowMs })
}
