// What a standby that follows Matrix costs the homeserver, and what it buys: `node aggregator/src/testing/measure-standby.ts`, followed
// by `follows` or `waits` for one of them alone. The demo's city on a real Synapse, with a real Lease, gateway and WebSocket: for each
// kind a while of life with it, and planned handovers (SIGTERM) timed from a change made right after the signal to the frame in a browser.
import { readFileSync } from 'node:fs'
import { percentile } from '@citypresence/stack/demo/progress'
import { startResidents } from '@citypresence/stack/demo/residents'
import { startKubeApiServer } from '@citypresence/stack/kube-apiserver'
import { makeLeaseHome } from '@citypresence/stack/kube-lease'
import type { Service } from '@citypresence/stack/service'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
import { startViewer, type Frame, type Viewer } from '@citypresence/stack/viewer'
import { startWholeCity, type WholeCity } from '@citypresence/stack/whole-city'
import { setTimeout as delay } from 'node:timers/promises'

const [handovers, lifeMs, deadlineMs, throttleMs] = [8, 30_000, 60_000, 3_000]
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['follows', 'waits']
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Seconds of CPU that it has used; a tick of the kernel is 10 ms. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const numberIn = (text: string, name: RegExp): number =>
  text
    .split('\n')
    .filter((line) => name.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
const syncsOf = async (all: readonly Service[]): Promise<number> =>
  (await Promise.all(all.map((one) => one.metrics()))).reduce(
    (sum, text) => sum + numberIn(text, /^citypresence_aggregator_syncs_total/),
    0,
  )

/** The same people do the same things, for as long. */
async function live(whole: WholeCity, all: readonly Service[], what: string): Promise<void> {
  const residents = startResidents(whole.city, 7)
  await delay(15_000) // everybody has come
  const [cpu, syncs] = [cpuOf(whole.city.synapse.pid), await syncsOf(all)]
  await delay(lifeMs)
  const [used, asked] = [cpuOf(whole.city.synapse.pid) - cpu, (await syncsOf(all)) - syncs]
  residents.stop()
  say(
    `${what}: Synapse ${((used / lifeMs) * 100_000).toFixed(1)} % of a core, ${((asked / lifeMs) * 1_000).toFixed(2)} answers of /sync a second`,
  )
}

async function roleOf({ adminUrl }: Service): Promise<string | undefined> {
  const answer = await fetch(`${adminUrl}/readyz`).catch(() => undefined)
  return answer?.ok === true ? ((await answer.json()) as { role: string }).role : undefined
}

const isSilent = ({ rooms }: Viewer): boolean => [...rooms.values()].every(({ typing }) => typing === 0)

async function handOver(whole: WholeCity, all: Service[], viewer: Viewer): Promise<number> {
  await until(
    async () => (await Promise.all(all.map(roleOf))).every(Boolean) && viewer.stale === false && isSilent(viewer),
    {
      deadlineMs,
      what: 'all to be ready',
    },
  )
  await delay(throttleMs) // no window is open
  const index = (await Promise.all(all.map(roleOf))).indexOf('leader')
  const leader = all[index]
  if (leader === undefined) throw new Error('nobody leads')
  // Nobody else lives now: the mayor's typing is the only change.
  const room = whole.city.rooms[0]
  if (room === undefined) throw new Error('the city has no room')
  const mayor = whole.city.clientOf('mayor')
  let frame: Frame | undefined
  const off = viewer.onFrame((one) => {
    if (one.slug === room.slug && one.counts.typing > 0) frame ??= one
  })
  process.kill(leader.pid, 'SIGTERM')
  const fromMs = performance.now()
  await mayor.typing(room.roomId, true)
  await until(() => frame !== undefined, { deadlineMs, what: 'the change in the browser', everyMs: 5 })
  await mayor.typing(room.roomId, false)
  off()
  await leader.exited
  all[index] = await whole.addAggregator()
  return (frame?.atMs ?? Number.NaN) - fromMs
}

async function measure(standby: string, kubeconfig: string, isFirst: boolean): Promise<void> {
  const env = { LEADER_ELECTION: 'kubernetes', KUBECONFIG: kubeconfig, STANDBY: standby }
  const whole = await startWholeCity({ size: 'demo', gateways: 1, throttleMs, quiet: true, aggregatorEnv: env })
  const viewer = startViewer('browser', whole.gateways[0]?.webSocketUrl ?? '', whole.token)
  try {
    const all = [whole.aggregator]
    if (isFirst) await live(whole, all, 'without a standby')
    all.push(await whole.addAggregator())
    await live(whole, all, `with one that ${standby}`)
    await delay(10_000)
    const tookMs: number[] = []
    for (let count = 0; count < handovers; count++) {
      tookMs.push(await handOver(whole, all, viewer))
      say(`handover ${count + 1} of ${handovers}: frame after ${Math.round(tookMs.at(-1) ?? 0)} ms`)
    }
    say(
      `standby ${standby}: handover to the frame p50 ${Math.round(percentile(tookMs, 50))} ms, most ${Math.round(percentile(tookMs, 100))} ms, n ${handovers}`,
    )
  } finally {
    viewer.stop()
    await whole.stop()
  }
}

const folder = makeTemporaryFolder('standby')
const kube = await startKubeApiServer()
try {
  for (const [index, standby] of wanted.entries()) {
    const home = await makeLeaseHome(kube)
    await home.makeLease()
    await measure(standby, home.writeKubeconfig(folder.path), index === 0)
  }
} finally {
  await kube.stop()
  folder.remove()
}
