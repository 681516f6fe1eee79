// The conditions of a CityPresence and the reasons they can have: an API, so the words stay. docs/CITYPRESENCE.md is printed
// from these tables; a reason that is also an error has the same word in chassis/src/errors.ts.
//
// Two writers: the operator, and the aggregator that leads (under a field manager of its own) for what only it can know.
// When nobody leads, the operator marks what the leader wrote as Unknown with LeaderLost.

type ConditionMeaning = { readonly writtenBy: 'operator' | 'aggregator'; readonly means: string }

export const conditions = {
  Ready: {
    writtenBy: 'operator',
    means: 'The city counts and shows. Where it is not so, the reason is that of the first condition that says why.',
  },
  Accepted: { writtenBy: 'operator', means: 'The operator can do what the spec asks for.' },
  ReferencesResolved: { writtenBy: 'operator', means: 'Every Secret that is named is there, with its key.' },
  MatrixSynced: { writtenBy: 'aggregator', means: 'The homeserver is followed, and its news are fresh.' },
  RoomsResolved: { writtenBy: 'aggregator', means: 'The rooms are known, and the daemon is in each of them.' },
  StreamReady: {
    writtenBy: 'aggregator',
    means: 'The stream is there, as it should be, and takes what the leader writes.',
  },
  AggregatorAvailable: { writtenBy: 'operator', means: 'Somebody counts: an aggregator leads.' },
  GatewayAvailable: { writtenBy: 'operator', means: 'Browsers find a gateway that is ready.' },
  RouteProgrammed: { writtenBy: 'operator', means: 'The Ingress or HTTPRoute leads to the gateways.' },
  Progressing: { writtenBy: 'operator', means: 'Pods are being made or replaced.' },
  Paused: { writtenBy: 'operator', means: 'The operator writes nothing, because managementState is Unmanaged.' },
  Warning: { writtenBy: 'operator', means: 'The spec asks for something risky.' },
} as const satisfies Record<string, ConditionMeaning>

export type ConditionType = keyof typeof conditions
export const conditionTypes = Object.keys(conditions) as readonly ConditionType[]
export type AggregatorConditionType = {
  [T in ConditionType]: (typeof conditions)[T]['writtenBy'] extends 'aggregator' ? T : never
}[ConditionType]

export type ConditionStatus = 'True' | 'False' | 'Unknown'

type ReasonMeaning = {
  readonly on: readonly ConditionType[]
  readonly status: ConditionStatus
  readonly means: string
  readonly doThis: string
}

