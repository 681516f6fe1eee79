// What a round of work asks of the API server, for one round at a time: whatever it asks while it runs ends when its time is up.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { TellingOf } from '../core/told-events.ts'
import type { KubeObject, ObjectRef } from '../core/kube-object.ts'
import type { KubeApi } from './kube-api.ts'
import { KubeError } from './kube-errors.ts'
import type { KubeEvents } from './kube-events.ts'

export type ClusterOptions = {
  readonly api: Pick<KubeApi, 'get' | 'apply' | 'applyStatus' | 'delete' | 'secretKeys'>
  readonly events: KubeEvents
  /** From the caches. */
  readonly objectsOf: (city: KubeObject) => readonly KubeObject[]
}

export function createCluster({ api, events, objectsOf }: ClusterOptions) {
  const rounds = new AsyncLocalStorage<AbortSignal>()
  const signal = (): AbortSignal | undefined => rounds.getStore()
  return {
    /** Everything that this work asks for is ended by this signal. */
    within: <T>(end: AbortSignal, work: () => Promise<T>): Promise<T> => rounds.run(end, work),
    objectsOf,
    read: (ref: ObjectRef) => api.get(ref, signal()),
    apply: (object: KubeObject) => api.apply(object, signal()),
    async remove(ref: ObjectRef): Promise<void> {
      const { uid } = ref
      if (uid === undefined)
        throw new KubeError('KubeRefused', `${ref.kind} ${ref.name}: only an object whose uid is known is deleted`)
      await api.delete({ ...ref, uid }, signal())
    },
    secretKeys: (namespace: string, name: string) => api.secretKeys(namespace, name, signal()),
    applyStatus(city: KubeObject, status: unknown): Promise<KubeObject> {
      const { apiVersion, kind } = city
      const { name, namespace, uid } = city.metadata
      // Only this very one: another one of its name begins with a status of its own.
      const metadata = {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
      }
      return api.applyStatus({ apiVersion, kind, metadata, status }, signal())
    },
    tell: (city: KubeObject, telling: TellingOf) => events.tell(city, telling, signal()),
  }
}
