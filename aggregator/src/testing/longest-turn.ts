// How long the event loop was held up at most while something ran: what a beat or a probe would have waited.
import { setImmediate as nextTurn } from 'node:timers/promises'

export async function longestTurnMs(run: () => Promise<void>): Promise<number> {
  let [running, longestMs] = [true, 0]
  const watching = (async () => {
    let lastMs = performance.now()
    while (running) {
      await nextTurn()
      const nowMs = performance.now()
      longestMs = Math.max(longestMs, nowMs - lastMs)
      lastMs = nowMs
    }
  })()
  await run().finally(() => (running = false))
  await watching
  return longestMs
}
