// Reads the history of a run when all is over and answers what it is guilty of. It knows nothing of how it came about, and
// shares no code with the services but the contracts of the wire. docs/spec/chaos.md says its rules.
import type { Entry, RecordedSettings } from './history.ts'
import { frameChecks } from './check-frames.ts'
import { checkProcesses } from './check-processes.ts'
import { checkStream } from './check-stream.ts'
import { viewChecks } from './check-views.ts'
import { replay } from './connections.ts'
import { excusesOf } from './excuses.ts'
import { storedValuesOf } from './stored-values.ts'
import { truthOf } from './truth-spans.ts'
import type { Violation } from './violation.ts'

/** In the order of their moments. */
export function checkHistory(history: readonly Entry[]): readonly Violation[] {
  const settings = settingsOf(history)
  const truth = truthOf(history)
  const excuses = excusesOf(history)
  const found: Violation[] = [...checkStream(history, { settings, truth, excuses }), ...checkProcesses(history)]
  const measure = { truth, settings, excuses, beatsMs: completeBeatsOf(history) }
  replay(history, [frameChecks(storedValuesOf(history), found), ...viewChecks(measure, found)])
  return found.sort((one, other) => one.atMs - other.atMs)
}

function settingsOf(history: readonly Entry[]): RecordedSettings {
  const began = history.find((entry) => entry.kind === 'began')
  if (began === undefined) throw new Error('a history without its beginning: nothing says what was allowed')
  return began.settings
}

const completeBeatsOf = (history: readonly Entry[]): readonly number[] =>
  history.flatMap((entry) =>
    entry.kind === 'stored' && entry.what.kind === 'beat' && entry.what.beat.complete ? [entry.atMs] : [],
  )
