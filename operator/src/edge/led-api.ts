// The API server as who leads may use it: read always, written while the Lease is held. What an operator writes meets no fence, and a
// process that stood still learns that its time is over from a timer, which may come after the answers that make it go on writing.
import { CityError } from '@citypresence/chassis/errors'
import type { KubeApi } from './kube-api.ts'

export function whileLeading(api: KubeApi, leads: () => boolean): KubeApi {
  const led = async <T>(write: () => Promise<T>): Promise<T> => {
    if (!leads()) throw new CityError('LeadershipLost', 'the Lease is not held: nothing is written')
    return write()
  }
  return {
    ...api,
    apply: (object, signal) => led(() => api.apply(object, signal)),
    applyStatus: (object, signal) => led(() => api.applyStatus(object, signal)),
    create: (object, signal) => led(() => api.create(object, signal)),
    delete: (ref, signal) => led(() => api.delete(ref, signal)),
  }
}
