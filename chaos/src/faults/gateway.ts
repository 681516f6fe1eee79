// What can happen to gateways, and what a crowd of browsers does to them.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { crowdFaults } from './crowds.ts'
import { keyFaults } from './keys.ts'
import { recoveredWithin, seconds, untilFresh, untilMarked } from './bars.ts'

/** Until every witness shows the truth of the moment when it is asked. */
async function untilRight(stage: Stage, deadlineMs: number): Promise<number> {
  const beganAtMs = stage.recorder.nowMs()
  await untilFresh(stage, deadlineMs)
  return stage.recorder.nowMs() - beganAtMs
}

const lost = (stage: Stage, from: number): number =>
  stage.recorder.history.slice(from).filter(({ kind }) => kind === 'closed').length

export const gatewayFaults: readonly Fault[] = [
  {
    id: 'F30a',
    title: 'a gateway is killed',
    bar: 'its browsers are right at another one within 5 s',
    length: 'short',
    async run(stage) {
      const from = stage.recorder.history.length
      const [witness] = stage.witnesses
      await stage.gateways.find(({ now }) => now.webSocketUrl === witness?.url)?.kill()
      await until(() => lost(stage, from) > 0, { deadlineMs: 5_000, what: 'its browsers to notice' })
      const tookMs = await untilRight(stage, 20_000)
      recoveredWithin(stage, tookMs, 5_000)
      return `right after ${seconds(tookMs)}`
    },
  },
  {
    id: 'F30b',
    title: 'a gateway is restarted while the leader is dead',
    bar: 'it serves what the stream holds, marked, within 15 s; true again when a leader is back',
    length: 'short',
    async run(stage) {
      stage.endLife()
      await stage.settle()
      await stage.aggregator.away()
      await untilMarked(stage, 10_000)
      const from = stage.recorder.history.length
      for (const gateway of stage.gateways) await gateway.kill()
      await until(() => lost(stage, from) >= stage.witnesses.length, {
        deadlineMs: 10_000,
        what: 'all to be thrown out',
      })
      const beganAtMs = stage.recorder.nowMs()
      await until(() => stage.witnesses.every((one) => one.isConnected && one.stale === true && one.rooms.size > 0), {
        deadlineMs: 30_000,
        what: 'the last counts, marked, at every witness',
      })
      const servedMs = stage.recorder.nowMs() - beganAtMs
      await stage.aggregator.back()
      recoveredWithin(stage, servedMs, 15_000)
      return `served, marked, after ${seconds(servedMs)}`
    },
  },
  {
    id: 'F32a',
    title: 'all gateways are restarted in turn',
    bar: 'no browser is wrong or away for more than 5 s',
    length: 'short',
    async run(stage) {
      let longestMs = 0
      for (const gateway of stage.gateways) {
        await gateway.kill('SIGTERM')
        longestMs = Math.max(longestMs, await untilRight(stage, 20_000))
        await until(() => fetch(`${gateway.now.adminUrl}/readyz`).then(({ ok }) => ok), {
          deadlineMs: 30_000,
          what: 'the gateway to be back',
        })
      }
      recoveredWithin(stage, longestMs, 5_000)
      return `away for at most ${seconds(longestMs)}`
    },
  },
  ...crowdFaults,
  ...keyFaults,
]
