// Puts the voices on their streams: one for rooms and, where asked for, one for users; and the election before them.
import { randomBytes } from 'node:crypto'
import { systemClock, type Clock } from '@citypresence/chassis/edge/clock'
import type { NatsConnection } from '@citypresence/chassis/edge/nats-connect'
import type { CityError } from '@citypresence/chassis/errors'
import type { SampledLog } from '@citypresence/chassis/log'
import { subjectsBelow } from '@citypresence/wire/subjects'
import type { Config } from './config.ts'
import type { City } from './core/city.ts'
import type { Candidate } from './core/leader.ts'
import { hearBeat, mayTry, startWaiting, termFloorAt, type LoneElection } from './core/lone-election.ts'
import { openFencedStream } from './edge/fenced-stream.ts'
import type { AggregatorMetrics } from './metrics.ts'
import type { LeadersView } from './readiness.ts'
import type { RoomSpeech } from './room-speech.ts'
import { createUserSpeech } from './user-speech.ts'
import { createVoice, type Speech, type Voice, type VoiceMetrics } from './voice.ts'

export type LeadersOptions = {
  readonly config: Pick<
    Config,
    | 'podName'
    | 'cityId'
    | 'subjectPrefix'
    | 'streamName'
    | 'userStreamName'
    | 'streamReplicas'
    | 'natsInboxPrefix'
    | 'userEvents'
  >
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
}

export type Leaders = LeadersView & {
  readonly voices: readonly Voice[]
  readonly tellUsers: () => void
  stop(): Promise<void>
}

export function followCity(options: LeadersOptions): Leaders {
  const { config, connection, numbers, clock = systemClock, random = Math.random } = options
  const me: Candidate = {
    holder: `${config.podName ?? 'aggregator'}_${randomBytes(6).toString('hex')}`,
    city: config.cityId,
    terms: 'record',
  }
  const subjects = subjectsBelow(config.subjectPrefix)
  const open = (kind: 'rooms' | 'users', streamName: string) =>
    openFencedStream({
      connection,
      streamName,
      subjects,
      kind,
      replicas: config.streamReplicas,
      inboxPrefix: config.natsInboxPrefix,
      clock,
    })
  let election: LoneElection = startWaiting(clock.monotonicMs())
  let foreignBeatAtMs: number | undefined
  let heardTerm = 0
  const voiceOf = (
    kind: 'rooms' | 'users',
    streamName: string,
    speech: Speech,
    rule: Pick<Parameters<typeof createVoice>[0], 'elected' | 'standBy' | 'termFloor'>,
  ): Voice =>
    createVoice({
      me,
      stream: open(kind, streamName),
      speech,
      ...rule,
      end: options.end,
      clock,
      random,
      log: options.log,
      metrics: voiceMetrics(numbers, kind, options.countError),
    })
  const rooms = voiceOf('rooms', config.streamName, options.speech, {
    elected: (nowMs) => (mayTry(election, nowMs) ? 0 : undefined),
    standBy: (nowMs) => (election = hearBeat(election, nowMs)),
    termFloor: () => Math.max(heardTerm, termFloorAt(clock.wallMs())),
  })
  const users = config.userEvents ? createUserSpeech(options.city, subjects, options.isSynced) : undefined
  const voices = [rooms]
  // Whoever speaks for the rooms speaks for the users; the second stream has a fence of its own.
  if (users !== undefined)
    voices.push(
      voiceOf('users', config.userStreamName, users, {
        elected: () => (rooms.epoch() === undefined ? undefined : 0),
        standBy: () => undefined,
        termFloor: () => termFloorAt(clock.wallMs()),
      }),
    )
  const stopListening = open('rooms', config.streamName).onBeat((epoch) => {
    const own = rooms.epoch()
    if (own?.term === epoch.term && own.epoch === epoch.epoch) return
    const nowMs = clock.monotonicMs()
    foreignBeatAtMs = nowMs
    heardTerm = Math.max(heardTerm, epoch.term)
    election = hearBeat(election, nowMs)
  })
  // Who cannot hear must not take that for silence: five seconds of it begin with the link.
  void listenToLink(connection, () => (election = startWaiting(clock.monotonicMs())))
  return {
    voices,
    tellUsers: () => users?.changed(),
    leads: () => rooms.state() !== 'standby',
    foreignBeatAtMs: () => foreignBeatAtMs,
    async stop() {
      stopListening()
      await Promise.all(voices.map((voice) => voice.stop()))
    },
  }
}

async function listenToLink(connection: NatsConnection, onChange: () => void): Promise<void> {
  for await (const { type } of connection.status()) if (type === 'disconnect' || type === 'reconnect') onChange()
}

function voiceMetrics(numbers: AggregatorMetrics, stream: string, error: (error: unknown) => void): VoiceMetrics {
  return {
    published(messages, seconds) {
      numbers.published.inc({ stream }, messages)
      numbers.publishSeconds.observe({ stream }, seconds)
    },
    doubted: (why) => numbers.doubts.inc({ stream, why }),
    leads(term) {
      numbers.leads.set({ stream }, 1)
      numbers.term.set({ stream }, term)
    },
    error,
  }
}
