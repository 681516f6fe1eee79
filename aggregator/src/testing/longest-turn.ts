// How long the event loop was held up at most while something ran: what a beat or a probe would have waited.
//
// Counted in processor time of this thread, not by the clock: on a machine with other work the clock also counts the time in
// which nobody here did anything.
import { setImmediate as nextTurn } from 'node:timers/promises'

export async function longestTurnMs(run: () => Promise<void>): Promise<number> {
  let [running, longestMs] = [true, 0]
  const watching = (async () => {
    let lastMs = threadMs()
    while (running) {
      await nextTurn()
      const nowMs = threadMs()
      longestMs = Math.max(longestMs, nowMs - lastMs)
      lastMs = nowMs
    }
  })()
  await run().finally(() => (running = false))
  await watching
  return longestMs
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
