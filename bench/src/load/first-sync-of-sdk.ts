// The same first sync as bench/src/load/first-sync.ts, read by matrix-js-sdk's own sync engine, as a client would start it. A process
// of its own a round: a line of JSON with what it took until the client calls itself prepared.
import { firstSync } from '@citypresence/sim/homeserver-first-sync'
import { longestTurnMs } from '@citypresence/aggregator/testing/longest-turn'

const [rooms = 2_000, membersPerRoom = 100] = process.argv.slice(2).map(Number)
const daemonUserId = '@presence_daemon:test.local'
const { bytes } = firstSync({ rooms, membersPerRoom, people: (rooms * membersPerRoom) / 4, daemonUserId })
// It writes a line a room; that would be measured too, so nobody writes it.
Object.assign(console, { trace: silence, debug: silence, info: silence, log: silence, warn: silence, error: silence })
const { createClient, ClientEvent, SyncState } = await import('matrix-js-sdk')
const quiet = { trace: silence, debug: silence, info: silence, warn: silence, error: silence, getChild: () => quiet }
function silence(): void {
  // Its log is not what is measured.
}

let synced = false
function answer(input: URL | RequestInfo): Promise<Response> {
  const { pathname } = new URL(input instanceof Request ? input.url : input)
  if (pathname.endsWith('/versions')) return json({ versions: ['v1.11'], unstable_features: {} })
  if (pathname.endsWith('/pushrules/')) return json({ global: {}, device: {} })
  if (pathname.endsWith('/filter')) return json({ filter_id: '1' })
  // The second poll waits, as one at a homeserver does.
  if (pathname.endsWith('/sync') && synced) return new Promise(() => undefined)
  if (!pathname.endsWith('/sync')) return json({})
  synced = true
  return Promise.resolve(new Response(bytes.slice(), { headers: { 'content-type': 'application/json' } }))
}
const json = (body: unknown): Promise<Response> =>
  Promise.resolve(new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } }))

const client = createClient({
  baseUrl: 'http://homeserver.test',
  userId: daemonUserId,
  accessToken: 'bench',
  deviceId: 'BENCH',
  fetchFn: answer,
  logger: quiet,
})
const prepared = new Promise<void>((resolve) => {
  client.on(ClientEvent.Sync, (state) => {
    if (state === SyncState.Prepared) resolve()
  })
})
const startMs = performance.now()
const longestMs = await longestTurnMs(async () => {
  await client.startClient({ initialSyncLimit: 1, lazyLoadMembers: false })
  await prepared
})
const tookMs = performance.now() - startMs
const found = client.getRooms().length
if (found !== rooms) throw new Error(`it found ${found} of ${rooms} rooms`)
process.stdout.write(`${JSON.stringify({ longestMs, tookMs, rssBytes: process.memoryUsage.rss() })}\n`)
process.exit(0)
