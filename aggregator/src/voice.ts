// Runs the leader's machine on a stream: waits for the election, claims, writes what the speech has to say, one batch in flight,
// and comes back from every doubt with a new epoch.
//
//   tick -> standby:  silent long enough? -> elected -> read record -> claim -> take over
//        -> leading:  speech.next() -> fenced write -> acked: speech.said()   refused, unknown: doubt -> read record -> ...
//                     every two seconds a look at the record beside it       -> another's: doubt
//
// The world is handed in: the stream, a clock and a random number for the pauses after failures.
import { spanFields } from '@citypresence/chassis/edge/active-span'
import type { Clock } from '@citypresence/chassis/edge/clock'
import { CityError, toErrorCode } from '@citypresence/chassis/errors'
import { fullJitterMs } from '@citypresence/chassis/core/backoff'
import { noCauses, spanFor, withCause } from '@citypresence/chassis/core/causes'
import type { SampledLog } from '@citypresence/chassis/log'
import type { Telemetry } from '@citypresence/chassis/telemetry'
import { traceHeader, type Epoch, type EpochRecord } from '@citypresence/wire/epoch'
import type { OutMessage } from './core/batch.ts'
import {
  firstLeader,
  isRecordOf,
  step,
  type Candidate,
  type Leader,
  type LeaderEffect,
  type LeaderEvent,
} from './core/leader.ts'

