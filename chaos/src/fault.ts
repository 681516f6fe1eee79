// One row of the table of faults: what is broken, what has to hold meanwhile, and how it is broken. The rows themselves stand
// in faults/, one file for each thing that can fail; main.ts runs all of them, the real tests beside them the short ones.
import type { Stage } from './stage.ts'

export type Fault = {
  /** As in the threat table: F12, or F12b where one row of it is several of ours. */
  readonly id: string
  /** What is broken, in a few words. */
  readonly title: string
  /** What is allowed to happen, with its figure, in a sentence. */
  readonly bar: string
  /** Short ones run with every `make test`; long ones in `make chaos` only. */
  readonly length: 'short' | 'long'
  /** For so long this fault may go unnoticed beyond what silence may (see history.ts); 0 unless given. */
  readonly blindMs?: number
  /** It breaks polls, or lets them run out: who types all the time may then be shown as not typing. */
  readonly breaksPolls?: boolean
  /** Nobody lives meanwhile but those of the row: their changes are to be seen one by one. */
  readonly still?: boolean
  /** What was taken out of the product once, and what the row said then: `without X: what happened`. Only what was seen. */
  readonly guard?: string
  /** Why this fault cannot be injected on this machine; undefined where it can. */
  readonly cannot?: () => string | undefined
  /** Breaks, looks, heals. Throws where the bar was missed. The stage settles and the history is checked afterwards. */
  readonly run: (stage: Stage) => Promise<Figure>
}

/** What was measured, for the table: as 'stale after 5.2 s, true again 1.1 s after the return'. */
export type Figure = string
