// Who leads, and how one of the aggregators is made to leave.
import { until } from '@citypresence/stack/until'
import type { Kube, KubeThing, Pod } from './kube.ts'
import { isReady, podsReady } from './kube.ts'
import { aggregatorSelector, cityName, namespace } from './names.ts'

type Lease = KubeThing & { readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number } }

/** The pod that the Lease names, once it is one that lives. */
export async function leaderOf(kube: Kube, deadlineMs = 30_000): Promise<Pod> {
  return until(
    async () => {
      const lease = await kube.get<Lease>('lease', `${cityName}-aggregator`, namespace)
      const holder = lease?.spec.holderIdentity ?? ''
      const pods = await kube.list<Pod>('pods', namespace, aggregatorSelector)
      // A holder is the uid of a pod and a word of its own for each start.
      return pods.find((pod) => holder.startsWith(`${pod.metadata.uid ?? 'none'}_`) && isReady(pod))
    },
    { deadlineMs, everyMs: 250, what: 'a leader that is ready' },
  )
}

/** Both aggregators there and ready, and one of them leading: where each scenario begins. */
export async function pairStands(kube: Kube): Promise<Pod> {
  await podsReady(kube, namespace, aggregatorSelector, 2, 120_000)
  return leaderOf(kube)
}
