// The aggregator's settings: name, default, and what each costs or excludes.
import { decode, type ConfigOf, type Incomplete, type SettingsTable } from '@citypresence/chassis/config'
import { accept, refuse, type Result } from '@citypresence/chassis/core/result'
import { leaseMistakes, leaseSettings } from '@citypresence/chassis/kube-lease'
import { natsMistakes, natsSettings } from '@citypresence/chassis/nats-settings'
import { serviceSettings } from '@citypresence/chassis/service-settings'
import { defaultPrefix, roomStream, userStream } from '@citypresence/wire/subjects'

const userId = (text: string): Result<string> =>
  /^@[^:]+:.+$/.test(text) ? accept(text) : refuse('must be a Matrix user id, as @presence_daemon:example.org')

const milliseconds = (min: number, max: number) => decode.integer({ min, max })
const dayMs = 86_400_000

export const settings = {
  ...serviceSettings,
  ...natsSettings,
  homeserverUrl: {
    env: 'MATRIX_HS_URL',
    aliases: ['MATRIX_BASE_URL'],
    decode: decode.url('http:', 'https:'),
    help: 'Address of the Matrix homeserver.',
  },
  accessToken: {
    env: 'MATRIX_ACCESS_TOKEN',
    decode: decode.nonEmpty,
    secret: true,
    help: "The daemon's access token. A file is read again when the homeserver refuses the token.",
  },
  userId: {
    env: 'MATRIX_USER_ID',
    decode: userId,
    help: 'The daemon. It is a member of every room and never counted.',
  },
  matrixCaFile: {
    env: 'MATRIX_CA_FILE',
    decode: decode.nonEmpty,
    optional: true,
    readable: true,
    help: 'PEM file with the authorities for the homeserver.',
  },
  cityServiceUrl: {
    env: 'CITY_SERVICE_INTERNAL_URL',
    aliases: ['CITY_SERVICE_URL'],
    decode: decode.url('http:', 'https:'),
    optional: true,
    help: 'The city service, asked for GET /internal/city/rooms, or as it stands where it has a path. Either this or ROOM_DIRECTORY_FILE.',
  },
  cityServiceToken: {
    env: 'CITY_SERVICE_TOKEN',
    decode: decode.nonEmpty,
    optional: true,
    secret: true,
    help: 'Bearer token for the city service.',
  },
  cityServiceCaFile: {
    env: 'CITY_SERVICE_CA_FILE',
    decode: decode.nonEmpty,
    optional: true,
    readable: true,
    help: 'PEM file with the authorities for the city service.',
  },
  roomDirectoryFile: {
    env: 'ROOM_DIRECTORY_FILE',
    decode: decode.nonEmpty,
    optional: true,
    help: 'The rooms as a JSON file, instead of the city service; watched.',
  },
  roomRefreshIntervalMs: {
    env: 'ROOM_REFRESH_INTERVAL_MS',
    decode: milliseconds(1_000, dayMs),
    default: 300_000,
    help: 'How often the rooms are asked for and their aliases resolved again.',
  },
  throttleMs: {
    env: 'ROOM_PRESENCE_THROTTLE_MS',
    decode: milliseconds(0, 600_000),
    default: 3_000,
    help: 'At most one event a room in this time; the first change goes at once, the last one always gets out.',
  },
  staleAfterMs: {
    env: 'STALE_AFTER_MS',
    decode: milliseconds(1_000, dayMs),
    default: 90_000,
    help: 'Without a good sync for so long all counts freeze and are marked stale.',
  },
  offlineGraceMs: {
    env: 'OFFLINE_GRACE_MS',
    decode: milliseconds(0, 600_000),
    default: 0,
    help: 'How long somebody who goes offline still counts; 20000 stops flapping. Leaving a room counts at once.',
  },
  activeWindowMs: {
    env: 'ACTIVE_WINDOW_MS',
    decode: milliseconds(0, dayMs),
    default: 300_000,
    help: 'A room is active for so long after a message or a join.',
  },
  activity: {
    env: 'ACTIVITY',
    decode: decode.boolean,
    default: true,
    help: 'Whether messages make a room active (on, off). Their text is never asked for.',
  },
  unknownPresence: {
    env: 'UNKNOWN_PRESENCE',
    decode: decode.oneOf('online', 'offline'),
    default: 'online' as const,
    help: 'How somebody counts whose presence state is none of online, unavailable, busy and offline.',
  },
  cityId: {
    env: 'CITY_ID',
    decode: decode.nonEmpty,
    default: 'city',
    help: 'Whose stream it is. Two cities on one NATS need two of these, two prefixes and two streams.',
  },
  leaderElection: {
    env: 'LEADER_ELECTION',
    decode: decode.oneOf('none', 'kubernetes'),
    default: 'none' as const,
    help: 'How the leader is found. kubernetes: by a Lease. none: whoever hears no other leader for four seconds. The stream refuses all but one in any case.',
  },
  standby: {
    env: 'STANDBY',
    decode: decode.oneOf('follows', 'waits'),
    default: 'follows' as const,
    help: 'Whether a standby follows Matrix (follows), so that it leads with all it knows, or begins with that when it is elected (waits): one long poll less at the homeserver, and a planned handover as long as a first sync.',
  },
  ...leaseSettings,
  cityPresenceName: {
    env: 'CITY_PRESENCE_NAME',
    decode: decode.nonEmpty,
    optional: true,
    help: 'Name of the CityPresence in whose status the leader tells how Matrix, rooms and stream are; in the namespace of the Lease. Needed are the rights get and patch on its status.',
  },
  userEvents: {
    env: 'USER_EVENTS',
    decode: decode.boolean,
    default: false,
    help: 'Whether each user is published too, in a stream of their own that no gateway may read (on, off).',
  },
  userEventsRemote: {
    env: 'USER_EVENTS_REMOTE',
    decode: decode.boolean,
    default: false,
    help: 'Whether user events hold users of other homeservers too (on, off).',
  },
  subjectPrefix: {
    env: 'SUBJECT_PREFIX',
    decode: decode.words,
    default: defaultPrefix,
    help: 'What all subjects begin with.',
  },
  streamName: {
    env: 'STREAM_NAME',
    decode: decode.word,
    default: roomStream,
    help: 'Name of the stream that holds the rooms.',
  },
  userStreamName: {
    env: 'USER_STREAM_NAME',
    decode: decode.word,
    default: userStream,
    help: 'Name of the stream that holds the users.',
  },
  streamReplicas: {
    env: 'STREAM_REPLICAS',
    decode: decode.integer({ min: 1, max: 5 }),
    default: 1,
    help: 'Copies of a stream that is made; three in production.',
  },
  streamStorage: {
    env: 'STREAM_STORAGE',
    decode: decode.oneOf('file', 'memory'),
    default: 'file' as const,
    help: 'Where NATS keeps a stream. memory: faster, and gone with the server; the leader then says everything anew.',
  },
  natsInboxPrefix: {
    env: 'NATS_INBOX_PREFIX',
    decode: decode.words,
    default: '_INBOX_aggregator',
    help: 'Where answers of NATS come in; the account needs the right to subscribe there.',
  },
} as const satisfies SettingsTable

export type Config = ConfigOf<typeof settings>

/** Rules over several settings; each sentence names its fields. */
export function mistakesOf(config: Incomplete<Config>): readonly string[] {
  const { cityServiceUrl, roomDirectoryFile, userEvents, userEventsRemote } = config
  const mistakes = [...natsMistakes(config)]
  if ((cityServiceUrl === undefined) === (roomDirectoryFile === undefined))
    mistakes.push('CITY_SERVICE_INTERNAL_URL and ROOM_DIRECTORY_FILE: give exactly one of them')
  if (config.leaderElection === 'kubernetes') mistakes.push(...leaseMistakes(config))
  if (config.cityPresenceName !== undefined && config.leaderElection === 'none')
    mistakes.push('CITY_PRESENCE_NAME: needs LEADER_ELECTION=kubernetes')
  if (userEventsRemote === true && userEvents === false) mistakes.push('USER_EVENTS_REMOTE: needs USER_EVENTS=on')
  return mistakes
}
