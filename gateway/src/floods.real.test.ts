// Floods on the ports of a gateway that runs as in production: it lives, its memory is bounded, and who behaves is served.
import { startNats, type NatsServer } from '@citypresence/stack/nats-server'
import { startGateway, type Gateway } from '@citypresence/stack/service'
import { makeToken } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { floods, type FloodTarget } from '@citypresence/sim/hostile/floods'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Browser } from './testing/hall.ts'
import { startLittleLeader, type LittleLeader } from './testing/little-leader.ts'

const secret = 'a secret of at least thirty-two bytes'
const mebibyte = 1_024 * 1_024
// What V8 lets grow before it looks depends on the machine's memory: on one of 24 GiB it was seen to take 216 MiB for garbage,
// once in ten runs. As in a small pod it may not: what gathers there ends the process.
const smallHeap = ['--max-old-space-size=64', '--max-semi-space-size=4']
/** Of all floods together, one after the other. */
const growthMax = 48 * mebibyte

let nats: NatsServer
let leader: LittleLeader
let gateway: Gateway
let target: FloodTarget
let beating: NodeJS.Timeout
let peakBytes = 0

beforeAll(async () => {
  nats = await startNats()
  leader = await startLittleLeader(nats)
  await leader.claim(1)
  await leader.room('energy', 0)
  const beat = (): void => void leader.beat(1).catch(() => undefined)
  beat()
  const { user, pass } = nats.gateway
  gateway = await startGateway({
    nodeArgs: smallHeap,
    env: { NATS_URL: nats.url, NATS_USER: user, NATS_PASSWORD: pass, HOST: '127.0.0.1', JWT_SECRET: secret },
  })
  beating = setInterval(() => {
    beat()
    if (gateway.isRunning()) peakBytes = Math.max(peakBytes, gateway.rss())
  }, 250)
  target = { port: gateway.port, adminPort: Number(new URL(gateway.adminUrl).port), token: makeToken({ secret }) }
})
afterAll(async () => {
  clearInterval(beating)
  await gateway.stop()
  await leader.stop()
  await nats.stop()
})

it(
  '[G37] no flood ends the gateway, fills its memory, or keeps a change from who behaves',
  { timeout: 120_000 },
  async () => {
    const good = new Browser(`${gateway.webSocketUrl}?token=${makeToken({ secret })}`, {})
    await until(() => good.isOpen, { deadlineMs: 10_000, what: 'the good one to be in' })
    const before = gateway.rss()
    let online = 0
    for (const { name, play } of floods) {
      peakBytes = 0
      const playing = play(target).then(() => true)
      // While it rages, and not only after it.
      await leader.room('energy', ++online)
      await until(() => good.shows('energy') === online, { deadlineMs: 15_000, what: `a change during ${name}` })
      expect(await playing, name).toBe(true)
      expect(gateway.isRunning(), name).toBe(true)
      const grown = Math.max(peakBytes, gateway.rss()) - before
      console.log(`${name}: memory at most ${(grown / mebibyte).toFixed(1)} MiB above the start`)
      expect(grown, name).toBeLessThan(growthMax)
    }
    await until(async () => /^citypresence_gateway_connections 1$/m.test(await gateway.metrics()), {
      deadlineMs: 30_000,
      what: 'all attackers to be forgotten',
    })
    expect(good.closed).toBeUndefined()
    good.socket.terminate()
    expect(gateway.log()).not.toMatch(/"level":(?:50|60)|uncaught/i)
  },
)
