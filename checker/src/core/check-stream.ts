// Judges what the stream stored: order and voice (INV-02, INV-03, INV-04), values (INV-05, INV-08), and how often (INV-14).
import type { RoomPresence } from '@citypresence/wire/room-presence'
import type { Entry, RecordedSettings } from './history.ts'
import { blindMsAt, isAsKnown, type Excuses } from './excuses.ts'
import { mayLagMs, spansWithin, type Truth } from './truth-spans.ts'
import type { Invariant, Violation } from './violation.ts'

type StoredEntry = Extract<Entry, { kind: 'stored' }>
type RoomEntry = { readonly room: RoomPresence; readonly atMs: number; readonly caughtUp: boolean }
type Complain = (invariant: Invariant, atMs: number, text: string) => void

// Messages are noted as they arrive: a busy machine may bring two of them together.
const arrivalMs = 500

export function checkStream(
  history: readonly Entry[],
  { settings, truth, excuses }: { settings: RecordedSettings; truth: Truth; excuses: Excuses },
): Violation[] {
  const found: Violation[] = []
  const complain: Complain = (invariant, atMs, text) => void found.push({ invariant, atMs, text })
  const order = createOrder(complain)
  const pace = createPace(settings, complain)
  // The beat is the last message of a batch and says whether the values in it are to be believed.
  const batch: RoomEntry[] = []
  let isSourceLive = false
  const judgeBatch = (isBelieved: boolean): void => {
    for (const { room, atMs, caughtUp } of batch.splice(0))
      if (isBelieved && !caughtUp && room.stale !== true && room.removed !== true)
        checkValue(room, { truth, excuses, atMs, lagMs: mayLagMs(settings) + blindMsAt(excuses, atMs) }, complain)
  }
  for (const entry of history) {
    if (entry.kind === 'rolled-back') {
      order.rolledBack()
      pace.rolledBack()
    }
    if (entry.kind !== 'stored') continue
    order.look(entry)
    const { what } = entry
    if (what.kind === 'beat') judgeBatch((isSourceLive = what.beat.source === 'live'))
    if (what.kind !== 'room') continue
    pace.look(entry, what.room)
    checkForm(what.room, entry.atMs, complain)
    batch.push({ room: what.room, atMs: entry.atMs, caughtUp: entry.caughtUp })
  }
  // A recording may end in the middle of a batch.
  judgeBatch(isSourceLive)
  order.end()
  return found
}

// A store that went back may give a claim the sequence of a former one, and then lets that leader's words through. Whoever leads sees
// it at its next write, a second later at most, and claims again. It can do so until its sequences are past those of before.
const reclaimMs = 2_500

type Foreign = { readonly atMs: number; readonly text: string; readonly mayBeTwice: boolean }

function createOrder(complain: Complain) {
  let [sequence, term, epoch] = [0, 0, 0]
  let before = 0
  let foreign: Foreign[] = []
  return {
    /** The store went back: what it says begins anew. */
    rolledBack() {
      before = Math.max(before, sequence)
      ;[sequence, term, epoch] = [0, 0, 0]
    },
    /** What no new claim answered in time. */
    end() {
      for (const { atMs, text } of foreign) complain('INV-02', atMs, text)
    },
    look({ atMs, what, ...stored }: StoredEntry): void {
      if (stored.sequence <= sequence)
        complain('INV-04', atMs, `sequence ${stored.sequence} was stored after ${sequence}`)
      sequence = Math.max(sequence, stored.sequence)
      if (what.kind === 'epoch') {
        foreign = foreign.filter((one) => !one.mayBeTwice || atMs - one.atMs > reclaimMs)
        if (stored.term <= term) complain('INV-03', atMs, `term ${stored.term} was claimed after ${term}`)
        ;[term, epoch] = [stored.term, stored.epoch]
      } else if (term !== 0 && (stored.term !== term || stored.epoch !== epoch)) {
        const text = `${stored.term}.${stored.epoch} was stored while ${term}.${epoch} led`
        foreign.push({ atMs, text, mayBeTwice: epoch <= before })
      }
    },
  }
}

type Said = { readonly epoch: number; readonly value: string; nextAtMs: number }

/** Not twice the same within an epoch, and not more often than the window allows; claims, marks and farewells are free. */
function createPace({ throttleMs }: RecordedSettings, complain: Complain) {
  const rooms = new Map<string, Said>()
  return {
    rolledBack: () => rooms.clear(),
    look({ atMs, epoch, caughtUp }: StoredEntry, room: RoomPresence): void {
      const { room_slug: slug } = room
      const value = comparedOf(room)
      const before = rooms.get(slug)
      if (before?.epoch !== epoch) {
        rooms.set(slug, { epoch, value, nextAtMs: -Infinity })
        return
      }
      if (before.value === value) complain('INV-14', atMs, `${slug} was published twice with ${value}`)
      const isFree = caughtUp || room.stale === true || room.removed === true || before.value.includes('stale')
      if (!isFree && before.nextAtMs - atMs > throttleMs + arrivalMs)
        complain('INV-14', atMs, `${slug} was published more often than once in ${throttleMs} ms`)
      // A bucket that leaks a message a window: jitter of arrival evens out, a habit does not.
      const nextAtMs = isFree ? before.nextAtMs : Math.max(before.nextAtMs, atMs) + throttleMs
      rooms.set(slug, { epoch, value, nextAtMs })
    },
  }
}

const comparedOf = (room: RoomPresence): string =>
  [
    room.online_count,
    [...room.typing_users].sort().join(' '),
    room.active === true ? 'active' : '',
    room.stale === true ? 'stale' : '',
    room.removed === true ? 'removed' : '',
  ].join('/')

function checkForm(room: RoomPresence, atMs: number, complain: Complain): void {
  const { room_slug: slug, typing_count: typing, typing_users: users } = room
  if (typing !== users.length) complain('INV-08', atMs, `${slug} counts ${typing} typing and names ${users.length}`)
  if (new Set(users).size !== users.length) complain('INV-08', atMs, `${slug} names somebody twice`)
  if (room.removed === true && (room.online_count !== 0 || typing !== 0))
    complain('INV-08', atMs, `${slug} was removed with ${room.online_count}/${typing}`)
}

type Held = { readonly truth: Truth; readonly excuses: Excuses; readonly atMs: number; readonly lagMs: number }

function checkValue(room: RoomPresence, { truth, excuses, atMs, lagMs }: Held, complain: Complain): void {
  const { room_slug: slug, online_count: online, typing_count: typing } = room
  const spans = spansWithin(truth, slug, atMs - lagMs, atMs + arrivalMs)
  if (!spans.some((span) => isAsKnown(excuses, atMs, span, { online, typing })))
    complain('INV-05', atMs, `${slug} was published as ${online}/${typing}, which did not hold in ${lagMs} ms`)
  const members = Math.max(0, ...spans.map((span) => span.members))
  if (online > members || typing > members)
    complain('INV-08', atMs, `${slug} was published as ${online}/${typing} with ${members} members`)
}
