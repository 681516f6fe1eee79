// What somebody with more rights can do to the stream, a disk that is full, and a server that is too old.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNats } from '@citypresence/stack/nats-server'
import { startAggregator, startGateway, type Service } from '@citypresence/stack/service'
import { randomSecret } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { backBar, connectionsKept, lasting, missedIf, reasonsOf, seconds, untilMarked } from './bars.ts'
import { asAdmin, changeStream, deleteStream, streamInfo, streamName } from './nats-admin.ts'

/** Until the leader's last life has told the field. */
const untilNamed = (stage: Stage, field: string): Promise<unknown> =>
  until(() => stage.recorder.history.some((entry) => isNamed(entry, field)), {
    deadlineMs: 20_000,
    what: `the leader to name ${field}`,
  })

const isNamed = (entry: Stage['recorder']['history'][number], field: string): boolean =>
  entry.kind === 'complaint' && entry.text.includes('StreamDiffers') && entry.text.includes(`${field} is `)

type Change = {
  readonly id: string
  readonly title: string
  readonly field: string
  readonly length: Fault['length']
  readonly change: (stage: Stage) => Promise<void>
  readonly mend: (stage: Stage) => Promise<void>
}

const changed = ({ id, title, field, length, change, mend }: Change): Fault => ({
  id,
  title,
  bar: 'marked; the error names the field; true again 15 s after it is mended, nobody helps ours',
  guard: 'without the line that a process ends with: the field stood nowhere, only StreamDiffers in a metric',
  length,
  async run(stage) {
    const kept = connectionsKept(stage)
    await change(stage)
    try {
      await untilMarked(stage, 20_000)
      await untilNamed(stage, field)
    } finally {
      await mend(stage)
    }
    const tookMs = await backBar(stage, 15_000)
    kept()
    return `${field} was named; true again ${seconds(tookMs)} after it was mended`
  },
})

const setting = (id: string, title: string, [field, wrong, right]: [string, unknown, unknown]): Fault =>
  changed({
    id,
    title,
    field,
    length: 'long',
    change: (stage) => changeStream(stage, { [field]: wrong }),
    mend: (stage) => changeStream(stage, { [field]: right }),
  })

// --- a full disk -----------------------------------------------------------------------------------------------------------------

function whyNoMount(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'city-presence-mount-'))
  try {
    mountSmall(folder)
    unmount(folder)
    return undefined
  } catch {
    return 'this user may not mount a small file system'
  } finally {
    rmdirSync(folder)
  }
}

const mountSmall = (folder: string): unknown =>
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { stdio: 'ignore' })
const unmount = (folder: string): unknown => execFileSync('umount', [folder], { stdio: 'ignore' })

/** Moves the store onto a disk of 16 MB while the server is down, runs, and moves it back. */
async function onSmallDisk(stage: Stage, run: (folder: string) => Promise<string>): Promise<string> {
  const { nats } = stage
  const [folder, copy] = [nats.storeDir, `${nats.storeDir}-copy`]
  await nats.end()
  cpSync(folder, copy, { recursive: true })
  mountSmall(folder)
  try {
    cpSync(copy, folder, { recursive: true })
    await nats.restart()
    await stage.settle()
    stage.beginLife()
    return await run(folder)
  } finally {
    await nats.end()
    rmSync(copy, { recursive: true })
    cpSync(folder, copy, { recursive: true })
    unmount(folder)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    cpSync(copy, folder, { recursive: true })
    rmSync(copy, { recursive: true })
    await nats.restart()
  }
}

function fill(file: string): void {
  const block = Buffer.alloc(64 * 1024)
  try {
    for (;;) writeFileSync(file, block, { flag: 'a' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

const diskFull: Fault = {
  id: 'F18a',
  title: 'the disk of nats-server is full (a file system of 16 MB)',
  bar: 'ours neither end nor hammer; true again 5 s after there is space and nats-server writes again',
  length: 'long',
  cannot: whyNoMount,
  run: (stage) =>
    onSmallDisk(stage, async (folder) => {
      const kept = connectionsKept(stage)
      const restarts = stage.aggregator.restarts
      const filler = join(folder, 'filler')
      fill(filler)
      // What is stored with room to spare goes on for a while; in the end every write is refused.
      const marked = await untilMarked(stage, 30_000).then(
        (ms) => `marked after ${seconds(ms)}`,
        () => 'it wrote on into what it had',
      )
      await lasting(2_000)
      rmSync(filler)
      // JetStream switches itself off when a write fails, and comes back with the server only.
      await stage.nats.restart()
      const tookMs = await backBar(stage, 5_000)
      kept()
      missedIf(stage.aggregator.restarts > restarts, 'the leader ended')
      return `${marked}; true again ${seconds(tookMs)} after nats-server was started again with space`
    }),
}

// --- too old ---------------------------------------------------------------------------------------------------------------------

const tooOld: Fault = {
  id: 'F20',
  title: 'a nats-server that knows no fence (2.11)',
  bar: 'refused by leader and gateway before a word is stored; log and readiness name both versions',
  length: 'short',
  guard: 'without the look at the version nobody named both in 10 s, and the aggregator was gone',
  async run({ homeserver, town, cityService }) {
    const old = await startNats({ version: 'old' })
    const env = { NATS_URL: old.url, NATS_USER: old.leader.user, NATS_PASSWORD: old.leader.pass }
    const services: Service[] = []
    try {
      services.push(
        await startAggregator({
          waitFor: 'healthz',
          env: {
            ...env,
            MATRIX_HS_URL: homeserver.url,
            MATRIX_USER_ID: town.daemon.userId,
            MATRIX_ACCESS_TOKEN: town.daemon.accessToken,
            CITY_SERVICE_INTERNAL_URL: cityService.url,
          },
        }),
        await startGateway({ waitFor: 'healthz', env: { ...env, JWT_SECRET: randomSecret() } }),
      )
      for (const now of services)
        await until(async () => /NatsTooOld.*2\.11\.\d+.*2\.12/.test((await reasonsOf({ now })).join()), {
          deadlineMs: 10_000,
          what: `${now.name} to name both versions`,
        })
      return 'refused by both, with both versions'
    } finally {
      await Promise.all(services.map((service) => service.stop()))
      await old.stop()
    }
  },
}

export const natsStreamFaults: readonly Fault[] = [
  changed({
    id: 'F15c',
    title: 'the stream is deleted and made again by somebody, without republish and with another limit',
    field: 'republish',
    length: 'long',
    async change(stage) {
      const { config } = await streamInfo(stage)
      const other = { ...config, republish: undefined, first_seq: 0 }
      await deleteStream(stage)
      stage.stored.rolledBack()
      // Ours may be faster; then it is deleted again.
      await asAdmin(stage, `$JS.API.STREAM.CREATE.${streamName}`, other).catch(async () => {
        await deleteStream(stage)
        await asAdmin(stage, `$JS.API.STREAM.CREATE.${streamName}`, other)
      })
    },
    async mend(stage) {
      await deleteStream(stage)
      stage.stored.rolledBack()
    },
  }),
  setting('F15d', 'allow_atomic is switched off by hand', ['allow_atomic', false, true]),
  setting('F18b', 'a max_bytes is set by hand that is already reached', ['max_bytes', 600, -1]),
  diskFull,
  tooOld,
]
