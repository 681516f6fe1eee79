// The filters of the contract suite, and a bare question for what the test client does not know how to ask.
import { syncFilters } from '@citypresence/aggregator/edge/sync-filter'
import type { Account } from '@citypresence/stack/matrix-client'

/** As the first description of the system has it. */
export const seedFilter = {
  presence: { types: ['m.presence'] },
  room: {
    timeline: { limit: 0 },
    state: { limit: 0 },
    ephemeral: { types: ['m.typing', 'm.receipt'] },
  },
}

/** The one that works, as the aggregator asks: members in state and in timeline, messages for activity, no bodies. */
export const recommendedFilter = syncFilters({ activity: true }).increment

/** The same with another timeline, and more said about the state. */
export const withTimeline = (timeline: object, state: object = {}) => {
  const { room } = recommendedFilter
  return { ...recommendedFilter, room: { ...room, state: { ...room.state, ...state }, timeline } }
}

export type RawAnswer = { readonly status: number; readonly body: unknown; readonly headers: Headers }

export async function askRaw(
  url: string,
  account: Pick<Account, 'accessToken'> | undefined,
  path: string,
  request: { method?: string; body?: unknown } = {},
): Promise<RawAnswer> {
  const answer = await fetch(`${url}/_matrix/client/v3${path}`, {
    method: request.method ?? 'GET',
    headers: account === undefined ? {} : { authorization: `Bearer ${account.accessToken}` },
    ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
    // A minute, like the test client: nothing here takes a second on a quiet machine.
    signal: AbortSignal.timeout(60_000),
  })
  return { status: answer.status, body: await answer.json(), headers: answer.headers }
}
