// Who may write to a stream, and under which epoch: the claim, the doubt and the end of a leader. One machine for each stream.
//
//   standby --elected--> reading --record--> claiming --acknowledged--> leading <--> (writes acknowledged)
//                           ^                    | refused                  | refused, unknown
//                           '--------------------'                          v
//                           '------ mine, or of a lower voice ---------- reading --another's, of a higher voice--> ended
//
// With a Lease its transitions open a thousand terms each (lease-terms.ts). Who led already claims again with the next of its own, at
// once. A candidate that meets a record not below its terms, or who used its own up, has the Lease raised before it claims: that write
// is taken only from who holds it, so one that slept through the loss of it claims nothing.
//
// The epoch record on the stream is the only truth about who leads; it is read from the stream's leader. A write whose fate is
// unknown is never repeated: the record is read again, and a new epoch begins with everything published once more.
import { compareEpochs, type Epoch, type EpochRecord } from '@citypresence/wire/epoch'
import { areOfOneHolding, firstTermOf, transitionsFor } from './lease-terms.ts'

export type Candidate = {
  readonly holder: string
  readonly city: string
  /** `record`: one more than the recorded term. `lease`: those that the transitions of a Lease open to its holder. */
  readonly terms: 'record' | 'lease'
}

export type Leader =
  | { readonly kind: 'standby' }
  | { readonly kind: 'reading'; readonly term: number; readonly former: Epoch | undefined }
  /** Until the Lease opens this term. */
  | {
      readonly kind: 'raising'
      readonly term: number
      readonly former: Epoch | undefined
      readonly expectedSequence: number
    }
  | { readonly kind: 'claiming'; readonly term: number; readonly former: Epoch | undefined }
  | { readonly kind: 'leading'; readonly epoch: Epoch }
  | { readonly kind: 'ended' }

export type LeaderEvent =
  /** The election is won, under this term; with a Lease the first that its transitions open, while raising those of by now. */
  | { readonly kind: 'elected'; readonly term: number }
  | { readonly kind: 'lost' }
  /** `termFloor`: the new term has to lie above it, whatever is recorded; 0 unless given. */
  | {
      readonly kind: 'record'
      readonly record: EpochRecord | undefined
      readonly sequence: number
      readonly termFloor?: number
    }
  | { readonly kind: 'record-unknown' }
  | { readonly kind: 'claim-acked'; readonly sequence: number }
  | { readonly kind: 'claim-refused' }
  | { readonly kind: 'claim-unknown' }
  /** A write was refused by the fence, or nobody knows whether it was stored. `isAgain`: soon after another. */
  | { readonly kind: 'write-doubtful'; readonly isAgain?: boolean }

export type LeaderEffect =
  | { readonly kind: 'read-record'; readonly afterFailure: boolean }
  | { readonly kind: 'claim'; readonly record: EpochRecord; readonly expectedSequence: number }
  | { readonly kind: 'take-over'; readonly epoch: Epoch }
  | { readonly kind: 'stop-writing' }
  /** Back to waiting for an election. */
  | { readonly kind: 'stand-by' }
  /** The Lease has to open this term, the first of a holding. */
  | { readonly kind: 'raise-lease'; readonly to: number }
  | { readonly kind: 'end'; readonly code: 'Deposed' | 'StreamOwnedByAnother'; readonly why: string }

type Step = { readonly leader: Leader; readonly effects: readonly LeaderEffect[] }

export const firstLeader: Leader = { kind: 'standby' }
const stay = (leader: Leader): Step => ({ leader, effects: [] })
const standBy: Step = { leader: firstLeader, effects: [{ kind: 'stand-by' }] }

export function step(leader: Leader, event: LeaderEvent, me: Candidate): Step {
  if (leader.kind === 'ended') return stay(leader)
  if (event.kind === 'lost') return lose(leader)
  switch (leader.kind) {
    case 'standby':
      if (event.kind !== 'elected') return stay(leader)
      return read({ kind: 'reading', term: event.term, former: undefined }, false)
    case 'reading':
      if (event.kind === 'record-unknown') return read(leader, true)
      return event.kind === 'record' ? judgeRecord(leader, event, me) : stay(leader)
    case 'raising':
      if (event.kind !== 'elected' || event.term < leader.term) return stay(leader)
      return claim({ term: event.term, former: leader.former }, leader.expectedSequence, me)
    case 'claiming':
      return awaitClaim(leader, event)
    case 'leading':
      if (event.kind !== 'write-doubtful') return stay(leader)
      return read({ kind: 'reading', term: leader.epoch.term, former: leader.epoch }, event.isAgain === true)
  }
}

