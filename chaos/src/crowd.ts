// Many browsers at once, each no more than an open socket that has its snapshot: for storms, not for the truth. They live in a
// process of their own (crowd/main.ts), behind a cable of their own where a fault wants to pull it.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { guard, release, startReaper } from '@citypresence/stack/reaper'
import { until } from '@citypresence/stack/until'
import type { Answer, Arrival, Order, Told } from './crowd/orders.ts'

export type Crowd = {
  arrive(arrival: Arrival): void
  /** Changes are timed from now on, against the stream itself. */
  listen(nats: { readonly url: string; readonly user: string; readonly pass: string }): void
  measure(): void
  tell(): Promise<Told>
  /** How long it takes until so many are inside. */
  untilInside(size: number, deadlineMs: number): Promise<number>
  leave(): void
  stop(): Promise<void>
}

/** @param within words that start a program elsewhere, as `ip netns exec name`. */
export function startCrowd(within: readonly string[] = []): Crowd {
  startReaper()
  const [first = process.execPath, ...rest] = within
  const child = fork(join(import.meta.dirname, 'crowd/main.ts'), {
    detached: true,
    execPath: first,
    execArgv: within.length === 0 ? [] : [...rest, process.execPath],
  })
  const { pid = -1 } = child
  if (pid > 0) guard({ kind: 'group', pid })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const waiting = new Map<number, (told: Told) => void>()
  child.on('message', (message) => {
    const { question, told } = message as Answer
    waiting.get(question)?.(told)
    waiting.delete(question)
  })
  let questions = 0
  const order = (what: Order): void => void child.send(what)
  const tell = (): Promise<Told> =>
    new Promise((resolve, reject) => {
      const question = ++questions
      waiting.set(question, resolve)
      void ended.then(() => reject(new Error('the crowd is gone')))
      order({ kind: 'tell', question })
    })
  return {
    arrive: (arrival) => order({ kind: 'arrive', arrival }),
    listen: (nats) => order({ kind: 'listen', nats }),
    measure: () => order({ kind: 'measure' }),
    tell,
    async untilInside(size, deadlineMs) {
      const beganAtMs = performance.now()
      let told: Told | undefined
      const areInside = async (): Promise<boolean> => (told = await tell()).inside >= size
      await until(areInside, {
        deadlineMs,
        what: `${size} browsers to be in`,
        everyMs: 100,
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(told)}`, { cause: error })
      })
      return performance.now() - beganAtMs
    },
    leave: () => order({ kind: 'leave' }),
    async stop() {
      if (child.connected) child.disconnect()
      await ended
      release({ kind: 'group', pid })
    },
  }
}
