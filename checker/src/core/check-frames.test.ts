import { it } from 'vitest'
import { after, at, changed, expectFound, frameOf, without, type Frame, type Lie } from '../testing/lies.ts'

const lies: readonly Lie[] = [
  {
    says: 'a witness was taken back in time',
    broken: 'INV-04',
    tell: (day) => {
      const index = at(day, 'frame', frameOf('energy', 6))
      const { atMs } = day[index] as Frame
      const message = { type: 'room.presence', room_slug: 'energy' as never, online_count: 5, typing_count: 0 } as const
      return after(day, index, { atMs: atMs + 1, kind: 'frame', witness: 'bob', connection: 1, message })
    },
  },
  {
    says: 'a value was shown that nobody published',
    broken: 'INV-05',
    tell: (day) =>
      changed(day, at(day, 'frame', frameOf('energy', 6)), (entry: Frame) => ({
        ...entry,
        message: { ...entry.message, online_count: 7 } as never,
      })),
  },
  {
    says: 'a second snapshot came',
    broken: 'INV-06',
    tell: (day) => {
      const index = at(day, 'frame', ({ message }) => message.type === 'snapshot')
      return after(day, index, ...day.slice(index, index + 1))
    },
  },
  {
    says: 'a change came before the snapshot',
    broken: 'INV-06',
    tell: (day) =>
      without(
        day,
        at(day, 'frame', ({ message }) => message.type === 'snapshot'),
      ),
  },
  {
    says: 'a frame was no message',
    broken: 'INV-06',
    tell: (day) =>
      after(day, day.length - 1, { atMs: 99_999, kind: 'garbled', witness: 'ada', connection: 1, text: '{' }),
  },
]

it.each(lies)('[K3] $broken: $says', (lie) => expectFound(lie))
