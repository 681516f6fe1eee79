// Judges what was on the screen: nothing without a mark that has not held for longer than it may (INV-07), no city with rooms
// missing that calls itself fresh (INV-08), a mark where the beat is silent (INV-07), and the truth when all is quiet (INV-01).
import type { RoomView } from '@citypresence/wire/client-messages'
import type { Entry, RecordedSettings } from './history.ts'
import { blindMsAt, isAsKnown, type Excuses } from './excuses.ts'
import type { Connection, ConnectionWatcher } from './connections.ts'
import { isSame, mayLagMs, spansWithin, truthAt, type Truth } from './truth-spans.ts'
import type { Invariant, Violation } from './violation.ts'

type Measure = {
  readonly truth: Truth
  readonly settings: RecordedSettings
  readonly excuses: Excuses
  /** When beats that called the city complete were stored. */
  readonly beatsMs: readonly number[]
}

// Five seconds of silence are marked within six, and a busy machine notes the frame a little later.
const markedWithinMs = 7_000

type Showing = { readonly room: RoomView; readonly fromMs: number }

export function viewChecks(measure: Measure, found: Violation[]): readonly ConnectionWatcher[] {
  const complain: Complain = (invariant, atMs, { witness, number }, text) =>
    void found.push({ invariant, atMs, text: `${witness} (connection ${number}) ${text}` })
  return [
    unmarkedValues(measure, complain),
    wholeCities(measure, complain),
    silences(measure, complain),
    quiet(measure, complain),
  ]
}

type Complain = (invariant: Invariant, atMs: number, connection: Connection, text: string) => void

/** Follows each room on each screen for as long as it is shown without a mark, and judges that time when it ends. */
function unmarkedValues({ truth, settings, excuses }: Measure, complain: Complain): ConnectionWatcher {
  const screens = new WeakMap<Connection, Map<string, Showing>>()
  const end = (connection: Connection, slug: string, { room, fromMs }: Showing, toMs: number): void => {
    const lagMs = mayLagMs(settings) + blindMsAt(excuses, toMs)
    const value = { online: room.online_count, typing: room.typing_count }
    let coveredMs = fromMs
    for (const span of spansWithin(truth, slug, fromMs - lagMs, toMs)) {
      if (!isAsKnown(excuses, toMs, span, value)) continue
      if (span.fromMs > coveredMs) break
      coveredMs = Math.max(coveredMs, span.toMs + lagMs)
    }
    if (coveredMs < toMs)
      complain(
        'INV-07',
        toMs,
        connection,
        `showed ${slug} as ${value.online}/${value.typing} without a mark from ${Math.round(fromMs)} to ${Math.round(toMs)} ms, untrue for too long from ${Math.round(coveredMs)} on`,
      )
  }
  const follow = (connection: Connection, atMs: number): void => {
    const screen = screens.get(connection) ?? new Map<string, Showing>()
    screens.set(connection, screen)
    for (const [slug, showing] of screen) {
      const now = connection.rooms.get(slug)
      if (now === showing.room && connection.stale === false) continue
      end(connection, slug, showing, atMs)
      screen.delete(slug)
    }
    if (connection.stale !== false) return
    for (const [slug, room] of connection.rooms)
      if (room.stale !== true && !screen.has(slug)) screen.set(slug, { room, fromMs: atMs })
  }
  return {
    shown: (connection, _, atMs) => follow(connection, atMs),
    over(connection, atMs) {
      for (const [slug, showing] of screens.get(connection) ?? []) end(connection, slug, showing, atMs)
    },
    // Long after the last frame somebody still looks at the screen.
    moment(entry, open) {
      if (entry.kind !== 'settled') return
      for (const connection of open)
        for (const [slug, showing] of screens.get(connection) ?? []) end(connection, slug, showing, entry.atMs)
    },
  }
}

function wholeCities({ truth, settings, excuses }: Measure, complain: Complain): ConnectionWatcher {
  return {
    shown(connection, message, atMs) {
      if (message.type !== 'status' || message.stale) return
      const sinceMs = atMs - mayLagMs(settings) - blindMsAt(excuses, atMs)
      const missing = [...truth.keys()].filter(
        (slug) => truthAt(truth, slug, sinceMs) && truthAt(truth, slug, atMs) && !connection.rooms.has(slug),
      )
      if (missing.length > 0) complain('INV-08', atMs, connection, `was told fresh without ${missing.join(', ')}`)
    },
  }
}

/** For each silence of the beat: who was there all the time has the mark before seven seconds are over. */
function silences({ beatsMs }: Measure, complain: Complain): ConnectionWatcher {
  const marks = new WeakMap<Connection, { atMs: number; stale: boolean }[]>()
  return {
    shown(connection, message, atMs) {
      if (message.type !== 'status') return
      const told = marks.get(connection) ?? []
      marks.set(connection, told)
      told.push({ atMs, stale: message.stale })
    },
    over(connection, atMs) {
      beatsMs.forEach((beatMs, index) => {
        const dueMs = beatMs + markedWithinMs
        const isSilent = (beatsMs[index + 1] ?? Infinity) > dueMs
        if (!isSilent || connection.openedAtMs > beatMs || atMs < dueMs) return
        const told = (marks.get(connection) ?? []).findLast((mark) => mark.atMs <= dueMs)
        if (told?.stale === false)
          complain('INV-07', dueMs, connection, `had no mark ${markedWithinMs} ms after the last beat`)
      })
    },
  }
}

function quiet({ truth }: Measure, complain: Complain): ConnectionWatcher {
  return {
    moment(entry: Entry, open) {
      if (entry.kind !== 'settled') return
      for (const connection of open) {
        if (connection.stale !== false) complain('INV-01', entry.atMs, connection, 'is marked, and all is quiet')
        for (const slug of new Set([...truth.keys(), ...connection.rooms.keys()])) {
          const [shown, held] = [connection.rooms.get(slug), truthAt(truth, slug, entry.atMs)]
          const isRight =
            shown === undefined || held === undefined
              ? shown === held
              : shown.stale !== true && isSame(held, { online: shown.online_count, typing: shown.typing_count })
          if (!isRight)
            complain('INV-01', entry.atMs, connection, `shows ${told(shown)} in ${slug}, true is ${truthTold(held)}`)
        }
      }
    },
  }
}

const told = (room: RoomView | undefined): string =>
  room === undefined ? 'nothing' : `${room.online_count}/${room.typing_count}${room.stale === true ? ' stale' : ''}`
const truthTold = (held: { online: number; typing: number } | undefined): string =>
  held === undefined ? 'nothing' : `${held.online}/${held.typing}`
