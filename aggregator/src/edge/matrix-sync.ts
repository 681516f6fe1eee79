// Follows the homeserver: one /sync at a time, for ever, each answer as slices of facts.
//
//   whoami, filters -> sync(since) -> bytes -> slices -> consumer applies them, asks for the next -> since moves on
//                          '-- failure -> wait (core/sync-pace decides how long, and from where to go on)
//
// `since` moves on only when the consumer asks for the next batch, which says that the former one is applied. An initial batch
// is the whole truth: whoever is not in it is not there.
import { type Clock, momentOf, sleep, systemClock } from '@citypresence/chassis/edge/clock'
import { spanFields } from '@citypresence/chassis/edge/active-span'
import { CityError } from '@citypresence/chassis/errors'
import type { SampledLog } from '@citypresence/chassis/log'
import type { Span, Telemetry } from '@citypresence/chassis/telemetry'
import type { Moment } from '../core/moment.ts'
import { firstLook, hereSince, look, lookEveryMs } from '../core/standstill.ts'
import type { Fact } from '../core/sync-facts.ts'
import {
  applied,
  failed,
  firstPace,
  lateByMs,
  nextRequest,
  startedOver,
  turned,
  wentBack,
  type SyncFailure,
  type SyncPace,
  type SyncRequest,
  type SyncSettings,
} from '../core/sync-pace.ts'
import type { MatrixClient } from './matrix-client.ts'
import { MatrixRefusal } from './matrix-errors.ts'
import type { SyncAnswer } from './sync-answer.ts'
import { syncFilters } from './sync-filter.ts'
import type { AnswerReader } from './sync-worker.ts'

export type SyncBatch = {
  /** A full replace instead of a change. */
  readonly initial: boolean
  /** It names only some of the members of each room: all of them would have been too large an answer. */
  readonly lazy: boolean
  readonly requestedAt: Moment
  /** It tells no less than what was true then: an answer that came later than its poll may be held was old when it came. */
  readonly asOf: Moment
  /** When the last byte of the answer was there. */
  readonly receivedAt: Moment
  /** To be read once, in order. */
  readonly slices: AsyncIterable<readonly Fact[]>
  readonly malformed: number
  readonly unknownStates: number
  /** The connection was lost before this answer: the server may have forgotten who types without saying so. */
  readonly typingSuspect: boolean
  /** Of the span that ends when this batch is applied; undefined when not sampled. */
  readonly traceparent: string | undefined
  /** Does what there is to be done with the batch, under its span. */
  run<T>(work: () => T): T
}

export type SyncStatus = {
  readonly state: 'starting' | 'live' | 'failing' | 'rate-limited' | 'token-refused'
  /** When the last good answer came. */
  readonly lastAnswerAt: Moment | undefined
  /** In a row. */
  readonly failures: number
  readonly lastError: CityError | undefined
}

export interface MatrixSource {
  /** Ends at the abort. Throws BadConfig when the token is another user's: to count the daemon would be wrong in every room. */
  batches(signal: AbortSignal): AsyncIterable<SyncBatch>
  /** The next request is an initial sync. */
  startOver(): void
  status(): SyncStatus
}

export type SyncAnswered = {
  readonly initial: boolean
  readonly bytes: number
  readonly facts: number
  readonly malformed: number
  readonly unknownStates: number
  /** From the last byte to the first slice. */
  readonly readMs: number
}

/** For metrics. */
export type SyncObserver = {
  answered?(answer: SyncAnswered): void
  failed?(error: CityError, waitMs: number): void
}

export type MatrixSourceOptions = {
  readonly client: Pick<MatrixClient, 'whoami' | 'storeFilter' | 'sync' | 'untilAllowed'>
  readonly reader: Pick<AnswerReader, 'read'>
  /** The daemon. */
  readonly userId: string
  /** Whether messages are to be heard of (their senders and times, never their text). */
  readonly activity: boolean
  readonly log: SampledLog
  /** How long the server is asked to hold a poll; 30 s is what clients usually ask for and proxies usually allow. */
  readonly timeoutMs?: number
  /** How much longer than that an answer may take. */
  readonly slackMs?: number
  readonly initialBytesMax?: number
  readonly incrementBytesMax?: number
  readonly clock?: Clock
  readonly random?: () => number
  readonly observer?: SyncObserver
  readonly startSpan?: Telemetry['startSpan']
}

const timeoutMsDefault = 30_000
/** A proxy on the way, and a server that is busy when the poll ends. */
const slackMsDefault = 10_000
/** 2,000 rooms of 100 members are 19 MiB with our filter; a city of three times that still starts. */
const initialBytesMaxDefault = 64 * 1024 * 1024
/** 40,000 presence changes in one answer; after a gap longer than that an initial sync is the shorter way. */
const incrementBytesMaxDefault = 8 * 1024 * 1024
/** The server has held a poll if it took longer than this; an answer before it came at once. */
const atOnceMs = 1_000

