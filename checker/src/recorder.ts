// The notebook of a recording: everybody writes into it, in the order in which things came, on one clock.
import type { Entry } from './core/history.ts'

// Without the moment: the notebook stamps it.
export type Note = Entry extends infer One ? (One extends Entry ? Omit<One, 'atMs'> : never) : never

export type Recorder = {
  readonly history: readonly Entry[]
  note(note: Note, atMs?: number): void
  /** Milliseconds since the recording began. */
  nowMs(): number
}

// An hour of chaos with ten witnesses is about half of this; a recording that grows beyond it has gone wild.
const entriesMax = 4_000_000

export function createRecorder(): Recorder {
  const history: Entry[] = []
  const beganAtMs = performance.now()
  const nowMs = (): number => performance.now() - beganAtMs
  return {
    history,
    nowMs,
    note(note, atMs = nowMs()) {
      if (history.length >= entriesMax) throw new Error(`the recording is full: ${entriesMax} entries`)
      history.push({ ...note, atMs })
    },
  }
}
