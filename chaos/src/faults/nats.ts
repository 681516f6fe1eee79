// What NATS can do wrong.
import { cpSync, rmSync } from 'node:fs'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { backBar, connectionsKept, lasting, seconds, untilFresh, untilMarked } from './bars.ts'
import { deleteStream } from './nats-admin.ts'

/** The disk as it is now, put back later: what a loss of power, or a restored backup, does. */
function copyOfDisk(stage: Stage): { putBack(): void; remove(): void } {
  const { storeDir } = stage.nats
  const copy = `${storeDir}-copy`
  cpSync(storeDir, copy, { recursive: true })
  return {
    putBack() {
      rmSync(storeDir, { recursive: true })
      cpSync(copy, storeDir, { recursive: true })
    },
    remove: () => rmSync(copy, { recursive: true, force: true }),
  }
}

async function rollBack(stage: Stage, between: () => Promise<unknown>): Promise<string> {
  await stage.nats.end()
  const disk = copyOfDisk(stage)
  try {
    await stage.nats.restart()
    await untilFresh(stage, 20_000)
    stage.beginLife()
    await between()
    await stage.nats.kill()
    disk.putBack()
    stage.stored.rolledBack()
    await stage.nats.restart()
    const tookMs = await backBar(stage, 5_000)
    return `true again ${seconds(tookMs)} after the return`
  } finally {
    disk.remove()
  }
}

export const natsFaults: readonly Fault[] = [
  {
    id: 'F12',
    title: 'nats-server is killed, its disk is kept',
    bar: 'no browser loses its connection; true again 3 s after it is back',
    length: 'short',
    guard: 'where NATS is dialled once more and then given up for good all was well again only after 7.9 s',
    async run(stage) {
      const check = connectionsKept(stage)
      await stage.nats.kill()
      const markedMs = await untilMarked(stage, 10_000)
      await stage.nats.restart()
      const tookMs = await backBar(stage, 3_000)
      check()
      return `marked after ${seconds(markedMs)}, true again ${seconds(tookMs)} after the return`
    },
  },
  {
    id: 'F14',
    title: 'nats-server stands still, its connections stay open',
    bar: 'seen within 15 s, marked after 5 s; true again 5 s after it goes on',
    length: 'short',
    guard: 'without an end of what five seconds without a beat may still call fresh nobody was marked in 15 s',
    async run(stage) {
      stage.nats.pause()
      const markedMs = await untilMarked(stage, 15_000).finally(() => stage.nats.resume())
      const tookMs = await backBar(stage, 5_000)
      return `marked after ${seconds(markedMs)}, true again ${seconds(tookMs)} after it went on`
    },
  },
  {
    id: 'F15a',
    title: 'the stream is deleted',
    bar: 'made again and filled within 10 s, nobody helps',
    length: 'short',
    guard: 'where a leader in doubt does not make the stream again every browser was still marked after 30 s',
    async run(stage) {
      await deleteStream(stage)
      stage.stored.rolledBack()
      await lasting(1_500)
      const tookMs = await backBar(stage, 10_000)
      return `true again ${seconds(tookMs + 1_500)} after it was deleted`
    },
  },
  {
    id: 'F15b',
    title: 'nats-server loses its disk',
    bar: 'the stream is made again and filled within 10 s of the return, nobody helps',
    length: 'short',
    guard: 'where a leader in doubt does not make the stream again every browser was still marked after 30 s',
    async run(stage) {
      await stage.nats.kill()
      rmSync(stage.nats.storeDir, { recursive: true })
      stage.stored.rolledBack()
      await stage.nats.restart()
      const tookMs = await backBar(stage, 10_000)
      return `true again ${seconds(tookMs)} after the return`
    },
  },
  {
    id: 'F16a',
    title: 'the store is rolled back to after the claim',
    bar: 'the rightful leader is followed within 5 s of the return',
    length: 'short',
    guard:
      'without the doubt after a write that nobody answered, and without the look at where an acknowledgement begins, every browser was still marked after 30 s',
    run: (stage) => rollBack(stage, () => lasting(2_000)),
  },
  {
    id: 'F16b',
    title: 'the store is rolled back to before the claim',
    bar: 'the rightful leader is followed within 5 s of the return; no older term is believed',
    length: 'short',
    guard:
      'where any other voice on the record ends the leader, and be it a lower one, all was well again only after 9.9 s',
    run: (stage) =>
      rollBack(stage, async () => {
        await stage.aggregator.kill()
        await untilMarked(stage, 15_000)
        await untilFresh(stage, 30_000)
        await lasting(1_000)
      }),
  },
]
