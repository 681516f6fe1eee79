// One vocabulary for everything that can go wrong. The same word is the log field `code`, the metric label `code` and,
// later, the condition reason on the custom resource; docs/ERRORS.md is printed from this table.
//
//   something fails -> new CityError(code, sentence with the values, { cause }) -> log line, errors_total{code}
//
// A foreign error (of a library, of Node) has no word of ours: toErrorCode calls it 'Unexpected'.

type ErrorMeaning = { readonly means: string; readonly doThis: string }

export const errorCodes = {
  Unexpected: {
    means: 'An error nobody foresaw reached a border.',
    doThis: 'Read the log line with its stack; this is a defect worth reporting.',
  },
  BadConfig: {
    means: 'Settings are missing, malformed or contradict each other.',
    doThis: 'Correct every line printed on stderr; --help lists all settings.',
  },
  SecretUnreadable: {
    means: 'A secret file could not be read or its content was refused; the last good value stays in use.',
    doThis: 'Check that the file named is mounted, readable and complete.',
  },
  FileUnreadable: {
    means: 'A file the service needs could not be read.',
    doThis: 'Check the path and its permissions.',
  },
  PortTaken: {
    means: 'The port to listen on is in use or not allowed.',
    doThis: 'Choose another port, or stop what holds it.',
  },
  StartFailed: {
    means: 'A part of the service could not be started.',
    doThis: 'See the cause in the same log line.',
  },
  LogLost: {
    means: 'A log line could not be written; the service goes on without it.',
    doThis: 'Look for a full disk, or for what reads the standard output of the service and is gone.',
  },
  StopTimeout: {
    means: 'A part did not stop within its deadline and was left behind.',
    doThis: 'Usually harmless at exit; if it repeats, look at the part that is named.',
  },
  Aborted: {
    means: 'The work was cancelled because the service stops.',
    doThis: 'Nothing.',
  },
  HttpTimeout: {
    means: 'An HTTP exchange did not finish within its deadline, body included.',
    doThis: 'Check the load and the network path of the server named.',
  },
  HttpTooLarge: {
    means: 'An HTTP answer was larger, after decompression, than what is accepted.',
    doThis: 'Check that the address is right; raise the limit only if such answers are legitimate.',
  },
  HttpUnreachable: {
    means: 'No connection to the HTTP server could be made, or it was cut.',
    doThis: 'Check address, port, network policy and whether the server runs.',
  },
  HttpGarbled: {
    means: 'The HTTP answer broke off or could not be decompressed or understood.',
    doThis: 'Look for a proxy in between, and at the log of the server.',
  },
  HttpRedirected: {
    means: 'The server answered with a redirect; it is not followed, because it could carry a token elsewhere.',
    doThis: 'Set the final address in the setting.',
  },
  HttpRefused: {
    means: 'The HTTP server answered with a status that is not a success.',
    doThis: 'Read the status in the message; 401 and 403 mean the token.',
  },
  TlsUntrusted: {
    means: 'The certificate of the server is not trusted, expired or for another name.',
    doThis: 'Give the authority in the CA file setting, or renew the certificate.',
  },
  DnsFailed: {
    means: 'The host name could not be resolved.',
    doThis: 'Check the name and the DNS of the cluster.',
  },
  NatsUnreachable: {
    means: 'No NATS server of the list could be reached.',
    doThis: 'Check NATS_URL, network policy and whether NATS runs; the service keeps trying.',
  },
  NatsUnauthorized: {
    means: 'NATS refused the credentials.',
    doThis: 'Check user, password, token, creds or nkey; changed secret files are read again at each attempt.',
  },
  NatsForbidden: {
    means: 'NATS refused a subject: the account lacks a right.',
    doThis: 'Compare the permissions of the account with docs; the subject stands in the message.',
  },
  NatsAccountShared: {
    means: 'A gateway is in the NATS account of the leader: whoever takes it over could write counts.',
    doThis: 'Give the gateways an account of their own, as docs/NATS.md shows; or leave it, if you trust them.',
  },
  NatsTooOld: {
    means: 'The NATS server lacks what the fence needs (atomic batches, server 2.12, API level 2).',
    doThis: 'Upgrade the NATS server to at least the version in the message.',
  },
  NatsClosed: {
    means: 'The NATS connection was closed for good.',
    doThis: 'The service restarts by itself; see the log line before this one for the reason.',
  },
  NatsNoStorage: {
    means: 'NATS could not store a message (disk full, limit reached, no JetStream, no responders).',
    doThis: 'Check disk and limits of the NATS servers; the service keeps trying.',
  },
  MessageForeign: {
    means: 'A message on the presence subjects did not come from the stream; it is not believed.',
    doThis: 'Look for a client that publishes there, and give leader and gateways accounts of their own.',
  },
  StaleEpoch: {
    means: 'A message of a leader that a newer one has replaced; it is not believed.',
    doThis: 'Nothing for a moment around a takeover; if it lasts, look for a second city on the same stream.',
  },
  SequenceGap: {
    means: 'Messages of the stream were missed; a snapshot is asked for.',
    doThis: 'Nothing; if it repeats, look at the network between the gateway and NATS.',
  },
  SequenceRepeated: {
    means: 'A message of the stream came twice, or was replayed by somebody; it is not believed.',
    doThis: 'Nothing; if it repeats, look for a client that publishes on the presence subjects.',
  },
  SnapshotFailed: {
    means: 'The stream gave no snapshot in time; it is asked again, and what is known stays shown.',
    doThis: 'Check the right of the gateway to read the stream, and whether the NATS servers are well.',
  },
  StreamDiffers: {
    means: 'The stream exists with settings other than the ones needed; the message names the field.',
    doThis: 'Correct the stream, or name another one in the settings.',
  },
  StreamOwnedByAnother: {
    means: 'The stream belongs to another city.',
    doThis: 'Give every city its own NATS account, or its own stream and subject names.',
  },
  Deposed: {
    means: 'Another aggregator leads now; the fence refused this one.',
    doThis: 'Nothing: the process exits with 3 and restarts as standby.',
  },
  HandedOver: {
    means: 'The leader was cut from NATS or from Matrix for too long and let another lead.',
    doThis: 'Look at what the message names; the process exits with 3 and restarts as standby.',
  },
  PublishUnknown: {
    means: 'It is not known whether a batch was stored (timeout, server change).',
    doThis: 'Nothing: the aggregator reads the state again and publishes everything.',
  },
  LeaseUnreachable: {
    means: 'The Lease could not be read or renewed.',
    doThis: 'Check the API server; publishing goes on as long as the fence allows it.',
  },
  LeaseMissing: {
    means: 'The Lease by which the leader is found does not exist.',
    doThis: 'Make it, or compare LEASE_NAME and POD_NAMESPACE; who leads goes on meanwhile.',
  },
  LeaseForbidden: {
    means: 'The API server refused the token, or a right on the Lease is missing.',
    doThis: 'Needed are get, update and watch on this one Lease; the message says which was refused.',
  },
  LeaseRefused: {
    means: 'The API server refused what was asked about the Lease as invalid.',
    doThis: 'Read the reason in the message; this is a defect worth reporting.',
  },
  KubeMissing: {
    means: 'An object, or a kind of objects, is not there at the API server.',
    doThis:
      'Of a kind: install its CustomResourceDefinition. Of an object: nothing, it is made again where it is ours.',
  },
  KubeConflict: {
    means: 'An object was written by somebody else in between, or lies where ours should.',
    doThis: 'Nothing for a moment. If it lasts, the message names the object: rename one of the two.',
  },
  KubeGone: {
    means: 'The API server has forgotten the version from which a watch wanted to go on; everything is listed anew.',
    doThis: 'Nothing.',
  },
  KubeForbidden: {
    means: 'The API server does not know the operator, or does not allow it what it asked.',
    doThis: 'Compare its roles with those of the chart; the message says which right is missing.',
  },
  KubeRefused: {
    means: 'The API server refused an object or a request as invalid; asked again it will be refused again.',
    doThis: 'Read the field in the message; where it is none of the CityPresence, this is a defect worth reporting.',
  },
  KubeBusy: {
    means: 'The API server asked to be left alone for a while; it is.',
    doThis: 'Nothing; if it lasts, look at its load and at its flow control.',
  },
  KubeUnreachable: {
    means: 'The API server could not be reached, broke off, or is not well.',
    doThis: 'Check the API server and the network path; the city goes on as it is meanwhile.',
  },
  KubeGarbled: {
    means: 'What the API server sent is no JSON, no object, or larger than any object may be.',
    doThis: 'Look for a proxy in between.',
  },
  WatchSilent: {
    means: 'On a watch nothing moved for so long that it has to be dead; it is opened anew.',
    doThis: 'Nothing; if it repeats, look for a load balancer that cuts idle connections without a word.',
  },
  LeadershipLost: {
    means: 'Another operator holds the Lease now, or it could not be renewed in time.',
    doThis: 'Nothing: the process exits with 3 and restarts as standby. If it repeats, look at the API server.',
  },
  ReconcileTimeout: {
    means: 'One round of work on one resource took longer than it may; it is tried again.',
    doThis: 'Look at the API server: each of its answers has a deadline of its own, shorter than this one.',
  },
  KubeconfigRefused: {
    means: 'The kubeconfig could not be read, or uses something that is not supported.',
    doThis: 'The message names the field; a token or a client certificate works.',
  },
  MatrixUnreachable: {
    means: 'The Matrix homeserver did not answer a request properly.',
    doThis: 'Check MATRIX_HS_URL and the homeserver; counts freeze and are marked stale.',
  },
  MatrixTokenRefused: {
    means: 'The homeserver refused the access token.',
    doThis: 'Give a new token; a changed token file is read by itself.',
  },
  MatrixRateLimited: {
    means: 'The homeserver asked to slow down.',
    doThis: 'Nothing; exempt the presence daemon from rate limits to make it faster.',
  },
  MatrixRefused: {
    means: 'The homeserver refused a request; status and Matrix error code stand in the message.',
    doThis: 'M_FORBIDDEN means a missing right of the daemon, M_NOT_FOUND a room or alias that is not there.',
  },
  MatrixWentBack: {
    means: 'The homeserver answered from a place that was left: its database was taken back. Everything is asked anew.',
    doThis: 'Nothing, after a restored backup. If it repeats, look for two homeservers behind one address.',
  },
  MatrixGarbled: {
    means: 'A Matrix answer had an unexpected form and was dropped.',
    doThis: 'If it repeats, report it with the path named in the message.',
  },
  MatrixPresenceOff: {
    means: 'Presence is switched off or frozen at the homeserver.',
    doThis: 'Switch presence on at the homeserver; counts stay frozen and marked stale.',
  },
  MatrixJoinFailed: {
    means: 'The daemon could not join a room.',
    doThis: 'Invite the daemon, or make the room joinable.',
  },
  RoomDirectoryUnreadable: {
    means: 'The list of rooms could not be fetched or read.',
    doThis: 'Check CITY_SERVICE_INTERNAL_URL or the directory file; the last good list stays in use.',
  },
  RoomDirectoryRefused: {
    means: 'The list of rooms was refused as a whole (duplicate or bad slug, suspicious shrinking).',
    doThis: 'Correct the list; the last good one stays in use.',
  },
  UserUntold: {
    means: 'A user event could not be published: encoded, the id of the user is longer than a subject may carry.',
    doThis: 'Nothing; the user counts in the rooms all the same. It takes dozens of dots or slashes in a long id.',
  },
  WireGarbled: {
    means: 'A message on the wire did not decode and was dropped.',
    doThis: 'Look for a foreign publisher or for services of different versions.',
  },
  TokenMissing: {
    means: 'A request for the socket or the snapshot came without a token.',
    doThis: 'Give it as Authorization: Bearer, as subprotocol bearer.<token>, or as ?token=.',
  },
  TokenAmbiguous: {
    means: 'A request carried two tokens that differ.',
    doThis: 'Send one; look for a proxy that adds its own.',
  },
  TokenInvalid: {
    means:
      'A token was malformed, signed by another key or algorithm, not yet valid, or for another audience or issuer.',
    doThis: 'Compare the issuer with JWT_SECRET or JWKS_URL, JWT_ALGORITHMS, JWT_ISSUER and JWT_AUDIENCE.',
  },
  TokenExpired: {
    means: 'A token was past its end.',
    doThis: 'Nothing; the browser asks for a new one. If all are, compare the clocks of issuer and gateway.',
  },
  TokenRevoked: {
    means: 'A token stands on the list of revoked ones, by its subject or its id.',
    doThis: 'Nothing, when it was meant; else take the line out of REVOKED_FILE.',
  },
  OriginRefused: {
    means: 'A page of an origin that is not allowed asked for the socket.',
    doThis: 'Add the origin to ALLOWED_ORIGINS, to the letter, if it is yours.',
  },
  HostRefused: {
    means: 'A request had no Host, or two.',
    doThis: 'Look at the proxy in front: it has to pass exactly one.',
  },
  NotReady: {
    means: 'A request came before the gateway knew the city, or while it stops.',
    doThis: 'Nothing for a moment after start; if it lasts, /readyz says what is missing.',
  },
  TooManyConnections: {
    means: 'The gateway has as many connections as it may.',
    doThis: 'Add gateways, or raise CONNECTIONS_MAX where memory allows.',
  },
  TooManyOfAddress: {
    means: 'One address has as many connections as it may.',
    doThis: 'Look whether that is an office or an attack; TRUSTED_PROXIES may lack one of your proxies.',
  },
  TooManyOfSubject: {
    means: 'One token subject has as many connections as it may.',
    doThis: 'Raise CONNECTIONS_PER_SUBJECT_MAX where one person opens many pages.',
  },
  AuthKeysUnreachable: {
    means: 'The keys that verify tokens could not be fetched; known keys stay in use.',
    doThis: 'Check the JWKS address and the network path.',
  },
} as const satisfies Record<string, ErrorMeaning>

export type ErrorCode = keyof typeof errorCodes

export class CityError extends Error {
  override readonly name = 'CityError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The word for any error: its own, or 'Unexpected' for a foreign one. */
export function toErrorCode(error: unknown): ErrorCode {
  return error instanceof CityError ? error.code : 'Unexpected'
}

/** A chain of causes longer than this is a loop or a prank. */
const causesMax = 5

/** The word for an error, and those of what caused it, each once: `MatrixUnreachable` alone does not say `HttpTimeout`. */
export function codesOf(error: unknown): ReadonlySet<ErrorCode> {
  const codes = new Set([toErrorCode(error)])
  let cause = error instanceof Error ? error.cause : undefined
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth++) {
    if (cause instanceof CityError) codes.add(cause.code)
    cause = cause.cause
  }
  return codes
}
