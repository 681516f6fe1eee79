// What is true in the city, kept by whoever makes it so: who is online, and so what every room has to show. The daemon is never counted.
import type { World } from './world.ts'

export class Truth {
  readonly #world: World
  readonly #online = new Set<string>()
  #changedMs = performance.now()

  constructor(world: World) {
    this.#world = world
  }

  /** Since when everything is as it is, on the clock of performance.now. */
  get changedMs(): number {
    return this.#changedMs
  }

  rooms(): ReadonlyMap<string, number> {
    const { people } = this.#world
    return new Map(
      people.rooms.map(({ slug }) => [
        slug,
        people.residents.filter(({ localpart, rooms }) => rooms.includes(slug) && this.#online.has(localpart)).length,
      ]),
    )
  }

  /** Everybody goes home. Whoever was online in a scenario before this one is not in the way of it. */
  async empty(): Promise<void> {
    for (const { localpart } of this.#world.people.residents)
      await this.#world.clientOf(localpart).setPresence('offline')
    this.#online.clear()
    this.#changedMs = performance.now()
  }

  /** Comes online, or goes; true from the moment that the homeserver has taken it. */
  async turn(localpart: string): Promise<void> {
    const goes = this.#online.has(localpart)
    await this.#world.clientOf(localpart).setPresence(goes ? 'offline' : 'online')
    if (goes) this.#online.delete(localpart)
    else this.#online.add(localpart)
    this.#changedMs = performance.now()
  }
}
