// What happened since a moment of a recording: counted from where the history stood.
import type { Entry } from '@citypresence/checker/core/history'
import type { Stage } from '../stage.ts'

type Count = () => number

const countSince = ({ recorder }: Stage, counts: (entry: Entry) => boolean): Count => {
  const from = recorder.history.length
  return () => recorder.history.slice(from).filter(counts).length
}

/** Browsers that lost their connection. */
export const closesSince = (stage: Stage): Count => countSince(stage, ({ kind }) => kind === 'closed')

/** Leaders that claimed the stream. */
export const claimsSince = (stage: Stage): Count =>
  countSince(stage, (entry) => entry.kind === 'stored' && entry.what.kind === 'epoch' && !entry.caughtUp)

/** Processes of ours that ended without being told to. */
export const exitsSince = (stage: Stage): Count => countSince(stage, (entry) => entry.kind === 'exit' && !entry.asked)

/** How often a witness was told that what it shows is stale. */
export const marksSince = (stage: Stage): Count =>
  countSince(stage, (entry) => entry.kind === 'frame' && entry.message.type === 'status' && entry.message.stale)
