// What can happen to gateways, and what a crowd of browsers does to them.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { crowdFaults } from './crowds.ts'
import { keyFaults } from './keys.ts'
import { lasting, recoveredWithin, seconds, untilMarked, untilTrue } from './bars.ts'

const livedMs = 1_000

/** Nobody lives, and all is told: what a browser is given when it comes back, and nothing after it, has to be the truth. */
async function comeToRest(stage: Stage): Promise<void> {
  // Nobody lived yet, and what was shown at first would be true by chance.
  await lasting(livedMs)
  stage.endLife()
  await stage.settle()
}

const lost = (stage: Stage, from: number): number =>
  stage.recorder.history.slice(from).filter(({ kind }) => kind === 'closed').length

export const gatewayFaults: readonly Fault[] = [
  {
    id: 'F30a',
    title: 'a gateway is killed',
    bar: 'its browsers are right at another one within 5 s',
    length: 'short',
    guard: 'where who joins gets the snapshot that was built for the one before, browsers were still wrong after 20 s',
    async run(stage) {
      await comeToRest(stage)
      const from = stage.recorder.history.length
      const [witness] = stage.witnesses
      await stage.gateways.find(({ now }) => now.webSocketUrl === witness?.url)?.kill()
      await until(() => lost(stage, from) > 0, { deadlineMs: 5_000, what: 'its browsers to notice' })
      const tookMs = await untilTrue(stage, 20_000)
      recoveredWithin(stage, tookMs, 5_000)
      return `right after ${seconds(tookMs)}`
    },
  },
  {
    id: 'F30b',
    title: 'a gateway is restarted while the leader is dead',
    bar: 'it serves what the stream holds, marked, within 15 s; true again when a leader is back',
    length: 'short',
    guard:
      'without the ten seconds after which it serves what it knows, and without belief in a snapshot where nobody speaks, nobody was served in 30 s',
    async run(stage) {
      await comeToRest(stage)
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
    guard: 'where who joins gets the snapshot that was built for the one before, browsers were still wrong after 20 s',
    async run(stage) {
      let longestMs = 0
      await comeToRest(stage)
      for (const gateway of stage.gateways) {
        await gateway.kill('SIGTERM')
        longestMs = Math.max(longestMs, await untilTrue(stage, 20_000))
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
