// Tells people what happened to a city, as Events in its namespace: by server-side apply under a name made of what is said, so that a
// restart or a second telling finds the same Event. Never a reason for a round to fail.
import { hash } from 'node:crypto'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { fieldManagers } from '@citypresence/wire/city-resource'
import { eventFor, say, type TellingOf, type ToldEvents } from '../core/told-events.ts'
import type { KubeObject } from '../core/kube-object.ts'
import type { KubeApi } from './kube-api.ts'

export type KubeEvents = { tell(about: KubeObject, telling: TellingOf, signal?: AbortSignal): Promise<void> }

export type KubeEventsOptions = {
  readonly api: Pick<KubeApi, 'apply'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export function createKubeEvents({ api, clock, onError }: KubeEventsOptions): KubeEvents {
  const told: ToldEvents = new Map()
  return {
    async tell(about, telling, signal) {
      const { uid, namespace, name } = about.metadata
      const key = JSON.stringify([uid ?? [namespace, name], telling.type, telling.reason, telling.message])
      const [nowMs, wallMs] = [clock.monotonicMs(), clock.wallMs()]
      const said = say(told, key, nowMs)
      if (said === undefined) return
      const suffix = hash('sha256', key).slice(0, 16)
      const event = eventFor(about, telling, said, { suffix, component: fieldManagers.operator, wallMs, nowMs })
      try {
        await api.apply(event, signal)
      } catch (error) {
        // Said again the next time that it happens.
        told.delete(key)
        onError(error)
      }
    },
  }
}
