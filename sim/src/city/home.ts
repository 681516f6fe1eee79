// The homeserver of a simulated city, without its HTTP: the world of the double, its polls, and the way from one process to it,
// which can be refused, or fall silent.
import { CityError } from '@citypresence/chassis/errors'
import type { MatrixClient } from '@citypresence/aggregator/edge/matrix-client'
import { MatrixRefusal } from '@citypresence/aggregator/edge/matrix-errors'
import { acts, type Acts } from '../homeserver/acts.ts'
import { createPolls, type Polls } from '../homeserver/polls.ts'
import { filterOf } from '../homeserver/routes.ts'
import { answerSync } from '../homeserver/sync-answer.ts'
import { parseToken } from '../homeserver/tokens.ts'
import { addPerson, createWorld, joinedMembers, joinedRooms, membershipOf, type World } from '../homeserver/world.ts'
import { wakingAfter } from '../homeserver.ts'
import type { SimClock } from './sim-clock.ts'
import type { SimProcess } from './sim-process.ts'

export type SimHome = {
  readonly world: World
  readonly polls: Polls
  readonly filters: Map<string, unknown>
  readonly script: Acts
  readonly clock: SimClock
  account(localpart: string): { readonly userId: string; readonly accessToken: string }
}

export function createSimHome(clock: SimClock): SimHome {
  const world = createWorld('test.local')
  const polls = createPolls(clock)
  return {
    world,
    polls,
    clock,
    filters: new Map(),
    script: wakingAfter(
      acts(world, () => clock.wallMs()),
      () => polls.wake(),
    ),
    account: (localpart) => ({ userId: addPerson(world, localpart).userId, accessToken: `token of ${localpart}` }),
  }
}

export type WayState = 'open' | 'refused' | 'silent'
export type WayToHome = {
  set(state: WayState): void
  readonly client: Pick<
    MatrixClient,
    'whoami' | 'storeFilter' | 'sync' | 'untilAllowed' | 'resolveAlias' | 'joinedRooms' | 'joinedMembers' | 'join'
  >
  /** Whether presence works; undefined where nobody answered. */
  probe(): Promise<boolean | undefined>
}

// There and back on a good day; each answer takes its own time, so that none is always first.
const [answerMsMin, answerMsSpread] = [1, 20]
// As the client itself gives up on a call that hangs.
const callTimeoutMs = 30_000

type Way = {
  readonly home: SimHome
  readonly process: SimProcess
  readonly random: () => number
  readonly broken: Set<() => void>
  state: WayState
}

export function wayToHome(home: SimHome, process: SimProcess, userId: string, random: () => number): WayToHome {
  const way: Way = { home, process, random, broken: new Set(), state: 'open' }
  const { world } = home
  const roomOf = (roomId: string) => {
    const room = world.rooms.get(roomId)
    if (room !== undefined && membershipOf(room, userId) === 'join') return room
    throw new MatrixRefusal({ where: roomId, status: 403, errcode: 'M_FORBIDDEN' })
  }
  return {
    set(state) {
      way.state = state
      if (state === 'refused') for (const breakOff of [...way.broken]) breakOff()
    },
    probe: () => exchange(way, { run: () => Promise.resolve(world.presenceTracked) }).catch(() => undefined),
    client: {
      whoami: () => exchange(way, { run: () => Promise.resolve(userId) }),
      storeFilter: (_, filter) =>
        exchange(way, {
          run() {
            const id = String(home.filters.size)
            home.filters.set(id, filter)
            return Promise.resolve(id)
          },
        }),
      sync: (query, { deadlineMs, signal }) =>
        exchange(way, {
          deadlineMs,
          signal,
          async run(gone) {
            const since = query.since === undefined ? undefined : parseToken(query.since)
            const filter = filterOf(home.filters, query.filter)
            const result = await home.polls.answer(
              {
                key: JSON.stringify([query.since, query.filter, query.timeoutMs]),
                since: query.since,
                timeoutMs: query.timeoutMs,
                ask: () => answerSync(world, { me: userId, since, filter, fullState: false }),
              },
              gone,
            )
            return new TextEncoder().encode(JSON.stringify(result.bodyAt(home.clock.wallMs())))
          },
        }),
      untilAllowed: () => Promise.resolve(),
      resolveAlias: (alias) =>
        exchange(way, {
          run: () => Promise.reject(new MatrixRefusal({ where: alias, status: 404, errcode: 'M_NOT_FOUND' })),
        }),
      joinedRooms: () =>
        exchange(way, { run: () => Promise.resolve(joinedRooms(world, userId).map((room) => room.roomId)) }),
      joinedMembers: (roomId) =>
        exchange(way, { run: () => Promise.resolve().then(() => joinedMembers(roomOf(roomId))) }),
      join: (roomId) =>
        exchange(way, {
          run() {
            home.script.join(userId, roomId)
            return Promise.resolve()
          },
        }),
    },
  }
}

type Question<T> = {
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
  readonly run: (gone: AbortSignal) => Promise<T>
}

/** One request and its answer, over a way that may break while it is under way. */
function exchange<T>(way: Way, { deadlineMs = callTimeoutMs, signal, run }: Question<T>): Promise<T> {
  const { home, process, random, broken } = way
  const unreachable = (why: string) => new CityError('MatrixUnreachable', why)
  if (way.state === 'refused') return Promise.reject(unreachable('refused'))
  const gone = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const breakOff = (): void => reject(unreachable('the connection broke'))
  const cancel = process.clock.after(deadlineMs, () => reject(unreachable('no answer in time')))
  const aborted = (): void => reject(new CityError('Aborted', 'cancelled'))
  signal?.addEventListener('abort', aborted, { once: true })
  broken.add(breakOff)
  const answer = (deliver: () => void): void => {
    home.clock.after(answerMsMin + answerMsSpread * random(), () => {
      // Silence swallows what is on its way.
      if (way.state === 'open') deliver()
    })
  }
  const hear = (): void => {
    run(gone.signal).then(
      (value) => answer(() => resolve(value)),
      (error: unknown) => answer(() => reject(error instanceof Error ? error : new Error(String(error)))),
    )
  }
  if (way.state === 'open') hear()
  return process.seen(promise).finally(() => {
    gone.abort()
    cancel()
    broken.delete(breakOff)
    signal?.removeEventListener('abort', aborted)
  })
}
