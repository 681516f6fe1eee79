// The threats as data: what somebody may try, what stands against it, and the tests that hold it, by the rule in their names and the
// file they stand in (house/security.test.ts looks each of them up). docs/SECURITY.md is printed from this.
//
// By whom: W a page or a browser's user, N a peer without a token, H a homeserver or a federated user, G a gateway that was taken
// over, S a supplier of code, I somebody who reads logs and metrics.

export type Threat = {
  readonly id: string
  readonly by: string
  readonly attack: string
  readonly guard: string
  /** `RULE file`, or `fault ID` for a row of the table of faults. */
  readonly tests: readonly string[]
  /** What of it no test has shown, and why. */
  readonly notShown?: string
}

const edge = 'gateway/src/edge'
const door = `${edge}/door.test.ts`
const wsServer = `${edge}/ws-server.test.ts`
const gatewayProcess = 'gateway/src/main.real.test.ts'
const city = 'stack/src/acceptance'
const secrets = `CITY20 ${city}/secrets.real.test.ts`
const userEvents = `${city}/user-events.real.test.ts`
const rights = 'S8 stack/src/nats-server.real.test.ts'
const subjects = 'wire/src/subjects.prop.test.ts'
const httpClient = 'chassis/src/edge/http-client.test.ts'

export const threats: readonly Threat[] = [
  {
    id: 'S1',
    by: 'N',
    attack: 'connects without a token, or with a bad one',
    guard: 'the token is verified before the 101; 401 and the connection is closed',
    tests: [`A5 ${edge}/authenticate.test.ts`, `G17 ${gatewayProcess}`, `CITY3 ${city}/seed-criteria.real.test.ts`],
  },
  {
    id: 'S2',
    by: 'W',
    attack: "another site's page connects with the user's browser (cross-site WebSocket hijacking)",
    guard: 'an Origin is on the list to the letter or the own host, one Host, no cookies',
    tests: ['A2 gateway/src/core/handshake.prop.test.ts', `G17 ${wsServer}`],
  },
  {
    id: 'S3',
    by: 'I',
    attack: 'reads a token out of logs, traces, metrics, errors, or a Referer',
    guard: 'no address is written anywhere, everything written is redacted, the page sends no Referer',
    tests: [
      `A8 ${gatewayProcess}`,
      `A8 ${wsServer}`,
      'C6 chassis/src/core/redact.prop.test.ts',
      `G22 ${wsServer}`,
      secrets,
    ],
  },
  {
    id: 'S4',
    by: 'N',
    attack: 'no algorithm, another one, a public key as secret, a weak secret, crit, b64',
    guard: 'one list of algorithms, one kind a key, secrets of 32 bytes or no start',
    tests: [`A5 ${edge}/authenticate.test.ts`, 'G26 gateway/src/config.test.ts'],
  },
  {
    id: 'S5',
    by: 'N',
    attack: 'a token without an end, with one in the year 3000, from the future',
    guard: 'exp is required and a date, nbf and iat are checked, TOKEN_AGE_MAX_S, timers are clamped',
    tests: [`A5 ${edge}/authenticate.test.ts`, 'C16 chassis/src/edge/clock.test.ts'],
  },
  {
    id: 'S6',
    by: 'N',
    attack: 'kid as a path, invented kids that flood the key address, keys inside the token',
    guard: 'a kid is a name in a table; one request in 30 s; jku, x5u and jwk are not looked at',
    tests: ['A4 gateway/src/core/key-ring.prop.test.ts', `A4 ${gatewayProcess}`, `A7 ${edge}/key-set.test.ts`],
  },
  {
    id: 'S7',
    by: 'W',
    attack: 'uses a token after its end, or after it was revoked',
    guard:
      '4401 at the end, a share at a time; REVOKED_FILE by sub or jti: 401, and 4403 inside; nothing is sent after it',
    tests: ['G24 gateway/src/serve.test.ts', `G16 ${wsServer}`, `G35 ${door}`, 'fault S7'],
  },
  {
    id: 'S8',
    by: 'N',
    attack: 'begins requests and never ends them, drips, sends bodies, stays idle',
    guard: 'headers 5 s, requests 10 s, looked after each second; no bodies; caps on both ports',
    tests: [
      `G29 ${wsServer}`,
      'C12 chassis/src/admin-server.test.ts',
      `G31 ${edge}/wire-guards.test.ts`,
      'G37 gateway/src/floods.real.test.ts',
    ],
  },
  {
    id: 'S9',
    by: 'W',
    attack: 'opens thousands of connections, from one address or with one name',
    guard:
      'caps of a process (503), an address and a subject (429); of X-Forwarded-For only what our own proxies wrote',
    tests: [
      `G34 ${door}`,
      `G34 ${edge}/peer-address.test.ts`,
      `G31 ${edge}/wire-guards.test.ts`,
      `G17 ${wsServer}`,
      'fault F30c',
    ],
  },
  {
    id: 'S10',
    by: 'W',
    attack: 'huge frames, floods of fragments and pings, messages',
    guard: '1,024 bytes, 16 pieces, 64 reads; any message but ping is 1008; who goes on after a broken frame is cut',
    tests: [
      `G30 ${edge}/wire-guards.test.ts`,
      `G27 ${edge}/client-socket.test.ts`,
      `G32 ${edge}/frame-table.test.ts`,
      'G37 gateway/src/floods.real.test.ts',
      'fault S10',
    ],
    notShown:
      'that who behaves waits at most 1.2 times as long: with the flood on the same two cores the p99 went from 8 to 86 ms',
  },
  {
    id: 'S11',
    by: 'W',
    attack: 'never reads what it is sent',
    guard: 'nothing is queued for it; it is passed over, and closed after 10 s',
    tests: ['G14 gateway/src/slow-readers.real.test.ts', 'G20 gateway/src/slow-readers.real.test.ts', 'fault F33'],
  },
  {
    id: 'S12',
    by: 'W',
    attack: 'compression as a bomb, or to guess at secrets',
    guard: 'no compression is taken',
    tests: [`G30 ${edge}/wire-guards.test.ts`],
  },
  {
    id: 'S13',
    by: 'N',
    attack: 'resets at any moment, broken upgrades, no UTF-8, reserved bits, strange headers',
    guard: 'listeners before anything is awaited; every case of the protocol answered as it says',
    tests: [
      `G33 ${edge}/fuzz.test.ts`,
      `G32 ${edge}/frame-table.test.ts`,
      `G17 ${wsServer}`,
      'G37 gateway/src/floods.real.test.ts',
      'fault S13',
    ],
    notShown: 'the million of steps at once: a share runs with every test',
  },
  {
    id: 'S14',
    by: 'W',
    attack: 'learns who is there',
    guard: 'no shape for browsers has a place for a name',
    tests: ['W15 wire/src/client-messages.prop.test.ts', `CITY5 ${city}/seed-criteria.real.test.ts`, secrets],
  },
  {
    id: 'S15',
    by: 'W',
    attack: 'concludes from a count of 0 or 1 that one person came or went',
    guard: 'PRIVACY_FLOOR shows small rooms as below it; browsers get no times',
    tests: ['G36 gateway/src/core/privacy-floor.prop.test.ts', `G36 ${door}`],
  },
  {
    id: 'S16',
    by: 'W',
    attack: 'reads slugs of private rooms from the snapshot',
    guard: 'none: every room of the map is told to every token',
    tests: [],
    notShown: 'rooms that only some may see do not exist yet; keep private rooms off the map',
  },
  {
    id: 'S17',
    by: 'I',
    attack: 'finds out later where somebody was',
    guard: 'one message a user, off by default; erased for good when the last shared room is left',
    tests: [`CITY17 ${userEvents}`, 'L57 aggregator/src/user-speech.test.ts', secrets],
    notShown: 'memory images of the services were not searched',
  },
  {
    id: 'S18',
    by: 'G',
    attack: 'forges counts',
    guard: 'two NATS accounts; a gateway may publish one question and nothing else',
    tests: [rights, 'S8 stack/src/nats-config.test.ts'],
  },
  {
    id: 'S19',
    by: 'G',
    attack: 'reads single users',
    guard: 'users are a stream that the account of gateways knows nothing of',
    tests: [rights, `CITY18 ${userEvents}`],
  },
  {
    id: 'S20',
    by: 'H',
    attack: 'wildcards, dots, spaces, control characters, `$JS` in slugs and names',
    guard: 'slugs of one form or the map is refused; every other token through one injective encoder',
    tests: [
      `W7 ${subjects}`,
      `W8 ${subjects}`,
      `W10 ${subjects}`,
      `W11 ${subjects}`,
      'W13 wire/src/room-directory.prop.test.ts',
      secrets,
    ],
  },
  {
    id: 'S21',
    by: 'H',
    attack: '`@bob:evil` moves `@bob:home`',
    guard: 'only users of the own server have the bare name; others carry their server in the token',
    tests: [`W9 ${subjects}`, 'P15 aggregator/src/core/city.test.ts'],
  },
  {
    id: 'S22',
    by: 'H',
    attack: 'endless or deep JSON, gzip bombs, absurd numbers, `__proto__`',
    guard: 'a cap after decompression, one deadline, bounded tables, each event checked',
    tests: [
      `C19 ${httpClient}`,
      `C20 ${httpClient}`,
      'M44 aggregator/src/edge/matrix-sync.test.ts',
      'W2 wire/src/decode.prop.test.ts',
      'fault F24d',
      'fault F24e',
    ],
  },
  {
    id: 'S29',
    by: 'N',
    attack: 'reads or changes what goes to NATS or Matrix; shows another certificate',
    guard:
      'only the authorities of the CA file; where TLS is asked for nothing else; no start with NODE_TLS_REJECT_UNAUTHORIZED=0',
    tests: [`C21 ${httpClient}`, 'C21 chassis/src/edge/nats-connect.real.test.ts', 'C28 chassis/src/config.test.ts'],
  },
  {
    id: 'S30',
    by: 'S',
    attack: 'a package turns bad, runs a script when installed, is swapped in the lock',
    guard: 'exact versions by SHA-512, no install scripts, a reason for each direct one, a list of all (make sbom)',
    tests: ['H16 tidy.test.ts', 'H20 house/supply.test.ts', 'H21 house/supply.test.ts', 'H22 house/supply.test.ts'],
    notShown:
      'known weaknesses: `make audit` asks the registry for them, where it answers; a package that turned bad and keeps its name',
  },
  {
    id: 'S31',
    by: 'N',
    attack: 'reads metrics and health',
    guard: 'a port of their own; no label holds a user, a session or a room',
    tests: ['C8 chassis/src/metrics.test.ts', 'C12 chassis/src/admin-server.test.ts', secrets],
  },
  {
    id: 'S32',
    by: 'H',
    attack: 'puts lines of its own into logs, or floods them',
    guard: 'JSON lines only; one a second of each kind, the rest counted',
    tests: ['C6 chassis/src/log.test.ts', 'C7 chassis/src/log.test.ts', 'C7 chassis/src/core/log-sampler.prop.test.ts'],
  },
]

