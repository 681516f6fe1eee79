// The tokens that tests and the demo show to the gateway.
import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { makeToken, randomSecret } from './tokens.ts'

const nowMs = 1_700_000_000_000

function partsOf(token: string): { header: unknown; claims: unknown; signed: string; signature: string } {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: read(header), claims: read(claims), signed: `${header}.${claims}`, signature }
}

it('[S2] a token is signed with HS256 and expires an hour from now', () => {
  const { header, claims, signed, signature } = partsOf(makeToken({ secret: 'a secret', subject: 'ada', nowMs }))
  expect(header).toEqual({ alg: 'HS256', typ: 'JWT' })
  expect(claims).toEqual({ sub: 'ada', iat: 1_700_000_000, exp: 1_700_003_600 })
  expect(signature).toBe(createHmac('sha256', 'a secret').update(signed).digest('base64url'))
})

it('[S2] wrong tokens can be made too: expired, endless, of another algorithm', () => {
  expect(partsOf(makeToken({ secret: 's', expiresInS: -1, nowMs })).claims).toMatchObject({ exp: 1_699_999_999 })
  expect(partsOf(makeToken({ secret: 's', expiresInS: null, nowMs })).claims).not.toHaveProperty('exp')
  expect(partsOf(makeToken({ secret: 's', header: { alg: 'none' } })).header).toMatchObject({ alg: 'none' })
  expect(Buffer.byteLength(randomSecret())).toBeGreaterThanOrEqual(32)
})
