// Tokens as an attacker, a broken issuer and a clumsy proxy make them, each wrong in one way, beside one that is right. Made by
// hand down to the single byte: a library would refuse to write most of them.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'

export type Making = {
  readonly secret: string
  /** What the verifier insists on. */
  readonly issuer: string
  readonly audience: string
  readonly nowMs: number
  /** An address that a header may name, and that nobody must ask. */
  readonly trapUrl: string
}
export type BadToken = { readonly kind: string; readonly token: string; readonly expired?: true }

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const json = (value: unknown): string => JSON.stringify(value)

/** Any header and any payload text, rightly signed. */
export function signed(headerText: string, payloadText: string, secret: string, hash = 'sha256'): string {
  const text = `${base64url(headerText)}.${base64url(payloadText)}`
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
}

const header = json({ alg: 'HS256', typ: 'JWT' })
const claimsOf = ({ issuer, audience, nowMs }: Making) => ({
  sub: 'viewer',
  iss: issuer,
  aud: audience,
  exp: Math.floor(nowMs / 1000) + 3_600,
})

export const goodToken = (making: Making): string => signed(header, json(claimsOf(making)), making.secret)

export const badTokens = (making: Making): readonly BadToken[] => [
  ...malformed(making),
  ...malformedParts(making),
  ...tampered(making),
  ...wrongAlgorithms(making),
  ...wrongKeys(making),
  ...wrongHeaders(making),
  ...wrongTimes(making),
  ...wrongClaims(making),
]

function malformed(making: Making): BadToken[] {
  const good = goodToken(making)
  const [head = '', body = '', signature = ''] = good.split('.')
  const padded = Buffer.from(signature, 'base64url').toString('base64')
  return [
    { kind: 'one word', token: 'token' },
    { kind: 'one part', token: head },
    { kind: 'two parts', token: `${head}.${body}` },
    { kind: 'four parts', token: `${good}.${signature}` },
    { kind: 'five parts, as if encrypted', token: `${good}.${body}.${signature}` },
    { kind: 'dots alone', token: '..' },
    { kind: 'no signature', token: `${head}.${body}.` },
    { kind: 'no payload', token: `${head}..${signature}` },
    { kind: 'no header', token: `.${body}.${signature}` },
    { kind: 'a dot in front', token: `.${good}` },
    { kind: 'the signature in padded base64', token: `${head}.${body}.${padded}` },
    { kind: 'the header in padded base64', token: `${head}=.${body}.${signature}` },
    { kind: 'a space in front', token: ` ${good}` },
    { kind: 'a newline behind', token: `${good}\n` },
    { kind: 'a tab inside', token: good.replace('.', '\t.') },
    { kind: 'a no-break space behind', token: `${good}\u00a0` },
    { kind: 'a zero-width space inside', token: good.replace('.', '\u200b.') },
    { kind: 'a byte order mark in front', token: `\ufeff${good}` },
    { kind: 'a line separator behind', token: `${good}\u2028` },
    { kind: 'a NUL behind', token: `${good}\0` },
    { kind: 'full-width dots', token: good.replaceAll('.', '\uff0e') },
    { kind: 'in quotes', token: `"${good}"` },
    { kind: 'the scheme inside', token: `Bearer ${good}` },
    { kind: 'encoded once more', token: base64url(good) },
    { kind: 'two behind one another', token: `${good},${good}` },
    {
      kind: 'longer than any token',
      token: signed(header, json({ ...claimsOf(making), pad: 'x'.repeat(7_000) }), making.secret),
    },
  ]
}

function malformedParts(making: Making): BadToken[] {
  const payload = json(claimsOf(making))
  const { secret } = making
  const headers = [
    'not json',
    '',
    '[]',
    '"HS256"',
    '1',
    'null',
    'true',
    '{}',
    '{"alg":"HS256"',
    '{"__proto__":{"alg":"HS256"}}',
  ]
  const payloads = [
    'not json',
    '"text"',
    '[]',
    '1',
    'null',
    'true',
    '{"exp":',
    payload.slice(0, -1),
    `${payload}x`,
    '{}',
  ]
  return [
    ...headers.map((text) => ({ kind: `header ${text}`, token: signed(text, payload, secret) })),
    ...payloads.map((text) => ({ kind: `payload ${text.slice(0, 20)}`, token: signed(header, text, secret) })),
  ]
}

