import fc from 'fast-check'
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { expect, it } from 'vitest'
import { secretFromText } from '@citypresence/chassis/secret'
import { badTokens, goodToken, signed, type Making } from '../testing/bad-tokens.ts'
import { createAuthenticate, secretKeys, type KeySource } from './authenticate.ts'

const nowMs = 1_800_000_000_123
const making: Making = {
  secret: 'a secret of at least thirty-two bytes',
  issuer: 'https://id.city.example',
  audience: 'city-ws',
  nowMs,
  trapUrl: 'http://127.0.0.1:1/keys',
}
const { issuer, audience } = making
const authenticate = createAuthenticate({
  keys: secretKeys(secretFromText(making.secret)),
  algorithms: ['HS256'],
  issuer,
  audiences: [audience],
})
const bad = badTokens(making)

it('[A5] the table holds at least 60 kinds, all different, and one good token', async () => {
  expect(new Set(bad.map(({ token }) => token)).size).toBe(bad.length)
  expect(bad.length).toBeGreaterThanOrEqual(60)
  const expiresAtWallMs = (Math.floor(nowMs / 1000) + 3_600) * 1000
  expect(await authenticate(goodToken(making), nowMs)).toEqual({
    ok: true,
    expiresAtWallMs,
    holder: { subject: 'viewer' },
  })
})

it.each(bad)('[A5] refused: $kind', async ({ token, expired }) => {
  expect(await authenticate(token, nowMs)).toEqual({ ok: false, code: expired ? 'TokenExpired' : 'TokenInvalid' })
})

it('[A5] no other text than a good token is one: letters changed, added, taken away', async () => {
  const good = goodToken(making)
  const edit = fc.record({
    at: fc.nat(good.length),
    remove: fc.nat(3),
    add: fc.string({ unit: 'binary', maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      let text = good
      for (const { at, remove, add } of edits) text = text.slice(0, at) + add + text.slice(at + remove)
      fc.pre(text !== good)
      expect((await authenticate(text, nowMs)).ok).toBe(false)
    }),
    { numRuns: 500 },
  )
})

it('[A5] whatever rightly signed claims say: in only until a real end, from their beginning, from and for the right one', async () => {
  const nowS = Math.floor(nowMs / 1000)
  const near = fc.integer({ min: -10, max: 10 }).map((away) => nowS + away)
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.double({ noNaN: true }), fc.constant(undefined))
  const claims = fc.record(
    {
      exp: fc.oneof(
        { weight: 3, arbitrary: near },
        near.map((s) => s + 0.4),
        odd,
      ),
      nbf: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, near, odd),
      iss: fc.oneof({ weight: 4, arbitrary: fc.constant(issuer) }, odd),
      aud: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(audience, [audience], ['x', audience]) }, odd),
    },
    { requiredKeys: ['iss', 'aud', 'exp'] },
  )
  await fc.assert(
    fc.asyncProperty(claims, async (claims) => {
      const text = JSON.stringify(claims)
      const said = JSON.parse(text) as Record<string, unknown>
      const { exp, nbf } = said
      const ends = typeof exp === 'number' && exp * 1000 > nowMs && exp * 1000 <= 8.64e15
      const begun = nbf === undefined || (typeof nbf === 'number' && nbf <= nowS + 5)
      const forUs = said['aud'] === audience || (Array.isArray(said['aud']) && said['aud'].includes(audience))
      const verdict = await authenticate(signed('{"alg":"HS256"}', text, making.secret), nowMs)
      expect(verdict.ok).toBe(ends && begun && forUs && said['iss'] === issuer)
      if (verdict.ok) expect(verdict.expiresAtWallMs).toBe(Number(exp) * 1000)
    }),
    { numRuns: 1_000 },
  )
})

it('[A5] without issuer and audience in the settings a token may name any', async () => {
  const lax = createAuthenticate({ keys: secretKeys(secretFromText(making.secret)), algorithms: ['HS256'] })
  const token = signed('{"alg":"HS256"}', `{"exp":${nowMs},"iss":["x"],"aud":"anybody"}`, making.secret)
  expect((await lax(token, nowMs)).ok).toBe(true)
})

