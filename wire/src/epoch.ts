// Who speaks: the epoch record, the header that every message carries, and the order of voices.
//
//   (term, epoch, sequence): a higher term wins, then a higher epoch; within one epoch the stream's sequence counts.
import { integer, object, text, type Infer } from './decode.ts'

// A holder is `<pod uid>_<random>`, a city a CR's uid or CITY_ID: 253 is the longest name Kubernetes gives anything.
const nameLengthMax = 253

/**
 * The record on `city.presence.epoch`; its own stream sequence is the epoch. `account`: the leader's at NATS, where the server
 * tells it, so that a gateway can see that it shares it.
 */
export const epochRecord = object(
  { term: integer(1), holder: text(nameLengthMax), city: text(nameLengthMax) },
  { account: text(nameLengthMax) },
)
export type EpochRecord = Infer<typeof epochRecord>

export const epochHeader = 'Presence-Epoch'
export const traceHeader = 'traceparent'

export type Epoch = { readonly term: number; readonly epoch: number }

export const formatEpoch = ({ term, epoch }: Epoch): string => `${term}.${epoch}`

/** The value of the header, or undefined where it is not `<term>.<epoch>` in plain decimal. */
export function parseEpoch(header: string): Epoch | undefined {
  const match = /^([1-9]\d{0,15})\.([1-9]\d{0,15})$/.exec(header)
  if (match === null) return undefined
  const [term, epoch] = [Number(match[1]), Number(match[2])]
  return Number.isSafeInteger(term) && Number.isSafeInteger(epoch) ? { term, epoch } : undefined
}

/** Negative when `a` is the older voice, 0 when both are one, positive when `a` is the newer. */
export const compareEpochs = (a: Epoch, b: Epoch): number => a.term - b.term || a.epoch - b.epoch
