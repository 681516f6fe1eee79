import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHttpClient, type HttpClient } from '@citypresence/chassis/edge/http-client'
import { authorityPem } from '@citypresence/chassis/testing/tls-fixture'
import { makeKey, startKeyServer, type KeyServer, type SigningKey } from '@citypresence/sim/key-server'
import { createAuthenticate, type Authenticate } from './authenticate.ts'
import { jwksKeys } from './key-set.ts'

const [first, second] = [makeKey('first'), makeKey('second', 'RS256')]
let server: KeyServer
let http: HttpClient
let nowMs: number
let problems: string[]
let authenticate: Authenticate

/** Seconds later, by the clock that the keys are judged with. */
const later = (seconds: number): void => void (nowMs += seconds * 1000)
const judge = (token: string) => authenticate(token, Date.now()).then((verdict) => (verdict.ok ? 'in' : verdict.code))
const enter = (...keys: readonly SigningKey[]) => Promise.all(keys.map((key) => judge(key.token())))

function follow(url: string, client: HttpClient): void {
  const clock = { monotonicMs: () => nowMs }
  const onProblem = (error: unknown): void => void problems.push(textOf(error))
  authenticate = createAuthenticate({
    keys: jwksKeys({ url, http: client, clock, onProblem }),
    algorithms: ['ES256', 'RS256'],
  })
}

