// A wait that a signal cuts short; it never fails, the caller looks at the signal.
import { setTimeout as delay } from 'node:timers/promises'

export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
}