type Filters = { readonly initial: string; readonly lazy: string; readonly increment: string }
type State = {
  pace: SyncPace
  filters: Filters | undefined
  verified: boolean
  startsOver: boolean
  status: SyncStatus
}
type Received = { readonly answer: SyncAnswer; readonly requestedAt: Moment; readonly at: Moment }
/** With the moment at which it was here at the earliest. */
type Dated = Received & { readonly hereSince: Moment }
type Context = Required<Pick<MatrixSourceOptions, 'client' | 'reader' | 'userId' | 'clock' | 'random' | 'log'>> & {
  readonly settings: SyncSettings
  readonly options: MatrixSourceOptions
  readonly state: State
}

export function createMatrixSource(options: MatrixSourceOptions): MatrixSource {
  const { clock = systemClock, random = Math.random } = options
  const settings: SyncSettings = {
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    slackMs: options.slackMs ?? slackMsDefault,
    initialBytesMax: options.initialBytesMax ?? initialBytesMaxDefault,
    incrementBytesMax: options.incrementBytesMax ?? incrementBytesMaxDefault,
    variationStart: Math.floor(random() * 10_000),
  }
  const state: State = {
    pace: firstPace,
    filters: undefined,
    verified: false,
    startsOver: false,
    status: { state: 'starting', lastAnswerAt: undefined, failures: 0, lastError: undefined },
  }
  const context: Context = { ...options, clock, random, settings, options, state }
  return {
    batches: (signal) => follow(context, signal),
    startOver: () => void (state.startsOver = true),
    status: () => state.status,
  }
}

async function* follow(context: Context, signal: AbortSignal): AsyncGenerator<SyncBatch> {
  const { state, options, random, clock } = context
  const hereSinceOf = watchStandstill(clock, signal)
  while (!signal.aborted) {
    if (state.startsOver) state.pace = startedOver(state.pace)
    state.startsOver = false
    const request = nextRequest(state.pace, context.settings)
    const received = await receive(context, request, signal)
    if (received === undefined) continue
    if (wentBack(state.pace, received.answer.nextBatch)) {
      await turnBack(context, signal)
      continue
    }
    const span = options.startSpan?.('matrix sync')
    yield batchOf({ ...received, hereSince: hereSinceOf(received.at) }, request, state.pace.typingSuspect, span)
    // The consumer asked for more: what it got is applied.
    span?.end()
    const { answer, requestedAt, at } = received
    const cameAtOnce = at.monotonicMs - requestedAt.monotonicMs < atOnceMs
    const next = applied(state.pace, { nextBatch: answer.nextBatch, cameAtOnce }, random())
    state.pace = next.pace
    if (next.waitMs > 0) await sleep(clock, next.waitMs, signal)
  }
}

async function turnBack({ state, random, clock, log, options }: Context, signal: AbortSignal): Promise<void> {
  const next = turned(state.pace, random())
  state.pace = next.pace
  const error = new CityError('MatrixWentBack', 'GET /sync: the homeserver went back to a place that was left')
  log.warn('sync went back', { err: error, wait_ms: next.waitMs }, 'everything is asked anew')
  options.observer?.failed?.(error, next.waitMs)
  await sleep(clock, next.waitMs, signal)
}

function batchOf(received: Dated, request: SyncRequest, typingSuspect: boolean, span: Span | undefined): SyncBatch {
  const { slices, malformed, unknownStates } = received.answer
  return {
    initial: request.since === undefined,
    lazy: request.lazy,
    requestedAt: received.requestedAt,
    asOf: asOfOf(received, request),
    receivedAt: received.at,
    slices,
    malformed,
    unknownStates,
    typingSuspect,
    traceparent: span?.traceparent,
    run: (work) => (span === undefined ? work() : span.run(work)),
  }
}

/** A poll is held no longer than it asks for; and a process that stood still finds its answer long after it came. */
function asOfOf({ requestedAt, at, hereSince }: Dated, { timeoutMs }: SyncRequest): Moment {
  const lateMs = lateByMs(at.monotonicMs - requestedAt.monotonicMs, timeoutMs)
  const given = { wallMs: at.wallMs - lateMs, monotonicMs: at.monotonicMs - lateMs }
  const earliest = hereSince.monotonicMs < given.monotonicMs ? hereSince : given
  return earliest.monotonicMs < requestedAt.monotonicMs ? requestedAt : earliest
}

