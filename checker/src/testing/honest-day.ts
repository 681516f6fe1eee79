// A recording in which everything went well, made by hand: what the checks must have no word about, and what a lie is put into.
//
//   acts -> truth; every 300 ms the rooms that differ are stored, a beat behind them; each witness is shown them 5 ms later
import fc from 'fast-check'
import type { RoomView } from '@citypresence/wire/client-messages'
import type { Entry, RecordedSettings } from '../core/history.ts'

export const settings: RecordedSettings = { throttleMs: 300, staleAfterMs: 6_000, offlineGraceMs: 0 }
export const daemonVoice = { term: 1, epoch: 1_000 }

export type Act = { readonly slug: string; readonly online: number; readonly typing: number; readonly afterMs: number }

const slugs = ['energy', 'square', 'harbour'] as const
export const membersOfEach = 9

export const anyActs: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.record({
    slug: fc.constantFrom(...slugs),
    online: fc.nat(membersOfEach),
    typing: fc.nat(3),
    afterMs: fc.integer({ min: 1, max: 2_000 }),
  }),
  { minLength: 1, maxLength: 40 },
)

type Counts = { readonly online: number; readonly typing: number }

/** The day that these acts make, settled at its end. */
export function honestDay(acts: readonly Act[], witnesses: readonly string[] = ['ada', 'bob']): Entry[] {
  const day: Entry[] = [{ atMs: 0, kind: 'began', settings }]
  const truth = new Map<string, Counts>(slugs.map((slug) => [slug, { online: 0, typing: 0 }]))
  const told = new Map<string, Counts>()
  let sequence = daemonVoice.epoch
  const store = (atMs: number, what: Extract<Entry, { kind: 'stored' }>['what']): void =>
    void day.push({ atMs, kind: 'stored', sequence: sequence++, ...daemonVoice, what, caughtUp: false })
  for (const [slug, counts] of truth) day.push({ atMs: 1, kind: 'truth', slug, members: membersOfEach, ...counts })
  store(2, { kind: 'epoch', record: { term: 1, holder: 'a', city: 'c' } })
  const publish = (atMs: number): readonly string[] => {
    const changed = slugs.filter((slug) => !isSame(told.get(slug), truth.get(slug)))
    for (const slug of changed) {
      const counts = truth.get(slug) ?? { online: 0, typing: 0 }
      told.set(slug, counts)
      store(atMs, { kind: 'room', room: roomOf(slug, counts) })
    }
    store(atMs, { kind: 'beat', beat: { complete: true, rooms: slugs.length, source: 'live', source_age_ms: 0 } })
    return changed
  }
  publish(3)
  const show = (atMs: number, changed: readonly string[]): void => {
    for (const witness of witnesses)
      for (const slug of changed)
        day.push({
          atMs,
          kind: 'frame',
          witness,
          connection: 1,
          message: { type: 'room.presence', ...viewOf(slug, told) },
        })
  }
  for (const witness of witnesses) day.push(...joining(witness, told))
  let atMs = 10
  let nextTickMs = 300
  const advance = (toMs: number): void => {
    for (; nextTickMs <= toMs; nextTickMs += 300) show(nextTickMs + 5, publish(nextTickMs))
    atMs = toMs
  }
  for (const { slug, online, typing, afterMs } of acts) {
    advance(atMs + afterMs)
    truth.set(slug, { online, typing })
    day.push({
      atMs: Math.max(atMs, day.at(-1)?.atMs ?? 0),
      kind: 'truth',
      slug,
      online,
      typing,
      members: membersOfEach,
    })
  }
  advance(atMs + 1_000)
  day.push({ atMs: atMs + 10, kind: 'settled', tookMs: 400 })
  return day
}

const isSame = (one: Counts | undefined, other: Counts | undefined): boolean =>
  one?.online === other?.online && one?.typing === other?.typing

export const roomOf = (slug: string, { online, typing }: Counts) => ({
  type: 'room.presence' as const,
  room_slug: slug as never,
  matrix_room_id: `!${slug}:test.local`,
  matrix_room_alias: null,
  online_count: online,
  typing_count: typing,
  typing_users: Array.from({ length: typing }, (_, index) => `@p${index}:test.local`),
  last_event_ts: 1,
})

export const viewOf = (slug: string, told: ReadonlyMap<string, Counts>): RoomView => ({
  room_slug: slug,
  online_count: told.get(slug)?.online ?? 0,
  typing_count: told.get(slug)?.typing ?? 0,
})

const joining = (witness: string, told: ReadonlyMap<string, Counts>): Entry[] => [
  { atMs: 4, kind: 'opened', witness, connection: 1 },
  {
    atMs: 5,
    kind: 'frame',
    witness,
    connection: 1,
    message: { type: 'snapshot', rooms: slugs.map((slug) => viewOf(slug, told)) },
  },
  { atMs: 6, kind: 'frame', witness, connection: 1, message: { type: 'status', stale: false } },
]