function tampered(making: Making): BadToken[] {
  const good = goodToken(making)
  const [head = '', body = '', signature = ''] = good.split('.')
  const other = signed(header, json({ ...claimsOf(making), sub: 'another' }), making.secret)
  const richer = base64url(json({ ...claimsOf(making), sub: 'admin' }))
  return [
    { kind: 'another payload', token: `${head}.${richer}.${signature}` },
    { kind: 'another header', token: `${base64url(json({ typ: 'JWT', alg: 'HS256' }))}.${body}.${signature}` },
    { kind: 'the signature of another', token: `${head}.${body}.${other.split('.')[2] ?? ''}` },
    { kind: 'a cut signature', token: good.slice(0, -1) },
    { kind: 'a longer signature', token: `${good}A` },
    { kind: 'spare bits of the signature set', token: good.slice(0, -1) + spareBitsSet(good.slice(-1)) },
    { kind: 'the parts in another order', token: `${body}.${head}.${signature}` },
    { kind: 'all in capitals', token: good.toUpperCase() },
  ]
}

/** 32 bytes fill 42 letters and a bit: the last two bits of the 43rd letter say nothing, and so may be anything. */
function spareBitsSet(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return letters.charAt(letters.indexOf(letter) ^ 1)
}

function wrongAlgorithms(making: Making): BadToken[] {
  const payload = json(claimsOf(making))
  const unsigned = ['none', 'None', 'NONE', 'nOnE', '', ' none'].map((alg) => ({
    kind: `alg "${alg}" without a signature`,
    token: `${base64url(json({ alg, typ: 'JWT' }))}.${base64url(payload)}.`,
  }))
  const names = [
    'none',
    'hs256',
    'HS256 ',
    'HS256\0',
    'HS512256',
    '__proto__',
    'constructor',
    'dir',
    null,
    256,
    ['HS256'],
    {},
    true,
  ]
  const named = names.map((alg) => ({
    kind: `alg ${json(alg)} with the signature of HS256`,
    token: signed(json({ alg, typ: 'JWT' }), payload, making.secret),
  }))
  return [
    ...unsigned,
    ...named,
    {
      kind: 'HS384, which is not on the list',
      token: signed(json({ alg: 'HS384' }), payload, making.secret, 'sha384'),
    },
    {
      kind: 'HS512, which is not on the list',
      token: signed(json({ alg: 'HS512' }), payload, making.secret, 'sha512'),
    },
    { kind: 'RS256 by a stranger', token: strangerRsa(payload, {}) },
    { kind: 'ES256 by a stranger', token: strangerEc(payload) },
    { kind: 'alg twice, none last', token: signed('{"alg":"HS256","alg":"none"}', payload, making.secret) },
  ]
}

const strangers = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}

function strangerRsa(payload: string, more: Readonly<Record<string, unknown>>): string {
  const text = `${base64url(json({ alg: 'RS256', typ: 'JWT', ...more }))}.${base64url(payload)}`
  return `${text}.${sign('sha256', Buffer.from(text), strangers.rsa.privateKey).toString('base64url')}`
}

