// The configuration of nats-server, as text: who may say and hear what. A pure function of its input.
//
//   account CITY                                     account EDGE
//     aggregator: writes ingest.*, reads its streams   gateway: hears rooms, epoch and beat; reads the room stream by
//     admin:      everything (tests only)                       direct get; may publish nothing else
//        \__ exports room.>, epoch, beat, DIRECT.GET __/
//
// Two accounts because a right to direct get inside the leader's own account lets its holder forge: the reply subject
// of a request is not checked there, and the answer would be a room message. Across accounts it cannot be one.

export type NatsUser = { user: string; pass: string }
export type NatsUsers = { leader: NatsUser; gateway: NatsUser; admin: NatsUser; system: NatsUser }

/** two: as in production. one: everybody in one account, with rights. open: no users at all. */
export type NatsAccounts = 'two' | 'one' | 'open'

export type Withheld = { leader?: readonly string[]; gateway?: readonly string[] }

export type NatsConfigInput = {
  serverName: string
  port: number
  monitorPort: number
  storeDir: string
  accounts: NatsAccounts
  users: NatsUsers
  jetstream: boolean
  /** 'always' as in production, or a duration; without it the server's own default (2 minutes). */
  syncInterval?: string
  /** The server takes no more on its disk than this. */
  fileStoreMaxBytes?: number
  /** Rights taken away: subjects that they may neither say nor hear any more. */
  withheld?: Withheld
  /** One of several servers that know each other by their route ports. */
  cluster?: { name: string; port: number; routePorts: readonly number[] }
}

const roomStream = 'CITY_PRESENCE'
const userStream = 'CITY_PRESENCE_USERS'
const heardByGateways = ['city.presence.room.>', 'city.presence.epoch', 'city.presence.beat']
const readByGateways = `$JS.API.DIRECT.GET.${roomStream}`

const leaderPublishes = [
  'ingest.city.presence.>',
  ...[roomStream, userStream].flatMap((stream) => [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.CREATE.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
  ]),
]
const leaderHears = ['_INBOX_aggregator.>', 'city.presence.beat']
const gatewayPublishes = [readByGateways]
const gatewayHears = ['city.presence.>', '_INBOX_gateway.>']

export function natsConfig(input: NatsConfigInput): string {
  const parts = [
    `server_name: ${quoted(input.serverName)}`,
    `listen: "127.0.0.1:${input.port}"`,
    `http: "127.0.0.1:${input.monitorPort}"`,
    input.jetstream ? jetstreamPart(input) : '',
    clusterPart(input),
    accountsPart(input),
  ]
  return `${parts.filter((part) => part !== '').join('\n')}\n`
}

function jetstreamPart(input: NatsConfigInput): string {
  const sync = input.syncInterval === undefined ? '' : `, sync_interval: ${quoted(input.syncInterval)}`
  const max = input.fileStoreMaxBytes === undefined ? '' : `, max_file_store: ${input.fileStoreMaxBytes}`
  return `jetstream { store_dir: ${quoted(input.storeDir)}${sync}${max} }`
}

function clusterPart({ cluster }: NatsConfigInput): string {
  if (cluster === undefined) return ''
  const routes = cluster.routePorts.map((port) => `nats-route://127.0.0.1:${port}`)
  return `cluster { name: ${quoted(cluster.name)}, listen: "127.0.0.1:${cluster.port}", routes: ${listed(routes)} }`
}

function accountsPart(input: NatsConfigInput): string {
  if (input.accounts === 'open') return ''
  const system = `SYS { users: [ ${userPart(input.users.system)} ] }`
  const city = input.accounts === 'two' ? twoAccounts(input) : oneAccount(input)
  return `accounts {\n  ${system}\n  ${city}\n}\nsystem_account: SYS`
}

function oneAccount({ users, jetstream, withheld }: NatsConfigInput): string {
  return `CITY {${jetstream ? ' jetstream: enabled' : ''} 
    users: [
      ${leaderPart(users, withheld)}
      ${gatewayPart(users, withheld)}
      ${userPart(users.admin)} ] }`
}

function twoAccounts({ users, jetstream, withheld }: NatsConfigInput): string {
  const exported = heardByGateways.map((subject) => `{ stream: ${quoted(subject)}, accounts: [EDGE] }`)
  const imported = heardByGateways.map((subject) => `{ stream: { account: CITY, subject: ${quoted(subject)} } }`)
  return `CITY {${jetstream ? ' jetstream: enabled' : ''}
    users: [
      ${leaderPart(users, withheld)}
      ${userPart(users.admin)} ]
    exports: [
      ${exported.join('\n      ')}
      { service: ${quoted(readByGateways)}, response_type: stream, accounts: [EDGE] } ] }
  EDGE {
    users: [ ${gatewayPart(users, withheld)} ]
    imports: [
      ${imported.join('\n      ')}
      { service: { account: CITY, subject: ${quoted(readByGateways)} } } ] }`
}

type Rights = { readonly publishes: readonly string[]; readonly hears: readonly string[] }

const leaderPart = (users: NatsUsers, withheld: Withheld = {}): string =>
  userPart(users.leader, without(withheld.leader, { publishes: leaderPublishes, hears: leaderHears }))
const gatewayPart = (users: NatsUsers, withheld: Withheld = {}): string =>
  userPart(users.gateway, without(withheld.gateway, { publishes: gatewayPublishes, hears: gatewayHears }))

function without(withheld: readonly string[] = [], { publishes, hears }: Rights): Rights {
  const isLeft = (subject: string): boolean => !withheld.includes(subject)
  return { publishes: publishes.filter(isLeft), hears: hears.filter(isLeft) }
}

function userPart({ user, pass }: NatsUser, rights?: Rights): string {
  const who = `user: ${quoted(user)}, password: ${quoted(pass)}`
  if (rights === undefined) return `{ ${who} }`
  return `{ ${who}, permissions: { publish: ${allowed(rights.publishes)}, subscribe: ${allowed(rights.hears)} } }`
}

// An empty list of what is allowed would allow everything.
const allowed = (subjects: readonly string[]): string =>
  subjects.length === 0 ? '{ deny: ">" }' : `{ allow: ${listed(subjects)} }`

const listed = (subjects: readonly string[]): string => `[${subjects.map(quoted).join(', ')}]`

// Quoted, because a bare $ would be taken for a variable.
const quoted = (text: string): string => JSON.stringify(text)
