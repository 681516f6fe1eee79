// Lets the residents live: asks the plan what is due and does it on Synapse, over the ordinary client API.
//
//   every 100 ms: decide(plan, now) -> acts -> each resident's own queue -> PUT / POST
//   every 20 s:   whoever is not offline says so again, as a client that is open does
import type { City } from '../city-fixture.ts'
import type { MatrixClient } from '../matrix-client.ts'
import { createPlan, decide, fallSilent, peopleOnline, type Act, type Plan } from './plan.ts'

export type Residents = {
  /** Acts that Synapse took. */
  readonly changes: number
  readonly failures: number
  readonly lastFailure: string | undefined
  online(): number
  /** No more decisions; whoever types stops. Resolves when everything already decided is done. */
  fallSilent(): Promise<void>
  stop(): void
}

const decideEveryMs = 100 // the plan's finest time is a second
// Synapse forgets an `online` after 67 s and an `unavailable` after 32 s without a word.
const stillHereEveryMs = 20_000
// A resident decides every few seconds and an act takes some 50 ms: 20 waiting ones mean that Synapse has stopped.
const waitingMax = 20

export function startResidents(city: City, seed: number): Residents {
  const life = new Life(city, createPlan(seed, city.residents, performance.now()))
  life.start()
  return life
}

class Life implements Residents {
  changes = 0
  failures = 0
  lastFailure: string | undefined
  #city: City
  #plan: Plan
  #clients = new Map<string, MatrixClient>()
  #queues = new Map<string, { waiting: number; tail: Promise<void> }>()
  #timers: NodeJS.Timeout[] = []

  constructor(city: City, plan: Plan) {
    this.#city = city
    this.#plan = plan
    for (const { localpart } of city.residents) this.#clients.set(localpart, city.clientOf(localpart))
  }

  start(): void {
    this.#timers.push(setInterval(() => this.#live(), decideEveryMs))
    this.#timers.push(setInterval(() => this.#stillHere(), stillHereEveryMs))
  }

  online(): number {
    return peopleOnline(this.#plan)
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  async fallSilent(): Promise<void> {
    const decideTimer = this.#timers[0]
    if (decideTimer !== undefined) clearInterval(decideTimer) // "still here" goes on: the last counts must hold
    this.#take(fallSilent(this.#plan))
    await Promise.all([...this.#queues.values()].map(({ tail }) => tail))
  }

  #live(): void {
    this.#take(decide(this.#plan, performance.now()))
  }

  #take({ plan, acts }: { plan: Plan; acts: readonly Act[] }): void {
    this.#plan = plan
    for (const act of acts) this.#enqueue(act.who, () => perform(this.#city, this.#client(act.who), act), true)
  }

  #stillHere(): void {
    for (const { who, presence } of this.#plan.residents) {
      if (presence !== 'offline') this.#enqueue(who, () => this.#client(who).setPresence(presence), false)
    }
  }

  // A resident does one thing after the other: a message must not overtake the typing before it.
  #enqueue(who: string, run: () => Promise<unknown>, isChange: boolean): void {
    const queue = this.#queues.get(who) ?? { waiting: 0, tail: Promise.resolve() }
    this.#queues.set(who, queue)
    if (queue.waiting >= waitingMax) {
      this.#failed(new Error(`${who} waits for Synapse with ${waitingMax} acts`))
      return
    }
    queue.waiting++
    queue.tail = queue.tail
      .then(run)
      .then(
        () => {
          if (isChange) this.changes++
        },
        (error: unknown) => this.#failed(error),
      )
      .then(() => {
        queue.waiting--
      })
  }

  #failed(error: unknown): void {
    this.failures++
    this.lastFailure = error instanceof Error ? error.message : String(error)
  }

  #client(who: string): MatrixClient {
    const client = this.#clients.get(who)
    if (client === undefined) throw new Error(`${who} does not live here`)
    return client
  }
}

/** Does on Synapse what the plan decided. */
export function perform(city: City, client: MatrixClient, act: Act): Promise<unknown> {
  if (act.kind === 'presence') return client.setPresence(act.presence)
  const { roomId } = city.roomOf(act.room)
  if (act.kind === 'typing') return client.typing(roomId, act.typing)
  if (act.kind === 'message') return client.send(roomId, `Good day from ${act.who}.`)
  return act.kind === 'leave' ? client.leave(roomId) : client.join(roomId)
}
