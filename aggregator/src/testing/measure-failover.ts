// How long a change on Matrix waits for the frame in a browser when the leader goes in the moment before it, and whether a word of
// who went is still stored or shown. Real aggregators, kube-apiserver, nats-server, gateway and WebSocket; the double of a homeserver,
// so that its own time is not in the figures.
//
//   make failover WAYS="SIGTERM SIGKILL SIGSTOP" ROOMS=12 CYCLES=50      each way for itself, a line a cycle, p50 and p99 at its end
//   STANDBY=waits ... the same with a standby that does not follow Matrix; INTO=file.jsonl keeps every sample
import { appendFileSync } from 'node:fs'
import { percentile } from '@citypresence/stack/demo/progress'
import { until } from '@citypresence/stack/until'
import type { Frame } from '@citypresence/stack/viewer'
import { compareEpochs, type Epoch } from '@citypresence/wire/epoch'
import { startLeasedCity, type Heard, type LeasedCity, type Pod } from './leased-city.ts'

const { WAYS: wanted = 'SIGTERM SIGKILL SIGSTOP', ROOMS: rooms = '12', CYCLES: cycles = '50', INTO: into } = process.env
const standby = process.env['STANDBY'] ?? 'follows'

const ways: Readonly<Record<string, (pod: Pod) => unknown>> = {
  SIGTERM: (pod) => process.kill(pod.pid, 'SIGTERM'),
  SIGKILL: (pod) => process.kill(pod.pid, 'SIGKILL'),
  SIGSTOP: (pod) => pod.pause(),
}

type Sample = { readonly heardMs: number; readonly shownMs: number; readonly stored: number; readonly shown: number }

async function fail(city: LeasedCity, end: (pod: Pod) => unknown): Promise<Sample> {
  await city.standby()
  await until(() => city.viewer?.stale === false, { deadlineMs: 30_000, what: 'the browser without a mark' })
  const { pod } = await city.leader()
  const [heardFrom, shownFrom] = [city.heard.length, city.shown.length]
  end(pod)
  const { changedAtMs, heardAtMs, shownAtMs = Number.NaN, online } = await city.change()
  pod.resume()
  // Whatever it still wants to say it says before this.
  await pod.exited
  await city.leader()
  const after = city.shown.slice(shownFrom)
  const right = after.findIndex(({ counts }) => counts.online === online)
  // What the browser showed when the leader went: nothing but this may stand there until the right count comes, and nothing after it.
  const before = online === 2 ? 1 : 2
  const isStray = ({ counts }: Frame, index: number): boolean =>
    counts.online !== online && (index > right || counts.online !== before)
  return {
    heardMs: heardAtMs - changedAtMs,
    shownMs: shownAtMs - changedAtMs,
    stored: deposedWords(city.heard.slice(heardFrom)),
    shown: after.filter(isStray).length,
  }
}

/** What was stored under a lower voice after a claim; the stream republishes what it stores and nothing else. */
function deposedWords(heard: readonly Heard[]): number {
  let voice: Epoch = { term: 0, epoch: 0 }
  return heard.filter(({ subject, epoch }) => {
    if (epoch === undefined) return true
    if (subject === 'city.presence.epoch') voice = epoch
    return compareEpochs(epoch, voice) < 0
  }).length
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const ms = (values: readonly number[], percent: number): string => `${Math.round(percentile(values, percent))} ms`

async function measure(city: LeasedCity, way: string): Promise<void> {
  const end = ways[way]
  if (end === undefined) throw new Error(`${way} is none of ${Object.keys(ways).join(', ')}`)
  const samples: Sample[] = []
  for (let cycle = 1; cycle <= Number(cycles); cycle++) {
    const sample = await fail(city, end)
    samples.push(sample)
    if (into !== undefined)
      appendFileSync(into, `${JSON.stringify({ way, rooms: Number(rooms), standby, ...sample })}\n`)
    say(`${way} ${cycle} of ${cycles}: frame after ${Math.round(sample.shownMs)} ms`)
  }
  const [heard, shown] = [samples.map(({ heardMs }) => heardMs), samples.map(({ shownMs }) => shownMs)]
  const sum = (of: (sample: Sample) => number): number => samples.reduce((all, sample) => all + of(sample), 0)
  say(
    `${way}, ${rooms} rooms, standby ${standby}, n ${samples.length}: browser p50 ${ms(shown, 50)}, p99 ${ms(shown, 99)}, ` +
      `most ${ms(shown, 100)}; stream p50 ${ms(heard, 50)}, p99 ${ms(heard, 99)}; ` +
      `stale writes stored ${sum(({ stored }) => stored)}, shown ${sum(({ shown: one }) => one)}`,
  )
}

const city = await startLeasedCity({
  rooms: Number(rooms) - 1,
  people: Math.max(40, Number(rooms)),
  browser: true,
  env: { STANDBY: standby },
})
try {
  await city.startPod()
  for (const way of wanted.split(' ')) await measure(city, way)
} finally {
  await city.stop()
}