export const reasons = {
  AllComponentsReady: {
    on: ['Ready'],
    status: 'True',
    means: 'Everything is as the spec asks for, and works.',
    doThis: 'Nothing.',
  },
  Pending: {
    on: [
      'Ready',
      'MatrixSynced',
      'RoomsResolved',
      'StreamReady',
      'AggregatorAvailable',
      'GatewayAvailable',
      'RouteProgrammed',
    ],
    status: 'Unknown',
    means: 'Nobody has looked yet.',
    doThis: 'Wait a moment. Where it stays so, look at the log of the operator.',
  },

  SpecAccepted: { on: ['Accepted'], status: 'True', means: 'The spec can be carried out.', doThis: 'Nothing.' },
  SpecRefused: {
    on: ['Accepted'],
    status: 'False',
    means:
      'The spec breaks a rule that the API server let pass, for example because the CRD is older than the operator.',
    doThis: 'Correct the field that the message names; install the CRD of this version.',
  },
  ResourceConflict: {
    on: ['Accepted'],
    status: 'False',
    means: 'An object that the operator would make is there already and belongs to somebody else.',
    doThis: 'Rename or delete the object that the message names, or name the city differently.',
  },
  HostNotAllowed: {
    on: ['Accepted'],
    status: 'False',
    means: 'The address is none that this operator lets a city ask.',
    doThis: 'Use another host, or have it added to the allowed hosts of the operator (allowedHosts in the chart).',
  },
  ApplyRefused: {
    on: ['Accepted'],
    status: 'False',
    means: 'The API server refused an object of the city.',
    doThis: 'The message has its words: often a wrong affinity or resources, or a policy or quota of the cluster.',
  },
  RoomsRepeated: {
    on: ['Accepted'],
    status: 'False',
    means: 'Two rooms of spec.rooms.inline name the same room at Matrix.',
    doThis: 'Leave one of them out.',
  },

  SecretsFound: {
    on: ['ReferencesResolved'],
    status: 'True',
    means: 'Every Secret that is named is mounted.',
    doThis: 'Nothing.',
  },
  SecretNotFound: {
    on: ['ReferencesResolved'],
    status: 'False',
    means: 'A Secret that is named is not there.',
    doThis: 'Make the Secret that the message names, in the namespace of the city.',
  },
  SecretKeyMissing: {
    on: ['ReferencesResolved'],
    status: 'False',
    means: 'A Secret is there, and the key that is named is not in it.',
    doThis: 'Add the key, or name another one in the reference.',
  },
  SecretsNotReadable: {
    on: ['ReferencesResolved'],
    status: 'Unknown',
    means:
      'The operator may not look at Secrets, so it cannot say whether one is missing. It keeps nothing from working.',
    doThis:
      'Nothing, where the pods run. Where they wait, `kubectl describe pod` names what is missing; rbac.readSecrets in the chart lets the operator name it.',
  },
  SecretNameUnmarked: {
    on: ['ReferencesResolved'],
    status: 'False',
    means: 'The name of a Secret does not contain "citypresence", so it was not made for a city.',
    doThis: 'Rename the Secret, or turn the rule off for the whole operator (secretNames in the chart).',
  },

  Synced: {
    on: ['MatrixSynced'],
    status: 'True',
    means: 'The homeserver answers, and its news are fresh.',
    doThis: 'Nothing.',
  },
  HomeserverUnauthorized: {
    on: ['MatrixSynced'],
    status: 'False',
    means: 'The homeserver refuses the access token of the daemon.',
    doThis: 'Put a good token into the Secret; it is read again without a restart.',
  },
  HomeserverUnreachable: {
    on: ['MatrixSynced'],
    status: 'False',
    means: 'The homeserver does not answer, or not in a way that is understood.',
    doThis: 'Check matrix.homeserverURL, the network and the homeserver.',
  },
  SourceStale: {
    on: ['MatrixSynced'],
    status: 'False',
    means: 'There was no good answer of the homeserver for staleAfterSeconds: counts are frozen and marked.',
    doThis: 'Look at the log of the leader for the cause.',
  },
  PresenceOff: {
    on: ['MatrixSynced'],
    status: 'False',
    means: 'The homeserver tells no presence.',
    doThis: 'Switch presence on at the homeserver.',
  },

  AllResolved: {
    on: ['RoomsResolved'],
    status: 'True',
    means: 'Every room is known and the daemon is in it.',
    doThis: 'Nothing.',
  },
  SomeUnresolved: {
    on: ['RoomsResolved'],
    status: 'False',
    means: 'Some rooms are not known to Matrix, or the daemon is not in them; the others count.',
    doThis: 'Invite the daemon into the rooms, or correct their ids.',
  },
  CityServiceUnreachable: {
    on: ['RoomsResolved'],
    status: 'False',
    means: 'The city service does not answer; the rooms known so far stay.',
    doThis: 'Check rooms.http.url, the network and the service.',
  },
  RoomDirectoryRefused: {
    on: ['RoomsResolved'],
    status: 'False',
    means: 'The list of rooms is not a list of rooms; the one before stays.',
    doThis: 'Correct what the city service answers: the message names the entry.',
  },

  StreamWritable: {
    on: ['StreamReady'],
    status: 'True',
    means: 'The stream takes what the leader writes.',
    doThis: 'Nothing.',
  },
  StreamMismatch: {
    on: ['StreamReady'],
    status: 'False',
    means: 'A stream of this name is there with other settings, or belongs to another city.',
    doThis: 'Name another stream and prefix, or remove the stream that the message describes.',
  },
  NatsUnreachable: {
    on: ['StreamReady'],
    status: 'False',
    means: 'No NATS server of the list could be reached.',
    doThis: 'Check nats.servers, the network and NATS.',
  },
  NatsUnauthorized: {
    on: ['StreamReady'],
    status: 'False',
    means: 'NATS refuses who we say we are, or a right is missing.',
    doThis: 'Check the Secret that nats names, and the rights of its account (docs/NATS.md).',
  },
  NatsTooOld: {
    on: ['StreamReady'],
    status: 'False',
    means: 'The NATS server is older than 2.12, so that it cannot refuse a leader who is none.',
    doThis: 'Update NATS.',
  },

  LeaderLost: {
    on: ['MatrixSynced', 'RoomsResolved', 'StreamReady'],
    status: 'Unknown',
    means: 'Nobody leads, so nobody knows.',
    doThis: 'See AggregatorAvailable.',
  },
  LeaderElected: {
    on: ['AggregatorAvailable'],
    status: 'True',
    means: 'An aggregator leads and renews its Lease.',
    doThis: 'Nothing.',
  },
  NoLeader: {
    on: ['AggregatorAvailable'],
    status: 'False',
    means: 'No aggregator holds the Lease.',
    doThis: 'Look at the pods of the aggregator and their log.',
  },

  GatewaysReady: {
    on: ['GatewayAvailable'],
    status: 'True',
    means: 'At least one gateway is ready.',
    doThis: 'Nothing.',
  },
  NoGatewayReady: {
    on: ['GatewayAvailable'],
    status: 'False',
    means: 'No gateway is ready.',
    doThis: 'Look at the pods of the gateway and their log.',
  },
  ScaledToZero: {
    on: ['GatewayAvailable'],
    status: 'False',
    means: 'The spec asks for no gateway.',
    doThis: 'Set gateway.replicas to more than 0.',
  },

  RouteReady: {
    on: ['RouteProgrammed'],
    status: 'True',
    means: 'The route was taken up by its controller.',
    doThis: 'Nothing.',
  },
  NotExposed: {
    on: ['RouteProgrammed'],
    status: 'True',
    means: 'The spec asks for no Ingress and no HTTPRoute.',
    doThis: 'Nothing; set gateway.exposure if browsers should come from outside.',
  },
  RoutePending: {
    on: ['RouteProgrammed'],
    status: 'Unknown',
    means: 'The controller of the route has said nothing yet.',
    doThis: 'Check that a controller for the class or the Gateway runs.',
  },
  RouteRefused: {
    on: ['RouteProgrammed'],
    status: 'False',
    means: 'The controller refused the route; the message has its words.',
    doThis: 'Correct gateway.exposure.',
  },
  RouteKindMissing: {
    on: ['RouteProgrammed'],
    status: 'False',
    means: 'The cluster does not know HTTPRoute.',
    doThis: 'Install the Gateway API, or use an Ingress.',
  },

  RollingOut: { on: ['Progressing'], status: 'True', means: 'Pods are being made or replaced.', doThis: 'Wait.' },
  RolloutComplete: {
    on: ['Progressing'],
    status: 'False',
    means: 'All pods run what the spec asks for.',
    doThis: 'Nothing.',
  },
  RolloutStalled: {
    on: ['Progressing'],
    status: 'False',
    means: 'New pods do not become ready.',
    doThis: 'Look at the pods that the message names: events, then log.',
  },

  ManagementUnmanaged: {
    on: ['Paused'],
    status: 'True',
    means: 'The spec says managementState: Unmanaged, so nothing is written but this status.',
    doThis: 'Set it to Managed when you are done.',
  },
  ManagementManaged: {
    on: ['Paused'],
    status: 'False',
    means: 'The operator keeps the city as the spec asks for.',
    doThis: 'Nothing.',
  },

  RiskySettings: {
    on: ['Warning'],
    status: 'True',
    means: 'Something in the spec, or in the cluster it meets, is risky; the message lists what.',
    doThis: 'Read the message; keep the setting if you know why.',
  },
  NothingRisky: { on: ['Warning'], status: 'False', means: 'Nothing risky was found.', doThis: 'Nothing.' },
} as const satisfies Record<string, ReasonMeaning>

export type Reason = keyof typeof reasons
/** The reasons that a condition of this type can have. Ready takes over that of another condition. */
export type ReasonOf<T extends ConditionType> = {
  [R in Reason]: T extends (typeof reasons)[R]['on'][number] ? R : never
}[Reason]
