import { it } from 'vitest'
import type { Entry } from './history.ts'
import { expectFound, type Lie } from '../testing/lies.ts'

const lies: readonly Lie[] = [
  {
    says: 'descriptors were kept',
    broken: 'INV-13',
    tell: (day) => {
      const sample = (atMs: number, descriptors: number): Entry => ({
        atMs,
        kind: 'sample',
        service: 'gateway-1',
        rssBytes: 90_000_000,
        descriptors,
      })
      const settled: Entry = { atMs: 3, kind: 'settled', tookMs: 1 }
      const end = day.at(-1)?.atMs ?? 0
      const over: Entry = { atMs: end, kind: 'fault', id: 'F0', phase: 'ends', blindMs: 0, breaksPolls: false }
      return [...day.slice(0, 1), sample(1, 30), settled, ...day.slice(1), over, sample(end + 1, 60)]
    },
  },
  {
    says: 'two polls were held together',
    broken: 'INV-15',
    tell: (day) => [
      ...day,
      { atMs: 90_000, kind: 'poll', phase: 'begins', poll: 1, since: 's1' },
      { atMs: 90_001, kind: 'poll', phase: 'begins', poll: 2, since: 's1' },
      { atMs: 95_000, kind: 'poll', phase: 'ends', poll: 1, since: 's1' },
    ],
  },
  {
    says: 'a poll went back',
    broken: 'INV-15',
    tell: (day) => [
      ...day,
      ...['s1', 's2', 's1'].flatMap((since, poll): Entry[] => [
        { atMs: 90_000, kind: 'poll', phase: 'begins', poll, since },
        { atMs: 90_000, kind: 'poll', phase: 'ends', poll, since },
      ]),
    ],
  },
  {
    says: 'a process died of a signal nobody sent',
    broken: 'INV-20',
    tell: (day) => [
      ...day,
      { atMs: 90_000, kind: 'exit', service: 'aggregator', code: null, signal: 'SIGSEGV', asked: false },
    ],
  },
  {
    says: 'an error had no word',
    broken: 'INV-20',
    tell: (day) => [
      ...day,
      { atMs: 90_000, kind: 'complaint', service: 'aggregator', code: undefined, text: 'uncaught' },
    ],
  },
]

it.each(lies)('[K5] $broken: $says', (lie) => expectFound(lie))
