// How long a change on Matrix waits for its frame when the leader goes in the moment before it:
// `node aggregator/src/testing/measure-failover.ts [cycles]`. Real aggregators, kube-apiserver and nats-server, the double of a
// homeserver with one room; measured where the stream republishes it.
import { startLeasedCity, type LeasedCity, type Pod } from './leased-city.ts'

const cycles = Number(process.argv[2] ?? 10)

const ways: Readonly<Record<string, (pod: Pod) => unknown>> = {
  SIGTERM: (pod) => void pod.stop(),
  SIGKILL: (pod) => pod.kill(),
  SIGSTOP: (pod) => pod.pause(),
}

async function measure(city: LeasedCity, end: (pod: Pod) => unknown): Promise<number[]> {
  const waitsMs: number[] = []
  for (let cycle = 0; cycle < cycles; cycle++) {
    await city.standby()
    const { pod } = await city.leader()
    await end(pod)
    const { changedAtMs, heardAtMs } = await city.change()
    waitsMs.push(heardAtMs - changedAtMs)
    pod.resume()
    await pod.exited
  }
  return waitsMs.sort((a, b) => a - b)
}

const at = (sorted: readonly number[], share: number): string =>
  `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)} ms`

const city = await startLeasedCity()
await city.startPod()
try {
  for (const [name, end] of Object.entries(ways)) {
    const sorted = await measure(city, end)
    process.stdout.write(`${name}: p50 ${at(sorted, 0.5)}, p99 ${at(sorted, 0.99)}, n ${sorted.length}\n`)
  }
} finally {
  await city.stop()
}
