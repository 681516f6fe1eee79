// The floor of a fan-out: a C program that sends the same bytes to as many sockets in a loop.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { updateFrame } from '@citypresence/gateway/core/frames'
import { freePort } from '@citypresence/stack/free-port'
import { viewOf } from '@citypresence/wire/client-messages'
import { compiled } from '../harness/compiled.ts'
import { startChild } from '../harness/lines.ts'
import { serverCore } from '../harness/machine.ts'
import { startSink, type Sink } from '../harness/sink.ts'
import { roomNow } from '../harness/room.ts'

type LoopRun = {
  readonly writes: number
  readonly full: number
  readonly torn: number
  readonly ms: number
  readonly cpuMs: number
}
type SendLoop = { run(ms: number, frames: number): Promise<LoopRun>; readonly sink: Sink; stop(): Promise<void> }

/** The bytes of one flush with so many rooms, as the gateway makes them. */
const flushBytes = (frames: number): Buffer =>
  Buffer.concat(Array.from({ length: frames }, (_, index) => updateFrame(viewOf(roomNow(index)))))

/** Undefined where there is no C compiler. */
export async function startSendLoop(clients: number): Promise<SendLoop | undefined> {
  const program = compiled('send-loop')
  if (program === undefined) return undefined
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'bench-floor-'))
  const loop = startChild(program, [String(port)], { core: serverCore })
  await loop.line()
  const sink = startSink({ port, path: '/' })
  await sink.connect(clients)
  return {
    sink,
    run(ms, frames) {
      const file = join(folder, `flush-${frames}`)
      writeFileSync(file, flushBytes(frames))
      return loop.ask<LoopRun>(`run ${ms} ${file}`)
    },
    async stop() {
      await sink.stop()
      await loop.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
