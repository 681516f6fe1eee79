import { it } from 'vitest'
import { after, at, expectFound, frameOf, without, type Lie } from '../testing/lies.ts'

const lies: readonly Lie[] = [
  {
    says: 'the last change never reached a witness',
    broken: 'INV-01',
    tell: (day) => without(day, at(day, 'frame', frameOf('square', 2))),
  },
  {
    says: 'a change was stored and no browser was told for longer than silence may last',
    broken: 'INV-07',
    tell: (day) => day.filter((entry) => !(entry.kind === 'frame' && frameOf('energy', 6)(entry))),
  },
  {
    says: 'the beat was silent and nobody was told',
    broken: 'INV-07',
    tell: (day) =>
      day.filter(
        ({ atMs, ...entry }) =>
          !(atMs > 2_000 && atMs < 12_000 && entry.kind === 'stored' && entry.what.kind === 'beat'),
      ),
  },
  {
    says: 'half a city was called fresh',
    broken: 'INV-08',
    tell: (day) => {
      const half = {
        type: 'snapshot',
        rooms: [{ room_slug: 'energy' as never, online_count: 5, typing_count: 0 }],
      } as const
      const who = { witness: 'late', connection: 1 }
      const index = day.findIndex(({ atMs }) => atMs > 15_000)
      return after(
        day,
        index,
        { atMs: 15_300, kind: 'opened', ...who },
        { atMs: 15_301, kind: 'frame', ...who, message: half },
        { atMs: 15_302, kind: 'frame', ...who, message: { type: 'status', stale: false } },
      )
    },
  },
]

it.each(lies)('[K4] $broken: $says', (lie) => expectFound(lie))
