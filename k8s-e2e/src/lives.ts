// People come and go while something is done to the city.
import { setTimeout as delay } from 'node:timers/promises'
import type { Truth } from './truth.ts'
import type { World } from './world.ts'

const everyMs = 2_000
const peopleMax = 4

/** Somebody comes or goes every other second, until it is stopped. */
export function keepTurning({ people }: World, truth: Truth): { stop(): Promise<void> } {
  const end = new AbortController()
  const turning = (async () => {
    for (let turn = 0; !end.signal.aborted; turn++) {
      await truth.turn(people.residents[turn % peopleMax]?.localpart ?? '')
      await delay(everyMs, undefined, { signal: end.signal }).catch(() => undefined)
    }
  })()
  // Told by `stop`; until then nobody may take it for unhandled.
  turning.catch(() => undefined)
  return {
    async stop() {
      end.abort()
      await turning
    },
  }
}