type WriteAnswer =
  | { readonly kind: 'acked'; readonly sequence: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown'; readonly why: string; readonly error?: CityError }
export type Stored = { readonly subject: string; readonly body: string }

/** What a voice needs of its stream. */
export interface VoiceStream {
  ensure(): Promise<void>
  readRecord(): Promise<{ readonly record: EpochRecord | undefined; readonly sequence: number }>
  claim(record: EpochRecord, expectedSequence: number): Promise<WriteAnswer>
  write(messages: readonly OutMessage[], epoch: Epoch, lastSequence: number): Promise<WriteAnswer>
  readStored(): Promise<readonly Stored[]>
}

/** What is to be said. */
export interface Speech {
  /** A new epoch begins; nothing said before counts. */
  begin(epoch: Epoch): void
  /** What the stream held when the epoch began. */
  takeStored(stored: readonly Stored[]): void
  /** What is due, at most one batch; empty when nothing is. */
  next(nowMs: number): readonly OutMessage[]
  /** What was taken last is stored. */
  said(nowMs: number): void
  /** Whether there is more to get ready, a piece at each question for the next batch. */
  isBusy?(): boolean
}

export type VoiceMetrics = {
  claimed(answer: 'acked' | 'refused' | 'unknown'): void
  published(messages: number, seconds: number): void
  doubted(why: 'refused' | 'unknown' | 'another'): void
  leads(term: number, epoch: number): void
  error(error: unknown): void
}

export type VoiceOptions = {
  readonly me: Candidate
  readonly stream: VoiceStream
  readonly speech: Speech
  /** The term of an election that is won now, undefined while it is not. */
  readonly elected: (nowMs: number) => number | undefined
  /** A claim takes a term above this one, whatever the stream holds. `isFresh`: by who never led. */
  readonly termFloor: (isFresh: boolean) => number
  /** The Lease has to open this term; `elected` says when it does. */
  readonly raise?: (term: number) => void
  /** Somebody else was faster: the election begins anew. */
  readonly standBy: (nowMs: number) => void
  /** The end of this process as a leader: Deposed, StreamOwnedByAnother, StreamDiffers. */
  readonly end: (error: CityError) => void
  readonly clock: Clock
  readonly random: () => number
  readonly log: SampledLog
  readonly metrics: VoiceMetrics
  /** Around each write of changes that belong to sampled traces. */
  readonly startSpan?: Telemetry['startSpan']
}

export type Voice = {
  /** Looks whether something is to be done; cheap, and asked often. */
  tick(): void
  epoch(): Epoch | undefined
  state(): Leader['kind']
  /** The election names another. */
  lose(): void
  /** Why the last question or write failed; undefined since one was answered well. */
  trouble(): CityError | undefined
  /** Nothing more is written; resolves when the write under way is answered. */
  stop(): Promise<void>
}

// Between two questions to a stream that cannot be asked: soon back, and no storm on a server that is just starting.
const retry = { baseMs: 250, capMs: 2_000 }

// One doubt is answered at once, for browsers wait. Where claims are taken and writes are not, as when somebody without a fence writes
// to the stream all the time, each would be followed by the next, and by the whole city, as fast as the server answers.
const doubtsApartMs = 1_000

// How long two leaders can both pass the fence after the worst roll back; a small question to the stream's leader.
const lookEveryMs = 2_000

export function createVoice(options: VoiceOptions): Voice {
  const { me, stream, speech, clock, log, metrics } = options
  let leader: Leader = firstLeader
  let lastSequence = 0
  let failures = 0
  let inFlight: Promise<void> | undefined
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let sawAnother = false
  let doubtedAtMs = Number.NEGATIVE_INFINITY
  let cancelRetry = (): void => undefined
  let cancelSoon = (): void => undefined
  let stopped = false
  let trouble: CityError | undefined

  const dispatch = (event: LeaderEvent): void => {
    if (stopped) return
    const next = step(leader, event, me)
    leader = next.leader
    for (const effect of next.effects) act(effect)
  }

  const act = (effect: LeaderEffect): void => {
    switch (effect.kind) {
      case 'stop-writing':
        break // next() is asked only while leading
      case 'read-record':
        if (effect.afterFailure) later(readRecord)
        else void readRecord()
        break
      case 'claim':
        void claim(effect.record, effect.expectedSequence)
        break
      case 'take-over':
        takeOver(effect.epoch)
        break
      case 'stand-by':
        options.standBy(clock.monotonicMs())
        break
      case 'raise-lease':
        options.raise?.(effect.to)
        break
      case 'end':
        options.end(new CityError(effect.code, effect.why))
        break
    }
  }

  const later = (run: () => Promise<void>): void => {
    failures++
    cancelRetry()
    cancelRetry = clock.after(fullJitterMs(failures, retry, options.random()), () => void run())
  }

  const readRecord = async (): Promise<void> => {
    const asking = leader
    try {
      // It may have been deleted under us: then it is made again, and claimed again.
      await stream.ensure()
      const { record, sequence } = await stream.readRecord()
      if (leader !== asking) return
      failures = 0
      // While the stream could not be asked somebody else may have been heard.
      const isFresh = leader.kind === 'reading' && leader.former === undefined
      const isTooLate = isFresh && options.elected(clock.monotonicMs()) === undefined
      const termFloor = options.termFloor(isFresh)
      dispatch(isTooLate ? { kind: 'lost' } : { kind: 'record', record, sequence, termFloor })
    } catch (error) {
      const code = toErrorCode(error)
      metrics.error(error)
      if (leader !== asking) return
      trouble = toTrouble(error)
      if (code === 'StreamDiffers' && error instanceof CityError) {
        options.end(error)
        return
      }
      log.warn('record', { err: error, code }, 'the epoch record cannot be read; asking again')
      dispatch({ kind: 'record-unknown' })
    }
  }

  const claim = async (record: EpochRecord, expected: number): Promise<void> => {
    const claiming = leader
    const answer = await stream.claim(record, expected)
    metrics.claimed(answer.kind)
    // The election was lost meanwhile, and perhaps won again: then this is not the claim that is waited for, and its sequence is another's.
    if (leader !== claiming) return
    if (answer.kind === 'acked') {
      trouble = undefined
      dispatch({ kind: 'claim-acked', sequence: answer.sequence })
      return
    }
    if (answer.kind === 'unknown') {
      trouble = troubleOf(answer)
      metrics.error(trouble)
      log.warn('claim', { code: trouble.code, why: answer.why }, 'a claim is in doubt; reading who leads')
    }
    dispatch({ kind: answer.kind === 'refused' ? 'claim-refused' : 'claim-unknown' })
  }

  const takeOver = (epoch: Epoch): void => {
    lastSequence = epoch.epoch
    lookedAtMs = clock.monotonicMs()
    sawAnother = false
    metrics.leads(epoch.term, epoch.epoch)
    log.info('leads', { term: epoch.term, epoch: epoch.epoch }, 'leads the city')
    speech.begin(epoch)
    void readStored(epoch)
    tick()
  }

  const isOf = (epoch: Epoch): boolean => leader.kind === 'leading' && leader.epoch === epoch

  const readStored = async (epoch: Epoch): Promise<void> => {
    try {
      const stored = await stream.readStored()
      failures = 0
      if (isOf(epoch)) speech.takeStored(stored)
    } catch (error) {
      metrics.error(error)
      trouble = toTrouble(error)
      log.warn('stored', { err: error, code: toErrorCode(error) }, 'the stream cannot be read; asking again')
      if (isOf(epoch)) later(() => readStored(epoch))
    }
  }

  /** Beside the writes. What cannot be read now is read the next time. */
  const look = async (epoch: Epoch): Promise<void> => {
    try {
      const found = await stream.readRecord()
      if (isOf(epoch) && !isRecordOf(epoch, found, me)) sawAnother = true
    } catch (error) {
      metrics.error(error)
    }
  }

  const doubt = (why: 'refused' | 'unknown' | 'another', text: string, traceparent?: string): void => {
    metrics.doubted(why)
    const fields = { code: 'PublishUnknown', why: text, ...spanFields(traceparent) }
    log.warn('doubt', fields, 'a write is in doubt; reading who leads')
    const nowMs = clock.monotonicMs()
    const isAgain = nowMs - doubtedAtMs < doubtsApartMs
    doubtedAtMs = nowMs
    dispatch({ kind: 'write-doubtful', isAgain })
  }

  const write = async (messages: readonly OutMessage[], epoch: Epoch): Promise<void> => {
    const startedMs = clock.monotonicMs()
    // A batch that was written in its own time has the causes of its messages.
    const origin = spanFor(messages.map(({ headers }) => headers[traceHeader]).reduce(withCause, noCauses))
    const span = origin && options.startSpan?.('publish', origin)
    const answer = await stream.write(messages, epoch, lastSequence)
    const nowMs = clock.monotonicMs()
    span?.setAttributes({ messages: messages.length, answer: answer.kind })
    span?.end(answer.kind === 'unknown' ? answer.error : undefined)
    inFlight = undefined
    if (answer.kind === 'acked') {
      trouble = undefined
      lastSequence = answer.sequence
      metrics.published(messages.length, (nowMs - startedMs) / 1000)
      speech.said(nowMs)
      tick()
      return
    }
    if (answer.kind === 'unknown') trouble = troubleOf(answer)
    doubt(answer.kind, answer.kind === 'refused' ? 'the fence refused' : answer.why, origin?.parent)
  }

  const tick = (): void => {
    if (stopped) return
    const nowMs = clock.monotonicMs()
    if (leader.kind === 'standby' || leader.kind === 'raising') {
      const term = options.elected(nowMs)
      if (term !== undefined) dispatch({ kind: 'elected', term })
      return
    }
    if (leader.kind !== 'leading' || inFlight !== undefined) return
    if (sawAnother) {
      sawAnother = false
      doubt('another', 'the record names another')
      return
    }
    if (nowMs - lookedAtMs >= lookEveryMs) {
      lookedAtMs = nowMs
      void look(leader.epoch)
    }
    const messages = speech.next(nowMs)
    if (messages.length > 0) inFlight = write(messages, leader.epoch)
    else if (speech.isBusy?.() === true) soon()
  }

  /** The next piece has a turn of its own, and comes at once. */
  const soon = (): void => {
    cancelSoon()
    cancelSoon = clock.after(0, tick)
  }

  return {
    tick,
    epoch: () => (leader.kind === 'leading' ? leader.epoch : undefined),
    state: () => leader.kind,
    lose: () => dispatch({ kind: 'lost' }),
    trouble: () => trouble,
    async stop() {
      stopped = true
      cancelRetry()
      cancelSoon()
      await inFlight
    },
  }
}

const toTrouble = (error: unknown): CityError =>
  error instanceof CityError
    ? error
    : new CityError('Unexpected', error instanceof Error ? error.message : String(error))

const troubleOf = ({ why, error }: { readonly why: string; readonly error?: CityError }): CityError =>
  error ?? new CityError('PublishUnknown', why)
