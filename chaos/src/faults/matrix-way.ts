// The way to the homeserver before any byte of HTTP: its name and its certificate.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startTcpProxy } from '@citypresence/sim/tcp-proxy'
import { startTlsFront, type TlsFront } from '@citypresence/sim/tls-front'
import { createAuthority } from '@citypresence/stack/certificates'
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import { setHosts } from '../machine/inside.ts'
import type { Stage } from '../stage.ts'
import { lasting, metricOf, missedIf, seconds, untilFresh, untilMarked } from './bars.ts'

const forMs = 15_000

/** Another life of the aggregator, with these settings. */
async function restart(stage: Stage, env: Record<string, string>): Promise<void> {
  stage.nextStart.aggregator = env
  const before = stage.aggregator.restarts
  await stage.aggregator.kill()
  await until(() => stage.aggregator.restarts > before, { deadlineMs: 30_000, what: 'the aggregator to be back' })
  await untilMarked(stage, 15_000)
  await untilFresh(stage, 40_000)
}

type Break = { readonly breaks: () => void; readonly mends: () => void }

/** From when it breaks until all is well, and nothing untrue meanwhile. */
async function broken(stage: Stage, { breaks, mends }: Break): Promise<string> {
  const failures = () => metricOf(stage.aggregator.now, /_sync_failures_total/)
  const before = await failures()
  stage.beginLife()
  const beganAtMs = stage.recorder.nowMs()
  breaks()
  const markedMs = await untilMarked(stage, 11_000)
  await lasting(Math.max(0, forMs - (stage.recorder.nowMs() - beganAtMs)))
  const attempts = (await failures()) - before
  mends()
  const tookMs = await untilFresh(stage, 30_000)
  missedIf(attempts > 9, `${attempts} attempts`)
  missedIf(attempts === 0, 'no attempt failed: the fault was none')
  return `marked after ${seconds(markedMs)}, ${attempts} attempts, fresh ${seconds(tookMs)} after it was well`
}

async function withoutName(stage: Stage): Promise<string> {
  const door = await startTcpProxy({ to: Number(new URL(stage.homeserver.url).port) })
  try {
    setHosts(stage.folder, { 'matrix.test': '127.0.0.1' })
    await restart(stage, { MATRIX_HS_URL: `http://matrix.test:${door.port}` })
    return await broken(stage, {
      breaks: () => {
        // No name server anywhere knows a name that ends with .test.
        setHosts(stage.folder, {})
        door.resetAll()
      },
      mends: () => setHosts(stage.folder, { 'matrix.test': '127.0.0.1' }),
    })
  } finally {
    await restart(stage, {})
    await door.stop()
  }
}

type Secured = { readonly front: TlsFront; readonly ours: ReturnType<typeof createAuthority>; readonly caFile: string }

const secured =
  (play: (stage: Stage, secured: Secured) => Break) =>
  async (stage: Stage): Promise<string> => {
    const ours = createAuthority('the city')
    const caFile = join(stage.folder, 'matrix-ca.pem')
    writeFileSync(caFile, ours.certPem)
    const certificate = ours.forServer(['127.0.0.1'], ['localhost'])
    const front = await startTlsFront({ to: Number(new URL(stage.homeserver.url).port), certificate })
    try {
      await restart(stage, { MATRIX_HS_URL: `https://127.0.0.1:${front.port}`, MATRIX_CA_FILE: caFile })
      return await broken(stage, play(stage, { front, ours, caFile }))
    } finally {
      await restart(stage, {})
      await front.stop()
    }
  }

const bar = 'marked within STALE_AFTER + 5 s, counts stay; at most 9 attempts; true again within 30 s'

export const matrixWayFaults: readonly Fault[] = [
  {
    id: 'F22e',
    title: 'the name of the homeserver leads nowhere for 15 s (DNS), and its connections are lost',
    bar,
    length: 'long',
    breaksPolls: true,
    run: withoutName,
  },
  {
    id: 'F22f',
    title: 'for 15 s the homeserver shows a certificate that is for another name',
    bar,
    length: 'long',
    guard: 'without a look at the name of the certificate nobody was marked in 11 s',
    breaksPolls: true,
    run: secured((_, { front, ours }) => ({
      breaks: () => {
        front.show(ours.forServer([], ['elsewhere.test']))
        front.resetAll()
      },
      mends: () => front.show(ours.forServer(['127.0.0.1'], ['localhost'])),
    })),
  },
  {
    id: 'F22g',
    title: 'the homeserver has a certificate of another authority, which comes by file 15 s later',
    bar,
    length: 'long',
    guard: 'where the file of authorities is read once every browser was still marked after 30 s',
    breaksPolls: true,
    run: secured((_, { front, caFile }) => {
      const theirs = createAuthority('another')
      return {
        breaks: () => {
          front.show(theirs.forServer(['127.0.0.1'], ['localhost']))
          front.resetAll()
        },
        mends: () => writeFileSync(caFile, theirs.certPem),
      }
    }),
  },
]
