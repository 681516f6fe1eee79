// How long a first sync holds up the event loop, from socket to last slice, against a server in another thread:
//
//   node aggregator/src/testing/measure-first-sync.ts [rooms] [members] [whole]
//
// Prints the longest turn of each stage: fetched, read beside the loop and learned slice by slice, swapped in.
import { Worker } from 'node:worker_threads'
import { createHttpClient } from '@citypresence/chassis/edge/http-client'
import { createCity, finishReplacement, learnInto, mapRooms, startReplacement } from '../core/city.ts'
import { factsOf } from '../core/sync-facts.ts'
import { firstSync } from '@citypresence/sim/homeserver-first-sync'
import { createAnswerReader } from '../edge/sync-worker.ts'
import { longestTurnMs } from './longest-turn.ts'

const [rooms = 2_000, membersPerRoom = 100] = process.argv.slice(2, 4).map(Number)
const whole = process.argv[4] === 'whole'

/** A server of its own thread: making and sending the bytes must not be measured here. */
async function serve(): Promise<{ url: string; stop(): Promise<number> }> {
  const code = `
    import { createServer } from 'node:http'
    import { parentPort, workerData } from 'node:worker_threads'
    const { firstSync } = await import(workerData.module)
    const { bytes } = firstSync(workerData.shape)
    const server = createServer((request, response) => response.end(bytes))
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`
  const module = import.meta.resolve('@citypresence/sim/homeserver-first-sync')
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { module, shape: { rooms, membersPerRoom, whole } },
  })
  const port = await new Promise((resolve) => worker.once('message', resolve))
  return { url: `http://127.0.0.1:${String(port)}/`, stop: () => worker.terminate() }
}

const say = (text: string) => process.stdout.write(`${text}\n`)
const server = await serve()
const http = createHttpClient({ userAgent: 'measure' })
const reader = createAnswerReader({ daemonUserId: '@presence_daemon:test.local' })
const fetchBody = async () => (await http.request(server.url, { timeoutMs: 60_000, maxBytes: 128 * 1024 * 1024 })).body

const city = createCity({
  daemonUserId: '@presence_daemon:test.local',
  homeServer: 'test.local',
  activeWindowMs: 300_000,
  offlineGraceMs: 0,
  staleAfterMs: 90_000,
  typingMaxMs: 130_000,
  outsidersMax: 100_000,
  userEvents: false,
  remoteUsers: false,
})
const { roomIds } = firstSync({ rooms, membersPerRoom: 1 })
const start = { wallMs: Date.now(), monotonicMs: performance.now() }
mapRooms(
  city,
  roomIds.map((roomId, number) => ({ slug: `room${number}`, roomId, alias: null })),
  start,
)

for (let round = 1; round <= 3; round++) {
  let body: Uint8Array = new Uint8Array()
  const startMs = performance.now()
  const fetching = await longestTurnMs(async () => {
    body = await fetchBody()
  })
  const fetchedMs = performance.now()
  const bytes = body.byteLength
  const forLoop = Buffer.from(body)
  let facts = 0
  const replacement = startReplacement(city)
  const at = { wallMs: Date.now(), monotonicMs: performance.now() }
  const beside = await longestTurnMs(async () => {
    const answer = await reader.read(body)
    for await (const slice of answer.slices) {
      learnInto(replacement, slice, at)
      facts += slice.length
    }
  })
  const readMs = performance.now() - fetchedMs
  const swapping = await longestTurnMs(() => {
    finishReplacement(city, replacement, at)
    return Promise.resolve()
  })
  const onLoop = await longestTurnMs(() => {
    factsOf(JSON.parse(forLoop.toString()), { daemonUserId: '@presence_daemon:test.local' })
    return Promise.resolve()
  })
  const ms = (value: number) => `${value.toFixed(1)} ms`
  say(
    `${(bytes / 1e6).toFixed(1)} MB, ${facts} facts: longest turn while fetching ${ms(fetching)} (took ${ms(fetchedMs - startMs)}), ` +
      `while reading beside the loop and learning ${ms(beside)} (took ${ms(readMs)}), swapping in ${ms(swapping)}; reading on the loop would be ${ms(onLoop)}; ` +
      `rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  )
}
await reader.stop()
await http.close()
await server.stop()