/** Looks now and then whether this process still moves; tells of what is read now since when it may have been here. */
function watchStandstill(clock: Clock, signal: AbortSignal): (at: Moment) => Moment {
  let seen = firstLook(momentOf(clock))
  const lookNow = (): void => void (seen = look(seen, momentOf(clock)))
  let cancel: () => void
  const tick = (): void => {
    lookNow()
    if (!signal.aborted) cancel = clock.after(lookEveryMs, tick)
  }
  cancel = clock.after(lookEveryMs, tick)
  signal.addEventListener('abort', () => cancel(), { once: true })
  return (at) => {
    lookNow()
    return hereSince(seen, at)
  }
}

/** One attempt. Undefined after a failure, when its wait is over. */
async function receive(context: Context, request: SyncRequest, signal: AbortSignal): Promise<Received | undefined> {
  try {
    return await attempt(context, request, signal)
  } catch (error) {
    if (signal.aborted) return undefined
    if (!(error instanceof CityError) || error.code === 'BadConfig') throw error
    await recover(context, error, signal)
    return undefined
  }
}

async function attempt(context: Context, request: SyncRequest, signal: AbortSignal): Promise<Received> {
  const { client, reader, clock, state, options } = context
  await verifyUser(context, signal)
  state.filters ??= await storeFilters(context, signal)
  const filter = state.filters[kindOf(request)]
  const requestedAt = momentOf(clock)
  const body = await client.sync({ ...request, filter }, { ...request, signal })
  const at = momentOf(clock)
  const bytes = body.byteLength
  const answer = await reader.read(body)
  state.status = { state: 'live', lastAnswerAt: at, failures: 0, lastError: undefined }
  const { malformed, unknownStates, factCount: facts } = answer
  const readMs = clock.monotonicMs() - at.monotonicMs
  options.observer?.answered?.({ initial: request.since === undefined, bytes, facts, malformed, unknownStates, readMs })
  return { answer, requestedAt, at }
}

const kindOf = ({ since, lazy }: SyncRequest): keyof Filters =>
  since !== undefined ? 'increment' : lazy ? 'lazy' : 'initial'

async function verifyUser({ client, userId, state }: Context, signal: AbortSignal): Promise<void> {
  if (state.verified) return
  const actual = await client.whoami(signal)
  if (actual !== userId)
    throw new CityError('BadConfig', `MATRIX_ACCESS_TOKEN belongs to ${actual}, but MATRIX_USER_ID is ${userId}`)
  state.verified = true
}

async function storeFilters({ client, userId, options }: Context, signal: AbortSignal): Promise<Filters> {
  const filters = syncFilters(options)
  return {
    initial: await storeFilter(client, userId, filters.initial, signal),
    lazy: await storeFilter(client, userId, filters.lazy, signal),
    increment: await storeFilter(client, userId, filters.increment, signal),
  }
}

/** The id of a stored filter; a server that stores none gets the filter itself with each request. */
async function storeFilter(
  client: Context['client'],
  userId: string,
  filter: object,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await client.storeFilter(userId, filter, signal)
  } catch (error) {
    if (error instanceof MatrixRefusal && error.code === 'MatrixRefused') return JSON.stringify(filter)
    throw error
  }
}

async function recover(context: Context, error: CityError, signal: AbortSignal): Promise<void> {
  const { client, clock, state, random, log, options } = context
  const failure = failureOf(error)
  // A refused request: either its token of the stream or its filter is unknown now. Both are made anew.
  if (failure === 'refused') state.filters = undefined
  if (error.code === 'MatrixTokenRefused') state.verified = false
  const next = failed(state.pace, failure, random(), clock.monotonicMs())
  state.pace = next.pace
  state.status = { ...state.status, state: stateOf(error), failures: state.status.failures + 1, lastError: error }
  // The attempt is over, and so is its span: it says that there was one and how it ended.
  const span = options.startSpan?.('matrix sync')
  const fields = { err: error, wait_ms: next.waitMs, failures: next.pace.failures, ...spanFields(span?.traceparent) }
  log.warn(`sync ${error.code}`, fields, 'no answer from /sync')
  span?.end(error)
  options.observer?.failed?.(error, next.waitMs)
  await sleep(clock, next.waitMs, signal)
  await client.untilAllowed('sync', signal)
}

function failureOf(error: CityError): SyncFailure {
  if (error.code === 'MatrixRateLimited' || error.code === 'MatrixTokenRefused') return 'not-now'
  if (error.code === 'MatrixGarbled') return isTooLarge(error) ? 'too-large' : 'unreadable'
  return error instanceof MatrixRefusal && error.status === 400 ? 'refused' : 'unreachable'
}

const isTooLarge = ({ cause }: CityError): boolean => cause instanceof CityError && cause.code === 'HttpTooLarge'

function stateOf(error: CityError): SyncStatus['state'] {
  if (error.code === 'MatrixRateLimited') return 'rate-limited'
  return error.code === 'MatrixTokenRefused' ? 'token-refused' : 'failing'
}
