// What a CityPresence says about the three things that are there already: the homeserver, the rooms, NATS.
import { objectNameField, secretRef, userPasswordRef, webAddress } from './city-fields.ts'
import {
  choice,
  defaulted,
  listByKey,
  objectOf,
  optional,
  required,
  saying,
  setOf,
  text,
  whole,
  type Rule,
} from './schema.ts'

export const matrix = objectOf(
  'Where the people are: the homeserver, and the daemon that follows it.',
  {
    homeserverURL: required(webAddress('Address of the homeserver. https, unless transport says AllowPlaintext.')),
    transport: defaulted(
      choice(
        'Whether the homeserver may be reached over plain http. Whoever listens in between then has the token of the daemon.',
        'RequireTLS',
        'AllowPlaintext',
      ),
      'RequireTLS',
    ),
    userID: required(
      text('The daemon: a member of every room, never counted.', { minLength: 1, maxLength: 255 }, [
        {
          rule: String.raw`self.matches(r'^@[^:\s]+:[^\s]+$')`,
          ...saying('must be a Matrix user id, as @presence_daemon:example.org'),
        },
      ]),
    ),
    accessTokenSecretRef: required(secretRef('The access token of the daemon.', 'access_token')),
    caSecretRef: optional(
      secretRef('The authorities for the homeserver, as PEM; left out, those of the system.', 'ca.crt'),
    ),
  },
  [
    {
      rule: `self.transport == 'AllowPlaintext' || !self.homeserverURL.startsWith('http://')`,
      message: 'must begin with https://; set transport to AllowPlaintext if the way to the homeserver is safe without',
      fieldPath: '.homeserverURL',
    },
  ],
)

const room = objectOf(
  'One room of the city.',
  {
    slug: required(
      text('Name of the room in the city, and in every message about it.', { minLength: 1, maxLength: 63 }, [
        {
          rule: `self.matches('^[a-z0-9][a-z0-9_-]*$')`,
          ...saying('must be a slug: a-z, 0-9, _ and -, beginning with a letter or digit'),
        },
      ]),
    ),
    matrixRoomID: optional(
      text('The room at Matrix, by its id.', { minLength: 2, maxLength: 255 }, [
        { rule: `self.startsWith('!')`, ...saying('must be a Matrix room id, which begins with !') },
      ]),
    ),
    matrixRoomAlias: optional(
      text('The room at Matrix, by its alias; asked for again from time to time.', { minLength: 2, maxLength: 255 }, [
        { rule: `self.startsWith('#')`, ...saying('must be a Matrix room alias, which begins with #') },
      ]),
    ),
  },
  [
    {
      rule: 'has(self.matrixRoomID) || has(self.matrixRoomAlias)',
      message: 'give matrixRoomID or matrixRoomAlias: without one nobody knows which room at Matrix is meant',
      reason: 'FieldValueRequired',
    },
  ],
)

export const rooms = objectOf(
  'Which rooms the city has: from a service, or from a list here.',
  {
    http: optional(
      objectOf('A service that knows the rooms.', {
        url: required(
          webAddress('Address of the city service, asked for /internal/city/rooms; with a path, of the list itself.'),
        ),
        refreshPeriodSeconds: defaulted(whole('How often the rooms are asked for.', 10, 86_400), 300),
        bearerTokenSecretRef: optional(secretRef('A token that is shown to the service.', 'token')),
        caSecretRef: optional(
          secretRef('The authorities for the service, as PEM; left out, those of the system.', 'ca.crt'),
        ),
      }),
    ),
    inline: optional(
      listByKey('The rooms themselves. No id and no alias may come twice.', 'slug', room, {
        minItems: 1,
        maxItems: 1000,
      }),
    ),
  },
  [
    {
      rule: 'has(self.http) != has(self.inline)',
      message: 'give exactly one of http and inline',
      reason: 'FieldValueRequired',
    },
  ],
)