function strangerEc(payload: string): string {
  const text = `${base64url(json({ alg: 'ES256', typ: 'JWT' }))}.${base64url(payload)}`
  const key = { key: strangers.ec.privateKey, dsaEncoding: 'ieee-p1363' as const }
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

function wrongKeys(making: Making): BadToken[] {
  const payload = json(claimsOf(making))
  const { secret } = making
  const keys: [string, string][] = [
    ['another secret', 'another secret of thirty-two bytes!!'],
    ['an empty secret', ''],
    ['a short secret', 'secret'],
    ['the start of the secret', secret.slice(0, 31)],
    ['the secret with a newline', `${secret}\n`],
    ['the secret in base64', Buffer.from(secret).toString('base64')],
    ['the secret in capitals', secret.toUpperCase()],
    ['the word undefined', 'undefined'],
    ['the mask', '***'],
  ]
  return keys.map(([kind, key]) => ({ kind, token: signed(header, payload, key) }))
}

function wrongHeaders(making: Making): BadToken[] {
  const payload = json(claimsOf(making))
  const { secret, trapUrl } = making
  const jwk = strangers.rsa.publicKey.export({ format: 'jwk' })
  const rightlySigned = [
    { crit: ['exp'] },
    { crit: ['unknown'], unknown: true },
    { crit: [] },
    { crit: null },
    { crit: ['b64'], b64: false },
    { b64: false },
    { b64: true },
  ]
  const kids = ['../../../../dev/null', '/dev/null', "x' UNION SELECT '' -- ", trapUrl, '__proto__', 'x'.repeat(4_000)]
  return [
    ...rightlySigned.map((more) => ({
      kind: `header with ${json(more)}`,
      token: signed(json({ alg: 'HS256', ...more }), payload, secret),
    })),
    ...kids.map((kid) => ({
      kind: `kid ${kid.slice(0, 24)}, signed with nothing`,
      token: signed(json({ alg: 'HS256', kid }), payload, ''),
    })),
    { kind: 'jwk of a stranger', token: strangerRsa(payload, { jwk }) },
    { kind: 'jku of a stranger', token: strangerRsa(payload, { jku: trapUrl, kid: 'stranger' }) },
    { kind: 'x5u of a stranger', token: strangerRsa(payload, { x5u: trapUrl, kid: 'stranger' }) },
    { kind: 'x5c of a stranger', token: strangerRsa(payload, { x5c: ['MIIB'] }) },
    {
      kind: 'a token inside a token',
      token: signed(json({ alg: 'HS256', cty: 'JWT' }), json(goodToken(making)), secret),
    },
    {
      kind: 'a token as it is for payload',
      token: signed(json({ alg: 'HS256', cty: 'JWT' }), goodToken(making), secret),
    },
  ]
}

function wrongTimes(making: Making): BadToken[] {
  const { exp, ...rest } = claimsOf(making)
  const nowS = Math.floor(making.nowMs / 1000)
  const one = (kind: string, text: string): BadToken => ({
    kind,
    token: signed(header, `{${json(rest).slice(1, -1)}${text}}`, making.secret),
  })
  const noEnds = [
    'null',
    'true',
    '"never"',
    '[]',
    '{}',
    'NaN',
    'Infinity',
    '1e308',
    '1e400',
    '8640000000001',
    `"${exp}"`,
    `[${exp}]`,
  ]
  const past = ['0', '-1', '-1e308', '1', String(nowS), String(nowS - 1), String(nowS - 3_600)]
  const notYet = [String(nowS + 60), '1e308', 'null', '"0"', '[]', 'true']
  return [
    one('no exp', ''),
    ...noEnds.map((text) => one(`exp ${text}`, `,"exp":${text}`)),
    ...past.map((text): BadToken => ({ ...one(`exp ${text}, which is past`, `,"exp":${text}`), expired: true })),
    { ...one('exp twice, the past one last', `,"exp":${exp},"exp":${nowS - 60}`), expired: true },
    ...notYet.map((text) => one(`nbf ${text}`, `,"exp":${exp},"nbf":${text}`)),
  ]
}

function wrongClaims(making: Making): BadToken[] {
  const { iss, aud, ...rest } = claimsOf(making)
  const one = (claims: Record<string, unknown>): BadToken => ({
    kind: `iss and aud ${json(claims)}`,
    token: signed(header, json({ ...rest, ...claims }), making.secret),
  })
  const issuers = [
    undefined,
    null,
    '',
    'evil',
    [iss],
    { iss },
    1,
    true,
    `${iss} `,
    iss.toUpperCase(),
    `${iss}.evil.example`,
  ]
  const audiences = [
    undefined,
    null,
    '',
    'evil',
    [],
    ['evil'],
    [[aud]],
    { aud },
    1,
    `${aud} `,
    aud.slice(0, -1),
    aud.toUpperCase(),
  ]
  return [...issuers.map((other) => one({ aud, iss: other })), ...audiences.map((other) => one({ iss, aud: other }))]
}