const read = (leader: Leader, afterFailure: boolean): Step => ({
  leader,
  effects: [{ kind: 'stop-writing' }, { kind: 'read-record', afterFailure }],
})

/** Another leads now. Who never wrote a word waits again; who did restarts, and begins as a clean standby. */
function lose(leader: Leader): Step {
  if (leader.kind === 'standby') return stay(leader)
  const wrote = leader.kind === 'leading' || ('former' in leader && leader.former !== undefined)
  return wrote ? end('Deposed', 'the election names another leader') : standBy
}

const end = (code: 'Deposed' | 'StreamOwnedByAnother', why: string): Step => ({
  leader: { kind: 'ended' },
  effects: [{ kind: 'stop-writing' }, { kind: 'end', code, why }],
})

function judgeRecord(
  leader: Leader & { kind: 'reading' },
  { record, sequence, termFloor = 0 }: LeaderEvent & { readonly kind: 'record' },
  me: Candidate,
): Step {
  if (record !== undefined && record.city !== me.city)
    return end('StreamOwnedByAnother', `the stream belongs to the city ${record.city}`)
  const recorded = record?.term ?? 0
  const { former } = leader
  const isMine = record?.holder === me.holder
  // Somebody claimed after me. Were it the lower voice, the store would have been rolled back to before my claim, and gateways
  // that heard me would never listen to it: then I have to speak again.
  if (former !== undefined && record !== undefined && !isMine && isHigher({ term: recorded, epoch: sequence }, former))
    return end('Deposed', `${record.holder} leads with term ${recorded}`)
  // Above what is recorded, and above whatever I led or may have been heard with: no gateway may mistake a new epoch for an old one.
  const above = Math.max(former?.term ?? 0, recorded, termFloor) + 1
  const expectedSequence = record === undefined ? 0 : sequence
  if (me.terms === 'record') return claim({ term: above, former }, expectedSequence, me)
  if (former === undefined && above <= leader.term) return claim({ term: leader.term, former }, expectedSequence, me)
  if (former !== undefined && areOfOneHolding(above, former.term))
    return claim({ term: above, former }, expectedSequence, me)
  const term = firstTermOf(transitionsFor(above))
  return { leader: { kind: 'raising', term, former, expectedSequence }, effects: [{ kind: 'raise-lease', to: term }] }
}

type Claimant = { readonly term: number; readonly former: Epoch | undefined }

const claim = ({ term, former }: Claimant, expectedSequence: number, me: Candidate): Step => ({
  leader: { kind: 'claiming', term, former },
  effects: [{ kind: 'claim', record: { term, holder: me.holder, city: me.city }, expectedSequence }],
})

const isHigher = (one: Epoch, other: Epoch): boolean => compareEpochs(one, other) > 0

/** Whether the record is the one that I lead by. The fence compares its sequence alone, and a store that rolled back can give that twice. */
export const isRecordOf = (
  epoch: Epoch,
  { record, sequence }: { readonly record: EpochRecord | undefined; readonly sequence: number },
  me: Candidate,
): boolean => record?.holder === me.holder && record.term === epoch.term && sequence === epoch.epoch

function awaitClaim(leader: Leader & { kind: 'claiming' }, event: LeaderEvent): Step {
  const { term, former } = leader
  switch (event.kind) {
    case 'claim-acked': {
      const epoch: Epoch = { term, epoch: event.sequence }
      return { leader: { kind: 'leading', epoch }, effects: [{ kind: 'take-over', epoch }] }
    }
    case 'claim-refused':
      // Somebody was faster. A former leader looks who; a fresh candidate waits for its silence.
      if (former !== undefined) return read({ kind: 'reading', term, former }, true)
      return standBy
    case 'claim-unknown':
      // It may be stored, and gateways may have heard it; should the store then forget it, the same term would come twice. So it
      // counts as a voice that was mine, the lowest of its term.
      return read({ kind: 'reading', term, former: { term, epoch: 0 } }, true)
    default:
      return stay(leader)
  }
}
