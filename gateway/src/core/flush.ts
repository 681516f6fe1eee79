// One flush: everything that changed between two marks as one Buffer, written as it is to every reader who has all up to the
// first mark. Frames lie in the order of their marks, so what a reader lacks who joined in between is a tail of the same bytes.
//
//   [frame mark 5][frame mark 7][frame mark 9][ping]
//                 '-- tail for a reader at 5 --'       the ping rides along at most once a second
import type { MarkedFrame } from './city.ts'
import { pingFrame, pingFrameBytes } from './frames.ts'

export type Flush = {
  readonly fromMark: number
  readonly toMark: number
  readonly pingId: number
  /** For a reader who owes no pong; without a ping the same as `frames`. */
  readonly framesAndPing: Buffer
  readonly frames: Buffer
  readonly marks: readonly number[]
  readonly offsets: readonly number[]
}

/** `pingId` 0 means that no ping rides along. */
export function buildFlush(parts: readonly MarkedFrame[], fromMark: number, toMark: number, pingId: number): Flush {
  const buffers = parts.map(({ bytes }) => bytes)
  if (pingId !== 0) buffers.push(pingFrame(pingId))
  const framesAndPing = Buffer.concat(buffers)
  const framesEnd = framesAndPing.length - (pingId === 0 ? 0 : pingFrameBytes)
  const offsets: number[] = []
  let offset = 0
  for (const { bytes } of parts) {
    offsets.push(offset)
    offset += bytes.length
  }
  const marks = parts.map(({ mark }) => mark)
  const frames = pingId === 0 ? framesAndPing : framesAndPing.subarray(0, framesEnd)
  return { fromMark, toMark, pingId, framesAndPing, frames, marks, offsets }
}

/** What of the flush a reader lacks who joined at `mark`, inside it. */
export function tailAfter({ marks, offsets, frames }: Flush, mark: number): Buffer {
  const first = marks.findIndex((other) => other > mark)
  return first < 0 ? frames.subarray(frames.length) : frames.subarray(offsets[first])
}
