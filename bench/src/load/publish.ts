// Ways to bring rooms into a stream on disk, each until its acknowledgement; commands come on standard input, as `<way> <batch> <ms>`.
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, headers, type MsgHdrs } from '@nats-io/transport-node'
import { createInterface } from 'node:readline'
import { toMessages } from '@citypresence/aggregator/core/batch'
import { openFencedStream } from '@citypresence/aggregator/edge/fenced-stream'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { formatEpoch } from '@citypresence/wire/epoch'
import { subjectsBelow } from '@citypresence/wire/subjects'
import { roomNow } from '../harness/room.ts'

const connection = await connect({ servers: process.argv[2] ?? '', inboxPrefix: '_INBOX_bench' })
const subjects = subjectsBelow('city.presence')
const stream = openFencedStream({
  connection,
  streamName: 'CITY_PRESENCE',
  subjects,
  kind: 'rooms',
  replicas: 1,
  inboxPrefix: '_INBOX_bench',
  clock: systemClock,
})
await stream.ensure()
const manager = await jetstreamManager(connection)
// A stream of another name with the same shape for what speaks without a fence.
await manager.streams.add({
  name: 'PLAIN',
  subjects: ['plain.>'],
  max_msgs_per_subject: 1,
  allow_direct: true,
  storage: 'file',
})
const plain = jetstream(connection)
const claimed = await stream.claim(
  { term: Date.now(), holder: 'bench', city: 'bench' },
  (await stream.readRecord()).sequence,
)
if (claimed.kind !== 'acked') throw new Error('the stream could not be claimed')
const epoch = { term: 1, epoch: claimed.sequence }
let last = claimed.sequence

/** The whole way of the leader's: values to messages, the fence on each, one acknowledgement. */
async function ours(batch: number): Promise<number> {
  const rooms = Array.from({ length: batch - 1 }, (_, index) => roomNow(index))
  const beat = { complete: true, rooms: batch - 1, source: 'live', source_age_ms: 0 } as const
  const answer = await stream.write(toMessages(rooms, beat, { epoch, subjects, traceOf: () => undefined }), epoch, last)
  if (answer.kind !== 'acked') throw new Error(`not stored: ${JSON.stringify(answer)}`)
  last = answer.sequence
  return batch
}

const bodies = Array.from({ length: 1_000 }, (_, index) => JSON.stringify(roomNow(index)))
const targets = bodies.map((_, index) => `ingest.city.presence.room.room${index}`)
let batches = 0

/** The same messages on the wire with nothing around them: bodies are ready, nobody looks at the answer but at its coming. */
async function raw(batch: number): Promise<number> {
  const id = `raw-${batches++}`
  const voice = formatEpoch(epoch)
  const fence = (index: number): MsgHdrs => {
    const fields = headers()
    fields.set('Presence-Epoch', voice)
    fields.set('Nats-Expected-Last-Subject-Sequence', String(epoch.epoch))
    fields.set('Nats-Expected-Last-Subject-Sequence-Subject', 'city.presence.epoch')
    fields.set('Nats-Batch-Id', id)
    fields.set('Nats-Batch-Sequence', String(index + 1))
    return fields
  }
  for (let index = 0; index < batch - 1; index++)
    connection.publish(targets[index] ?? '', bodies[index], { headers: fence(index) })
  const fields = fence(batch - 1)
  fields.set('Nats-Batch-Commit', '1')
  const answer = await connection.request(targets[batch - 1] ?? '', bodies[batch - 1], {
    headers: fields,
    timeout: 5_000,
  })
  last = answer.json<{ seq: number }>().seq
  return batch
}

async function inFlight(batch: number): Promise<number> {
  const most = 512
  const waiting = new Set<Promise<unknown>>()
  for (let index = 0; index < batch; index++) {
    const sent: Promise<unknown> = plain
      .publish(`plain.room.room${index}`, bodies[index])
      .finally(() => waiting.delete(sent))
    waiting.add(sent)
    if (waiting.size >= most) await Promise.race(waiting)
  }
  await Promise.all(waiting)
  return batch
}

async function awaited(): Promise<number> {
  for (let index = 0; index < 100; index++) await plain.publish(`plain.room.room${index}`, bodies[index])
  return 100
}

const ways: Readonly<Record<string, (batch: number) => Promise<number>>> = { ours, raw, 'in-flight': inFlight, awaited }

async function measure(command: string): Promise<void> {
  const [way = '', batch = '1000', ms = '1000'] = command.split(' ')
  const run = ways[way]
  if (run === undefined) throw new Error(`${way} is none of ${Object.keys(ways).join(', ')}`)
  const [fromMs, cpu] = [performance.now(), process.cpuUsage()]
  let stored = 0
  while (performance.now() - fromMs < Number(ms)) stored += await run(Number(batch))
  const [tookMs, used] = [performance.now() - fromMs, process.cpuUsage(cpu)]
  process.stdout.write(
    `${JSON.stringify({ perS: (stored * 1_000) / tookMs, cpuMicros: (used.user + used.system) / stored })}\n`,
  )
}

process.stdout.write('{"ready":true}\n')
for await (const line of createInterface({ input: process.stdin })) await measure(line)
