// Stands in for aggregator, NATS and gateway at once: a daemon's sync in, frames out, everything recounted from Synapse at
// each change. Slow and without any promise, but it lets the demo's own parts be tried against the real homeserver.
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import type { City } from '../city-fixture.ts'
import { truthOf } from '../truth.ts'
import type { RoomCounts } from '../viewer.ts'

export type LittleGateway = {
  url: string
  webSocketUrl: string
  /** Added to every count shown: a gateway that lies. */
  lieBy: number
  /** Closes every socket; they may come back. */
  dropAll(): void
  stop(): Promise<void>
}

export async function startLittleGateway(city: City): Promise<LittleGateway> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const stopping = new AbortController()
  const typing = new Map<string, number>()
  let shown = new Map<string, RoomCounts>()
  const state = { lieBy: 0 }
  const frameOf = (slug: string, counts: RoomCounts) => ({
    room_slug: slug,
    online_count: counts.online + state.lieBy,
    typing_count: counts.typing,
  })
  const recount = async (): Promise<void> => {
    const truth = await truthOf(city)
    const next = new Map([...truth].map(([slug, { online }]) => [slug, { online, typing: typing.get(slug) ?? 0 }]))
    for (const [slug, counts] of next) {
      if (JSON.stringify(shown.get(slug)) === JSON.stringify(counts)) continue
      const text = JSON.stringify({ type: 'room.presence', ...frameOf(slug, counts) })
      for (const client of server.clients) client.send(text)
    }
    shown = next
  }
  server.on('connection', (socket) => {
    const rooms = [...shown].map(([slug, counts]) => frameOf(slug, counts))
    socket.send(JSON.stringify({ type: 'snapshot', rooms }))
    socket.on('message', () => socket.send('pong'))
  })
  await recount()
  const running = follow(city, typing, recount, stopping.signal)
  const { port } = server.address() as AddressInfo
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    webSocketUrl: `ws://127.0.0.1:${port}`,
    dropAll() {
      for (const client of server.clients) client.terminate()
    },
    async stop() {
      stopping.abort()
      await running
      for (const client of server.clients) client.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

async function follow(
  city: City,
  typing: Map<string, number>,
  recount: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const daemon = city.clientOf('presence_daemon')
  let since: string | undefined
  while (!signal.aborted) {
    const timeoutMs = since === undefined ? 0 : 5_000
    const answer = await daemon
      .sync({ ...(since === undefined ? {} : { since }), timeoutMs, setPresence: 'offline', signal })
      .catch(() => undefined)
    if (answer === undefined) continue
    since = answer.next_batch
    for (const { slug, roomId } of city.rooms) {
      const event = answer.rooms?.join?.[roomId]?.ephemeral?.events?.find(({ type }) => type === 'm.typing')
      const users = event?.content?.['user_ids']
      if (Array.isArray(users)) typing.set(slug, users.length)
    }
    await recount().catch(() => undefined)
  }
}
