// The process a crowd lives in: thousands of sockets beside the recorder would make the recorder late. It does what it is told
// over its channel (crowd/orders.ts), and ends with it.
import { connect } from '@nats-io/transport-node'
import { Guest, type Notebook } from './guest.ts'
import type { Answer, Arrival, Order, Told } from './orders.ts'

const guests: Guest[] = []
const refusals: Record<string, number> = {}
const closes: Record<string, number> = {}
let retryAfters = 0
let slowestHandshakeMs = 0
let longestAwayMs = 0
/** When handshakes began, oldest first. */
let arrivals: number[] = []
let delaysMs: number[] = []
/** The newest value of each room and when the stream told it. */
const stored = new Map<string, { online: number; typing: number; atMs: number }>()

const count = (counts: Record<string, number>, key: number): void => void (counts[key] = (counts[key] ?? 0) + 1)

// A change of a crowd of thousands: more than that is the same answer again.
const delaysMax = 2_000_000

const notes: Notebook = {
  arrives: () => void arrivals.push(performance.now()),
  isIn: (handshakeMs) => (slowestHandshakeMs = Math.max(slowestHandshakeMs, handshakeMs)),
  refused(status, saysWhen) {
    count(refusals, status)
    if (saysWhen) retryAfters++
  },
  closed: (code) => count(closes, code),
  wasAway: (ms) => (longestAwayMs = Math.max(longestAwayMs, ms)),
  get isListening() {
    return stored.size > 0 && delaysMs.length < delaysMax
  },
  heard(text) {
    const message = JSON.parse(text) as { room_slug?: string; online_count?: number; typing_count?: number }
    const newest = stored.get(message.room_slug ?? '')
    // An older value that was overtaken says nothing about this one.
    if (newest?.online !== message.online_count || newest?.typing !== message.typing_count) return
    delaysMs.push(Math.max(0, performance.now() - (newest?.atMs ?? 0)))
  },
}

function arrive(arrival: Arrival): void {
  for (let index = 0; index < arrival.size; index++) {
    const guest = new Guest(arrival, notes, index)
    guests.push(guest)
    setTimeout(() => guest.arrive(), (index * arrival.withinMs) / arrival.size)
  }
}

async function listen({ url, user, pass }: Extract<Order, { kind: 'listen' }>['nats']): Promise<void> {
  const connection = await connect({ servers: url, user, pass, maxReconnectAttempts: -1 })
  connection.subscribe('city.presence.room.>', {
    callback: (error, message) => {
      if (error !== null) return
      const room = message.json<{ room_slug: string; online_count: number; typing_users: unknown[] }>()
      const value = { online: room.online_count, typing: room.typing_users.length, atMs: performance.now() }
      stored.set(room.room_slug, value)
    },
  })
}

function measure(): void {
  ;[arrivals, delaysMs, longestAwayMs] = [[], [], 0]
}

function tell(): Told {
  const inside = guests.filter(({ isIn }) => isIn)
  const sorted = delaysMs.toSorted((one, other) => one - other)
  return {
    inside: inside.length,
    insideWell: inside.filter(({ manner }) => manner === 'well').length,
    refusals,
    retryAfters,
    closes,
    peakPerSecond: peakOf(arrivals),
    longestAwayMs,
    slowestHandshakeMs,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    changes: sorted.length,
  }
}

/** The most of these moments that lie within any one second. */
function peakOf(momentsMs: readonly number[]): number {
  let [most, first] = [0, 0]
  momentsMs.forEach((atMs, index) => {
    while (atMs - (momentsMs[first] ?? atMs) > 1_000) first++
    most = Math.max(most, index - first + 1)
  })
  return most
}

/** Whoever asked may be gone by now. */
const answer = (said: Answer): void => void process.send?.(said, () => undefined)

process.on('message', (order: Order) => {
  if (order.kind === 'arrive') arrive(order.arrival)
  else if (order.kind === 'listen') void listen(order.nats)
  else if (order.kind === 'measure') measure()
  else if (order.kind === 'tell') answer({ question: order.question, told: tell() })
  else for (const guest of guests.splice(0)) guest.leave()
})
process.on('disconnect', () => process.exit(0))