/** A problem with all its causes, as one text. */
const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.message} ${textOf(error.cause ?? '')}`.trim() : String(error)

beforeEach(async () => {
  server = await startKeyServer()
  http = createHttpClient({ userAgent: 'test' })
  nowMs = 5
  problems = []
  follow(server.url, http)
})
afterEach(async () => {
  await http.close()
  await server.stop()
})

it('[A7] many tokens at once are one request, for ES256 and RS256 alike', async () => {
  server.publish(first.jwk, second.jwk)
  expect(new Set(await enter(first, second, first, second))).toEqual(new Set(['in']))
  expect(server.asked()).toBe(1)
  expect(problems).toEqual([])
})

it('[A4] a rotated key is taken at its first token, when 30 s have passed since the last request', async () => {
  server.publish(first.jwk)
  expect(await enter(first)).toEqual(['in'])
  server.publish(first.jwk, second.jwk)
  // Not "no": the page of who holds it comes back and is let in.
  expect(await enter(second)).toEqual(['AuthKeysUnreachable'])
  later(30)
  expect(await enter(second, first)).toEqual(['in', 'in'])
  expect(server.asked()).toBe(2)
})

it('[A4] ten thousand invented kids within 30 s are one request, and who holds a known key is let in meanwhile', async () => {
  server.publish(first.jwk)
  const odd = ['../../etc/passwd', "' OR 1=1 --", 'http://127.0.0.1/x', '__proto__', 'constructor']
  const flood = Array.from({ length: 10_000 }, (_, index) => first.token({}, { kid: odd[index] ?? `kid-${index}` }))
  const verdicts = new Set<string>()
  for (const token of flood) verdicts.add(await judge(token))
  expect(await enter(first)).toEqual(['in'])
  expect(server.asked()).toBe(1)
  expect([...verdicts].sort()).toEqual(['AuthKeysUnreachable', 'TokenInvalid'])
  later(30)
  for (const token of flood.slice(0, 1_000)) await judge(token)
  expect(server.asked()).toBe(2)
})

it('[A7] a kid that is no name is refused without a request', async () => {
  server.publish(first.jwk)
  const kids = [undefined, null, '', 1, true, ['first'], { first: 1 }, 'x'.repeat(300)]
  for (const kid of kids) expect(await judge(first.token({}, { kid }))).toBe('TokenInvalid')
  expect(server.asked()).toBe(0)
})

it('[A7] addresses and keys inside a token are not looked at', async () => {
  const trap = await startKeyServer()
  trap.publish(second.jwk)
  server.publish(first.jwk)
  const { jwk } = second
  for (const more of [
    { jku: trap.url },
    { x5u: trap.url },
    { jwk },
    { jku: trap.url, kid: 'first' },
    { jwk, kid: 'first' },
  ])
    expect(await judge(second.token({}, more))).toMatch(/TokenInvalid|AuthKeysUnreachable/)
  expect(trap.asked()).toBe(0)
  await trap.stop()
})

it('[A4] a withdrawn key counts for ten minutes at most', async () => {
  server.publish(first.jwk, second.jwk)
  expect(await enter(first, second)).toEqual(['in', 'in'])
  server.publish(second.jwk)
  later(599)
  expect(await enter(first)).toEqual(['in'])
  later(1)
  expect(await enter(first, second)).toEqual(['TokenInvalid', 'in'])
})

const troubles: [string, (server: KeyServer) => unknown, RegExp][] = [
  ['gone', (one) => one.stop(), /ECONNREFUSED|refused/],
  ['not there', (one) => one.say((response) => response.writeHead(404).end()), /answered 404/],
  ['broken', (one) => one.say((response) => response.writeHead(500).end('{"keys":[]}')), /answered 500/],
  [
    'cut off',
    (one) =>
      one.say((response) => response.writeHead(200, { 'content-length': '9' }).write('{"k', () => response.destroy())),
    /./,
  ],
  ['no JSON', (one) => one.say((response) => response.end('<html>private</html>')), /something else than JSON/],
  ['JSON of something else', (one) => one.say((response) => response.end('[1,null]')), /no usable key/],
  [
    'keys of no kind',
    (one) => one.publish({ kid: 'first' }, { kid: 'first', kty: 'RSA', n: 'x', e: 'y' }),
    /no usable key/,
  ],
  ['empty', (one) => one.publish(), /no usable key/],
  [
    '300 KB',
    (one) => one.say((response) => response.end(JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) }))),
    /more than 262144 bytes/,
  ],
  ['elsewhere', (one) => one.say((response) => response.writeHead(302, { location: '/other' }).end()), /redirect 302/],
]

it.each(troubles)(
  '[A7] while the address is %s, who holds a known key is let in, others come back later',
  async (_name, trouble, told) => {
    server.publish(first.jwk)
    expect(await enter(first)).toEqual(['in'])
    await trouble(server)
    later(600)
    expect(await enter(first, second)).toEqual(['in', 'AuthKeysUnreachable'])
    expect(problems.join()).toMatch(told)
    expect(problems.join()).not.toMatch(/private/)
    if (_name === 'gone') await server.startAgain()
    server.publish(first.jwk, second.jwk)
    later(2)
    expect(await enter(second, first)).toEqual(['in', 'in'])
  },
)

it('[A7] an address that hangs holds up the first token for its deadline, and nobody whose key is known', async () => {
  server.publish(first.jwk)
  expect(await enter(first)).toEqual(['in'])
  server.say(() => undefined)
  later(600)
  expect(await enter(first, first)).toEqual(['in', 'in'])
  expect(problems.join()).toMatch(/not finished after 5000 ms/)
  later(2)
  const asked = server.asked()
  // Asked again beside it: this answers although the request hangs.
  expect(await enter(first)).toEqual(['in'])
  expect(asked).toBe(2)
})

it('[A7] a key that is too short, private, symmetric, encrypting, for signing only, or of another algorithm verifies nothing', async () => {
  const short = makeKey('short', 'RS256', generateKeyPairSync('rsa', { modulusLength: 1_024 }))
  const others = ['private', 'encrypting', 'signing', 'named', 'edwards'].map((kid) => makeKey(kid, 'RS256'))
  const [secretOne, encrypting, signing, named, edwards] = others
  if (!secretOne || !encrypting || !signing || !named || !edwards) throw new Error('five were made')
  server.publish(
    first.jwk,
    short.jwk,
    secretOne.privateJwk,
    { ...encrypting.jwk, use: 'enc' },
    { ...signing.jwk, key_ops: ['sign'] },
    { ...named.jwk, alg: 'PS256' },
    { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'edwards' },
    { kty: 'oct', kid: 'symmetric', k: 'c2VjcmV0' },
    { ...second.jwk, use: 'sig', key_ops: ['verify'], alg: 'RS256' },
  )
  expect(await enter(first, second)).toEqual(['in', 'in'])
  const refused = await enter(short, ...others)
  expect(refused.filter((word) => word === 'in')).toEqual([])
  expect(await judge(named.token())).toBe('TokenInvalid')
})

it('[A7] over TLS with a CA file; without it the address is not believed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, authorityPem)
  const secure = await startKeyServer({ tls: true })
  const trusting = createHttpClient({ caFile, userAgent: 'test' })
  try {
    secure.publish(first.jwk)
    follow(secure.url, http)
    expect(await enter(first)).toEqual(['AuthKeysUnreachable'])
    expect(secure.asked()).toBe(0)
    follow(secure.url, trusting)
    expect(await enter(first)).toEqual(['in'])
  } finally {
    await trusting.close()
    await secure.stop()
    rmSync(folder, { recursive: true })
  }
})
