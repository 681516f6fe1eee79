import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { Service } from '@citypresence/stack/service'
import { createRecorder } from '@citypresence/checker/recorder'
import { expect, it } from 'vitest'
import { keepService } from './kept-service.ts'

type Life = { readonly service: Service; readonly end: () => void }

/** Processes that are none: they live until they are told to end. */
function lives(): { all: Life[]; start: () => Promise<Service>; running: () => number } {
  const all: Life[] = []
  const start = (): Promise<Service> => {
    const { promise, resolve } = Promise.withResolvers<{ code: number; signal: null }>()
    let isRunning = true
    const end = (): void => {
      isRunning = false
      resolve({ code: 1, signal: null })
    }
    const stop = () => (end(), promise)
    const service = {
      ...{ pid: -1, exited: promise, isRunning: () => isRunning, rss: () => 0, logLines: () => [], log: () => '' },
      stop,
      kill: stop,
    } as unknown as Service
    all.push({ service, end })
    return Promise.resolve(service)
  }
  return { all, start, running: () => all.filter(({ service }) => service.isRunning()).length }
}

const pauseMs = 10

it('[K9] one that ended by itself, is sent away and called back in the same second, comes back once', async () => {
  const { all, start, running } = lives()
  const kept = await keepService('one', start, createRecorder(), pauseMs)
  all[0]?.end()
  await kept.now.exited
  await kept.away()
  expect(running()).toBe(0)
  await kept.back()
  expect(running()).toBe(1)
  // A wait as long as that of a start which nobody wants any more, and begun after it, is over after it.
  await delay(pauseMs)
  await nextTurn()
  expect([running(), all.length]).toEqual([1, 2])
  await kept.stop()
  expect(running()).toBe(0)
})
