// What the provider of the keys that tokens are signed with can do to a gateway: rotate them, be away, be slow, talk nonsense.
import { setTimeout as delay } from 'node:timers/promises'
import { snapshotPath } from '@citypresence/wire/client-messages'
import { makeKey, startKeyServer, type KeyServer, type SigningKey } from '@citypresence/sim/key-server'
import { startGateway } from '@citypresence/stack/service'
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { lasting, missedIf, recoveredWithin, seconds } from './bars.ts'

type Visitor = {
  /** From now on tokens are signed with this key. */
  readonly use: (key: SigningKey) => void
  readonly ask: (token: string) => Promise<number>
}

const everyMs = 50

/** A gateway of its own that asks the provider; every 50 ms somebody with a good token comes, and a forger with the same kid. */
async function withVisitors(
  stage: Stage,
  first: SigningKey,
  play: (provider: KeyServer, visitor: Visitor) => Promise<string>,
): Promise<string> {
  const provider = await startKeyServer()
  provider.publish(first.jwk)
  const gateway = await startGateway({
    env: {
      NATS_URL: stage.nats.url,
      NATS_USER: stage.nats.gateway.user,
      NATS_PASSWORD: stage.nats.gateway.pass,
      JWKS_URL: provider.url,
      JWT_ALGORITHMS: 'ES256',
    },
  })
  const ask = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${gateway.url}${snapshotPath}`, { headers, signal: AbortSignal.timeout(20_000) })
    await answer.arrayBuffer()
    return answer.status
  }
  let key = first
  const visits = { well: 0, refused: [] as number[], forged: [] as number[] }
  const over = new AbortController()
  const comeAndGo = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const status = await ask(key.token())
      visits.well++
      if (status !== 200) visits.refused.push(status)
      const forged = await ask(makeKey(key.kid).token())
      if (forged !== 401) visits.forged.push(forged)
      await delay(everyMs)
    }
  }
  const coming = comeAndGo()
  try {
    const figure = await play(provider, { use: (next) => (key = next), ask })
    over.abort()
    await coming
    missedIf(visits.refused.length > 0, `${visits.refused.length} good tokens were refused (${visits.refused[0]})`)
    missedIf(visits.forged.length > 0, `${visits.forged.length} forged tokens got ${visits.forged[0]}`)
    return `${visits.well} good tokens let in, as many forged ones refused; ${figure}`
  } finally {
    over.abort()
    await coming.catch(() => undefined)
    await gateway.stop('SIGKILL')
    await provider.stop()
  }
}

/** A little more than the pause between two questions: providers publish a key at least so long before they sign with it. */
const pauseMs = 31_000

export const keyFaults: readonly Fault[] = [
  {
    id: 'F35a',
    title: 'the provider of keys is away, then never answers, then talks nonsense, and comes back with another key',
    bar: 'no good token is refused, no forged one let in; the new key counts within 5 s of the return',
    length: 'long',
    guard: 'without the keys that were known before, 52 good tokens were refused with 503 while the provider was away',
    run: (stage) =>
      withVisitors(stage, makeKey('first'), async (provider, { ask, use }) => {
        const next = makeKey('next')
        // So soon after an answer the provider is not asked again, and that it is away would not be noticed.
        await lasting(pauseMs)
        await provider.stop()
        await lasting(2_000)
        const unknown = await ask(next.token())
        missedIf(unknown !== 503, `a token of a key that could not be asked for got ${unknown}, not "come back"`)
        provider.say(() => undefined)
        await provider.startAgain()
        void ask(next.token()).catch(() => undefined)
        await lasting(6_000) // longer than the gateway waits for an answer
        provider.say((response) => response.end('<html>out of order</html>'))
        void ask(next.token()).catch(() => undefined)
        await lasting(3_000)
        provider.publish(next.jwk)
        const beganAtMs = stage.recorder.nowMs()
        await until(async () => (await ask(next.token())) === 200, { deadlineMs: 30_000, what: 'the new key to count' })
        const tookMs = stage.recorder.nowMs() - beganAtMs
        use(next)
        await lasting(500)
        recoveredWithin(stage, tookMs, 5_000)
        return `the new key counted after ${seconds(tookMs)}`
      }),
  },
  {
    id: 'F35b',
    title: 'the key of tokens is rotated',
    bar: 'published half a minute before its first use: no good token is refused, no forged one let in',
    length: 'long',
    guard: 'where the provider is asked once, 64 good tokens were refused (503)',
    run: (stage) => {
      const [old, next] = [makeKey('old'), makeKey('next')]
      return withVisitors(stage, old, async (provider, { use }) => {
        await lasting(1_000)
        provider.publish(old.jwk, next.jwk)
        await lasting(pauseMs)
        use(next)
        await lasting(2_000)
        provider.publish(next.jwk)
        await lasting(2_000)
        return `${provider.asked()} questions to the provider`
      })
    },
  },
]