it('[A5] one of several audiences is enough', async () => {
  const keys = secretKeys(secretFromText(making.secret))
  const judge = createAuthenticate({ keys, algorithms: ['HS256'], audiences: ['a', 'b'] })
  const allowed = (aud: unknown) =>
    judge(signed('{"alg":"HS256"}', JSON.stringify({ exp: nowMs, aud }), making.secret), nowMs).then(({ ok }) => ok)
  expect(await Promise.all(['a', 'b', ['x', 'b'], 'c', [], undefined].map(allowed))).toEqual([
    ...[true, true, true],
    ...[false, false, false],
  ])
})

it('[A9] with a greatest age a token ends so long after its iat, and without an iat, or with one to come, it is none', async () => {
  const keys = secretKeys(secretFromText(making.secret))
  const judge = createAuthenticate({ keys, algorithms: ['HS256'], ageMaxS: 60 })
  const nowS = Math.floor(nowMs / 1000)
  const of = (claims: object) => judge(signed('{"alg":"HS256"}', JSON.stringify(claims), making.secret), nowMs)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -100, max: 100 }), fc.integer({ min: -100, max: 100 }), async (iat, exp) => {
      const endS = Math.min(nowS + exp, nowS + iat + 60)
      const verdict = await of({ iat: nowS + iat, exp: nowS + exp })
      const isGood = iat <= 5 && endS * 1000 > nowMs
      expect(verdict.ok).toBe(isGood)
      if (verdict.ok) expect(verdict.expiresAtWallMs).toBe(endS * 1000)
    }),
  )
  expect(await of({ exp: nowS + 50 })).toEqual({ ok: false, code: 'TokenInvalid' })
})

it('[A6] the secret is read at each token, so that a rotated one counts at once', async () => {
  let current = making.secret
  const secret = { ...secretFromText(''), read: () => current }
  const rotating = createAuthenticate({
    keys: secretKeys(secret),
    algorithms: ['HS256'],
    issuer,
    audiences: [audience],
  })
  const [before, after] = [making, { ...making, secret: 'another secret of thirty-two bytes!!' }].map(goodToken)
  const judge = async () => [(await rotating(before ?? '', nowMs)).ok, (await rotating(after ?? '', nowMs)).ok]
  expect(await judge()).toEqual([true, false])
  current = 'another secret of thirty-two bytes!!'
  expect(await judge()).toEqual([false, true])
})

const payload = JSON.stringify({ exp: Math.floor(nowMs / 1000) + 60, iss: issuer, aud: audience })

function signedBy(key: KeyObject, alg: string, hash: string): string {
  const text = [JSON.stringify({ alg, kid: 'k' }), payload]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
  return `${text}.${sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

it('[A5] a public key is never taken for an HMAC secret, and each key verifies its own kind of algorithm only', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const wide = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const by = (key: KeyObject, algorithms: Parameters<typeof createAuthenticate>[0]['algorithms']) => {
    const keys: KeySource = () => Promise.resolve(key)
    const judge = createAuthenticate({ keys, algorithms, issuer, audiences: [audience] })
    return async (token: string) => (await judge(token, nowMs)).ok
  }
  const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const confused = [pem, pem.trim(), rsa.publicKey.export({ format: 'der', type: 'spki' }).toString('latin1')]
  for (const secret of confused) {
    const token = signed('{"alg":"HS256","kid":"k"}', payload, secret)
    expect(await by(rsa.publicKey, ['RS256'])(token)).toBe(false)
    // Even with a list that no settings allow.
    expect(await by(rsa.publicKey, ['RS256', 'HS256'])(token)).toBe(false)
  }
  const list = ['RS256', 'ES256', 'ES384'] as const
  const tokens = [
    signedBy(rsa.privateKey, 'RS256', 'sha256'),
    signedBy(ec.privateKey, 'ES256', 'sha256'),
    signedBy(wide.privateKey, 'ES384', 'sha384'),
    signedBy(wide.privateKey, 'ES256', 'sha256'),
  ]
  const answers = await Promise.all(
    [rsa, ec, wide].map(({ publicKey }) => Promise.all(tokens.map(by(publicKey, list)))),
  )
  expect(answers).toEqual([
    [true, false, false, false],
    [false, true, false, false],
    [false, false, true, false],
  ])
})

it('[A5] keys that cannot be asked are no refusal of the token: it may be good', async () => {
  const keys: KeySource = () => Promise.reject(new Error('away'))
  const away = createAuthenticate({ keys, algorithms: ['HS256'] })
  expect(await away(goodToken(making), nowMs)).toEqual({ ok: false, code: 'AuthKeysUnreachable' })
})