const natsIdentity = {
  credentialsSecretRef: optional(secretRef('A creds file (user JWT and seed).', 'nats.creds')),
  nkeySeedSecretRef: optional(secretRef('The seed of a user nkey (SU…).', 'nkey.seed')),
  userPasswordSecretRef: optional(userPasswordRef('User and password.')),
  tokenSecretRef: optional(secretRef('A token.', 'token')),
} as const
const identitiesGiven =
  '[has(self.credentialsSecretRef), has(self.nkeySeedSecretRef), has(self.userPasswordSecretRef), has(self.tokenSecretRef)].filter(x, x).size()'

const natsGateway = objectOf(
  'Who the gateways are at NATS. Give them an account of their own: it can then neither write a count nor read a user event.',
  natsIdentity,
  [
    {
      rule: `${identitiesGiven} == 1`,
      message: 'give exactly one of credentialsSecretRef, nkeySeedSecretRef, userPasswordSecretRef and tokenSecretRef',
      reason: 'FieldValueRequired',
    },
  ],
)

const never = (what: string): Rule => ({
  rule: 'self == oldSelf',
  message: `${what} cannot be changed: make another CityPresence instead`,
  reason: 'FieldValueForbidden',
})

const stream = objectOf(
  'The stream that holds the last count of every room.',
  {
    name: defaulted(
      text(
        'Name of the stream; that of user events has _USERS behind it. Two cities on one NATS need two. Cannot be changed.',
        { minLength: 1, maxLength: 120 },
        [
          { rule: `self.matches('^[A-Za-z0-9_-]+$')`, ...saying('must be one word of letters, digits, - and _') },
          never('the stream'),
        ],
      ),
      'CITY_PRESENCE',
    ),
    subjectPrefix: defaulted(
      text(
        'What all subjects begin with. Two cities on one NATS need two. Cannot be changed.',
        { minLength: 1, maxLength: 120 },
        [
          {
            rule: String.raw`self.matches(r'^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$')`,
            ...saying('must be words joined by dots'),
          },
          never('the prefix'),
        ],
      ),
      'city.presence',
    ),
    storage: defaulted(
      choice(
        'Where NATS keeps the stream. Memory: faster, and gone with the server; the leader then says everything anew. Cannot be changed.',
        'File',
        'Memory',
      ),
      'File',
    ),
    replicas: defaulted(whole('Copies of the stream when it is made: 1, 3 or 5. Three in production.', 1, 5), 1),
  },
  [
    {
      rule: 'self.replicas % 2 == 1',
      message: 'must be 1, 3 or 5: an even number survives no more than the odd one below it',
      fieldPath: '.replicas',
    },
    { ...never('the storage'), rule: 'self.storage == oldSelf.storage', fieldPath: '.storage' },
  ],
)

export const nats = objectOf(
  'The NATS that carries the counts: version 2.12 or later, with JetStream.',
  {
    servers: required(
      setOf(
        'Addresses of the servers.',
        text(
          'Address of a server: nats://host:4222, or tls://host:4222 to insist on TLS.',
          { minLength: 1, maxLength: 512 },
          [
            {
              rule: String.raw`isURL(self) && self.matches(r'^(nats|tls)://[^/?#@,\s]+$')`,
              message: 'must be an address as nats://host:4222 or tls://host:4222, without user, password or path',
            },
          ],
        ),
        { minItems: 1, maxItems: 16 },
      ),
    ),
    ...natsIdentity,
    gateway: optional(natsGateway),
    tls: optional(
      objectOf('How the servers are trusted, and how they trust us.', {
        caSecretRef: optional(secretRef('The authorities for NATS, as PEM. With it TLS is required.', 'ca.crt')),
        clientCertificateSecretName: optional(
          objectNameField(
            'A Secret of the type kubernetes.io/tls with our own certificate; its name has to contain "citypresence", as that of every Secret here.',
          ),
        ),
        handshake: defaulted(
          choice(
            'When TLS begins: after the first words of the server, or before them (handshake_first in its configuration). With First, TLS is required.',
            'Standard',
            'First',
          ),
          'Standard',
        ),
      }),
    ),
    stream: defaulted(stream, {}),
  },
  [
    {
      rule: `${identitiesGiven} <= 1`,
      message: 'give at most one of credentialsSecretRef, nkeySeedSecretRef, userPasswordSecretRef and tokenSecretRef',
    },
  ],
)
