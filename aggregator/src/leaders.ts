// Puts the voices on their streams: one for rooms and, where asked for, one for users; and the election before them.
import { systemClock, type Clock } from '@citypresence/chassis/edge/clock'
import type { NatsConnection } from '@citypresence/chassis/edge/nats-connect'
import type { CityError } from '@citypresence/chassis/errors'
import type { SampledLog } from '@citypresence/chassis/log'
import type { Telemetry } from '@citypresence/chassis/telemetry'
import type { Epoch } from '@citypresence/wire/epoch'
import { subjectsBelow } from '@citypresence/wire/subjects'
import type { CityElection } from './city-election.ts'
import type { Config } from './config.ts'
import type { City } from './core/city.ts'
import type { Candidate } from './core/leader.ts'
import { termFloorAt } from './core/lone-election.ts'
import { openFencedStream } from './edge/fenced-stream.ts'
import type { AggregatorMetrics } from './metrics.ts'
import type { LeadersView } from './readiness.ts'
import type { RoomSpeech } from './room-speech.ts'
import { createUserSpeech, type UserSpeech } from './user-speech.ts'
import { createVoice, type Speech, type Voice, type VoiceMetrics } from './voice.ts'

export type LeadersOptions = {
  readonly config: Pick<
    Config,
    'cityId' | 'subjectPrefix' | 'streamName' | 'userStreamName' | 'streamReplicas' | 'natsInboxPrefix' | 'userEvents'
  > &
    Partial<Pick<Config, 'streamStorage'>>
  /** Unique for each process. */
  readonly holder: string
  readonly election: CityElection
  readonly connection: NatsConnection
  readonly city: City
  readonly speech: RoomSpeech
  /** One full sync was learned. */
  readonly isSynced: () => boolean
  readonly log: SampledLog
  readonly numbers: AggregatorMetrics
  readonly countError: (error: unknown) => void
  readonly end: (error: CityError) => void
  readonly clock?: Clock
  readonly random?: () => number
  readonly startSpan?: Telemetry['startSpan']
}

export type Leaders = LeadersView & {
  readonly voices: readonly Voice[]
  readonly tellUsers: () => void
  stop(): Promise<void>
}

export function followCity(options: LeadersOptions): Leaders {
  const { config, connection, election, holder, numbers, clock = systemClock, random = Math.random } = options
  const subjects = subjectsBelow(config.subjectPrefix)
  const open = (kind: 'rooms' | 'users', streamName: string) =>
    openFencedStream({
      connection,
      streamName,
      subjects,
      kind,
      replicas: config.streamReplicas,
      storage: config.streamStorage,
      inboxPrefix: config.natsInboxPrefix,
      clock,
      onRefusal: (code) => numbers.refusals.inc({ stream: kind, code: String(code) }),
    })
  let foreignBeatAtMs: number | undefined
  let heardTerm = 0
  const voiceOf = (
    kind: 'rooms' | 'users',
    streamName: string,
    speech: Speech,
    rule: Pick<Parameters<typeof createVoice>[0], 'elected' | 'standBy' | 'raise' | 'termFloor'> &
      Pick<Candidate, 'terms'>,
  ): Voice =>
    createVoice({
      me: { holder, city: config.cityId, terms: rule.terms },
      stream: open(kind, streamName),
      speech,
      ...rule,
      end: options.end,
      clock,
      random,
      log: options.log,
      metrics: voiceMetrics(numbers, kind, options.countError),
      ...(options.startSpan && { startSpan: options.startSpan }),
    })
  const rooms = voiceOf('rooms', config.streamName, options.speech, {
    terms: election.terms,
    elected: (nowMs) => election.elected(nowMs),
    standBy: (nowMs) => election.standBy(nowMs),
    raise: (term) => election.raise(term),
    termFloor: (isFresh) => Math.max(heardTerm, election.termFloor(isFresh)),
  })
  const users = config.userEvents ? openUserSpeech(options) : undefined
  const voices = [rooms]
  // Whoever speaks for the rooms speaks for the users; the second stream has a fence of its own.
  if (users !== undefined)
    voices.push(
      voiceOf('users', config.userStreamName, users, {
        terms: 'record',
        elected: () => (rooms.epoch() === undefined ? undefined : 0),
        standBy: () => undefined,
        termFloor: () => termFloorAt(clock.wallMs()),
      }),
    )
  // Of users, too, nobody speaks whom the Lease does not name: their stream still takes his words until the next one has claimed it.
  election.onLost(() => {
    for (const voice of voices) voice.lose()
  })
  let deaf: CityError | undefined
  const hearVoice = (epoch: Epoch): void => {
    deaf = undefined
    const own = rooms.epoch()
    if (own?.term === epoch.term && own.epoch === epoch.epoch) return
    const nowMs = clock.monotonicMs()
    foreignBeatAtMs = nowMs
    heardTerm = Math.max(heardTerm, epoch.term)
    election.heardBeat(nowMs)
  }
  // Who may not hear must not take that for silence either: it is told again and again, sooner than a silence is over.
  const stopListening = open('rooms', config.streamName).onBeat(hearVoice, (error) => {
    deaf = error
    options.countError(error)
    election.couldNotHear(clock.monotonicMs())
  })
  void listenToLink(connection, (isLinked) => {
    election.couldNotHear(clock.monotonicMs())
    election.linkChanged(isLinked)
  })
  return {
    voices,
    tellUsers: () => users?.changed(),
    leads: () => rooms.state() !== 'standby',
    term: () => rooms.epoch()?.term,
    foreignBeatAtMs: () => foreignBeatAtMs,
    trouble: () => rooms.trouble() ?? deaf,
    async stop() {
      stopListening()
      await Promise.all(voices.map((voice) => voice.stop()))
    },
  }
}

function openUserSpeech({ config, city, speech, isSynced, log, countError }: LeadersOptions): UserSpeech {
  return createUserSpeech({
    city,
    subjects: subjectsBelow(config.subjectPrefix),
    isKnown: isSynced,
    areRoomsTold: () => speech.isComplete(),
    untold(error) {
      countError(error)
      log.warn(error.code, { err: error }, 'of somebody nothing is told')
    },
  })
}

async function listenToLink(connection: NatsConnection, onChange: (isLinked: boolean) => void): Promise<void> {
  for await (const { type } of connection.status())
    if (type === 'disconnect' || type === 'reconnect') onChange(type === 'reconnect')
}

function voiceMetrics(numbers: AggregatorMetrics, stream: string, error: (error: unknown) => void): VoiceMetrics {
  return {
    published(messages, seconds) {
      numbers.published.inc({ stream }, messages)
      numbers.publishSeconds.observe({ stream }, seconds)
    },
    doubted: (why) => numbers.doubts.inc({ stream, why }),
    claimed: (answer) => numbers.claims.inc({ stream, answer }),
    leads(term, epoch) {
      numbers.leads.set({ stream }, 1)
      numbers.term.set({ stream }, term)
      numbers.epoch.set({ stream }, epoch)
    },
    error,
  }
}
