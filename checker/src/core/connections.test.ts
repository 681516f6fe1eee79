import { expect, it } from 'vitest'
import type { Entry } from './history.ts'
import { viewOf } from '../testing/honest-day.ts'
import { replay, type Connection } from './connections.ts'

const who = { witness: 'ada', connection: 1 }
const room = (slug: string, online: number) => viewOf(slug, new Map([[slug, { online, typing: 0 }]]))
const frame = (atMs: number, message: Extract<Entry, { kind: 'frame' }>['message']): Entry => ({
  atMs,
  kind: 'frame',
  ...who,
  message,
})

const history: readonly Entry[] = [
  { atMs: 1, kind: 'opened', ...who },
  frame(2, { type: 'snapshot', rooms: [room('energy', 1), { ...room('old', 0), removed: true }] }),
  frame(3, { type: 'status', stale: false }),
  frame(4, { type: 'room.presence', ...room('square', 2) }),
  frame(5, { type: 'room.presence', ...room('energy', 0), removed: true }),
  { atMs: 6, kind: 'settled', tookMs: 1 },
  { atMs: 7, kind: 'closed', ...who, code: 1012 },
  frame(8, { type: 'status', stale: true }),
  { atMs: 9, kind: 'settled', tookMs: 1 },
]

it('[K6] a connection shows what its frames say, from its opening to its close', () => {
  const seen: string[] = []
  const slugs = ({ rooms }: Connection): string => [...rooms.keys()].join(' ')
  replay(history, [
    {
      frame: (connection, message, atMs) => seen.push(`${atMs} before ${message.type}: ${slugs(connection)}`),
      shown: (connection, message, atMs) => seen.push(`${atMs} ${message.type}: ${slugs(connection)}`),
      over: (connection, atMs) => seen.push(`${atMs} over, stale ${String(connection.stale)}`),
      moment: ({ atMs }, open) => seen.push(`${atMs} open: ${open.length}`),
    },
  ])
  expect(seen).toEqual([
    '2 before snapshot: ',
    '2 snapshot: energy',
    '3 before status: energy',
    '3 status: energy',
    '4 before room.presence: energy',
    '4 room.presence: energy square',
    '5 before room.presence: energy square',
    '5 room.presence: square',
    '6 open: 1',
    '7 over, stale false',
    '9 open: 0',
  ])
})