/** What has to hold always, whoever tries what. */
export const invariants: readonly Pick<Threat, 'id' | 'guard' | 'tests' | 'notShown'>[] = [
  {
    id: 'INV-09',
    guard: 'no 101 and no byte of data for a bad token, nothing after the end of a good one',
    tests: [
      `G17 ${gatewayProcess}`,
      'G13 gateway/src/core/sweep.prop.test.ts',
      `G33 ${edge}/fuzz.test.ts`,
      `G35 ${door}`,
    ],
  },
  {
    id: 'INV-10',
    guard: 'no frame, close reason or error for a browser holds a user id or a localpart',
    tests: ['W15 wire/src/client-messages.prop.test.ts', secrets],
  },
  {
    id: 'INV-11',
    guard: 'no secret in logs, metrics, pages, answers or payloads',
    tests: [secrets, `A8 ${gatewayProcess}`, 'C4 chassis/src/config.test.ts'],
    notShown: 'core dumps and heap snapshots',
  },
  {
    id: 'INV-12',
    guard: 'every subject has its form, and is read back as what it was made of',
    tests: [secrets, `W10 ${subjects}`],
  },
  {
    id: 'INV-13',
    guard: 'what is kept for a connection is bounded; memory, descriptors and timers come back',
    tests: [
      'G37 gateway/src/floods.real.test.ts',
      'K5 checker/src/core/check-processes.test.ts',
      'G20 gateway/src/slow-readers.real.test.ts',
    ],
  },
]
