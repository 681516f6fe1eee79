// The Lease by which one of several operators works: made where it is missing, at the start and whenever somebody has deleted it. What
// stands in it is the business of the election alone.
import { fullJitterMs } from '@citypresence/chassis/core/backoff'
import { sleep, type Clock } from '@citypresence/chassis/edge/clock'
import type { KubeApi } from './kube-api.ts'
import { isWord } from './kube-api.ts'

export type OwnLeaseOptions = {
  readonly api: Pick<KubeApi, 'create'>
  readonly namespace: string
  readonly name: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

// Nobody works without it; an API server that is not there yet is there in some seconds.
const retry = { baseMs: 500, capMs: 10_000 }

export function keepLease({ api, namespace, name, clock, signal, onError }: OwnLeaseOptions): { make(): void } {
  let isMaking = false
  const make = async (): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      if (signal.aborted) return
      try {
        await api.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } }, signal)
        return
      } catch (error) {
        // Another one was faster.
        if (isWord(error, 'KubeConflict')) return
        onError(error)
        await sleep(clock, fullJitterMs(attempt, retry, 1), signal)
      }
    }
  }
  const begin = (): void => {
    if (isMaking) return
    isMaking = true
    void make().finally(() => (isMaking = false))
  }
  begin()
  return { make: begin }
}
