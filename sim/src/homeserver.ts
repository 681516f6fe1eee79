// A Matrix homeserver in this process, for what a real one cannot be told to do: answers that stall or lie, limits on command,
// sessions that end, and any moment of a city's life at will. It answers over real HTTP, so the code under test stays as it is.
//
//   const homeserver = await startHomeserver()
//   const daemon = homeserver.account('presence_daemon')                 -> { userId, accessToken }
//   const room = homeserver.script.createRoom({ members: [daemon.userId, homeserver.account('ada').userId] })
//   homeserver.script.presence('@ada:test.local', 'online')              -> wakes the daemon's poll
//   homeserver.fault({ path: /^\/sync/, times: 1, fault: { kind: 'truncated' } })
//   await homeserver.stop()
//
// How faithful it is, is what homeserver.contract.ts says: the same suite runs on a real Synapse.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { acts, type Acts } from './homeserver/acts.ts'
import { createAccounts, type Account, type SessionState } from './homeserver/accounts.ts'
import type { FaultRule } from './homeserver/faults.ts'
import { createPolls, type PollClock } from './homeserver/polls.ts'
import { createRateLimit, type RateSettings } from './homeserver/rate-limit.ts'
import type { Home } from './homeserver/routes.ts'
import { serve, type Double, type Notice, type SeenRequest } from './homeserver/serve.ts'
import {
  addPerson,
  createWorld,
  forgetTyping,
  repeatPresence,
  setTyping,
  stopTrackingPresence,
} from './homeserver/world.ts'

export type { Notice }

export type HomeserverOptions = {
  serverName?: string
  /** 0, or absent: any free port. */
  port?: number
  /** Of the machine unless given; chassis's fake clock fits. */
  clock?: PollClock
  /** `include_offline_users_on_sync` */
  offlineOnFirstSync?: boolean
  /** Told of every request as it comes and as its connection or its answer ends. */
  notice?: Notice
}

export type Homeserver = {
  readonly url: string
  readonly serverName: string
  /** The account of this name, made when it is new; each call is one more session of it. */
  account(localpart: string): Account
  /** What becomes of all sessions of a person: `unknown`, `soft`, `locked`, `suspended`, or `live` again. */
  setSession(userId: string, state: SessionState): void
  /** What people do, at once and without asking for rights. Each act wakes who waits for it. */
  readonly script: Acts
  /** From now on requests that match meet this; the first rule that matches counts. Returns how to end it. */
  fault(rule: FaultRule): () => void
  /** Joins beyond this are refused with 429, each person for himself; undefined lifts it. */
  limitJoins(settings: RateSettings | undefined): void
  /** Presence is switched off: who was seen is told as offline once, then silence. */
  stopTrackingPresence(): void
  /** Presence stands still without a word: what people do is taken and forgotten. */
  freezePresence(): void
  trackPresence(): void
  /** Everybody's presence once more, unchanged; it wakes nobody, it rides along with the next answer. */
  repeatPresence(): void
  /** What a restart does: polls break, kept answers and typing are forgotten, typing's numbers begin again. */
  restart(): void
  /** Newest last; at most ten thousand are kept. */
  readonly requests: readonly SeenRequest[]
  /** How many polls are being held. */
  waitingPolls(): number
  stop(): Promise<void>
}

const machineClock: PollClock = {
  wallMs: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export async function startHomeserver(options: HomeserverOptions = {}): Promise<Homeserver> {
  const { serverName = 'test.local', clock = machineClock, port = 0 } = options
  const world = createWorld(serverName)
  world.offlineOnFirstSync = options.offlineOnFirstSync ?? false
  const polls = createPolls(clock)
  const home = createHome(world, () => polls.wake(), clock)
  const double: Double = { home, polls, clock, rules: [], requests: [], notice: options.notice }
  const server = createServer((request, response) => serve(double, request, response))
  const taken = await listen(server, port)
  return {
    url: `http://127.0.0.1:${taken}`,
    serverName,
    script: wakingAfter(
      acts(world, () => clock.wallMs()),
      () => polls.wake(),
    ),
    requests: double.requests,
    ...controlsOf(double, server),
  }
}

type Controls = Omit<Homeserver, 'url' | 'serverName' | 'script' | 'requests'>

function controlsOf({ home, polls, rules }: Double, server: Server): Controls {
  const { world, accounts } = home
  return {
    account: (localpart) => accounts.add(addPerson(world, localpart).userId),
    setSession: (userId, state) => accounts.set(userId, state),
    fault(rule) {
      const entry = { rule, left: rule.times ?? Infinity }
      rules.push(entry)
      return () => void (entry.left = 0)
    },
    limitJoins: (settings) => void (home.joinLimit = settings && createRateLimit(settings)),
    freezePresence: () => void (world.presenceTracked = false),
    stopTrackingPresence() {
      stopTrackingPresence(world)
      polls.wake()
    },
    trackPresence: () => void (world.presenceTracked = true),
    repeatPresence: () => repeatPresence(world),
    restart() {
      server.closeAllConnections()
      forgetTyping(world)
      polls.forget()
    },
    waitingPolls: () => polls.waiting(),
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function createHome(world: Home['world'], wake: () => void, clock: PollClock): Home {
  const typingEnds = new Map<string, () => void>()
  return {
    world,
    accounts: createAccounts(),
    filters: new Map(),
    joinLimit: undefined,
    stopTypingAfter(userId, roomId, ms) {
      const key = `${roomId} ${userId}`
      typingEnds.get(key)?.()
      const cancel = clock.after(ms, () => {
        typingEnds.delete(key)
        const room = world.rooms.get(roomId)
        if (room !== undefined && setTyping(world, room, userId, false)) wake()
      })
      typingEnds.set(key, cancel)
    },
  }
}

/** The same acts, each of which wakes who waits. */
export function wakingAfter(plain: Acts, wake: () => void): Acts {
  const waking = Object.entries(plain).map(([name, act]) => [
    name,
    (...args: unknown[]): unknown => {
      const result = (act as (...args: unknown[]) => unknown).apply(plain, args)
      wake()
      return result
    },
  ])
  return Object.fromEntries(waking) as Acts
}
