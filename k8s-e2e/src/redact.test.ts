import { expect, it } from 'vitest'
import { makeToken } from '@citypresence/stack/tokens'
import { redact } from './redact.ts'

it('[KIND21] what is gathered of a cluster holds no token and no password, and everything else as it was', () => {
  const jwt = makeToken({ secret: 'a'.repeat(32) })
  const secrets = ['syt_bWF5b3I_aBcDeFgHiJkLmNoP_1a2b3c', jwt, 'p4ssw0rdOfSixteenAndMore']
  const text = `
    GET /ws/city/presence?token=${jwt}&room=a 101
    {"level":30,"msg":"asked with ${secrets[0] ?? ''}","authorization":"Bearer ${jwt}"}
    users: [ { user: aggregator, password: "${secrets[2] ?? ''}" } ]
    token: ${secrets[2] ?? ''}`
  for (const secret of secrets) expect(redact(text)).not.toContain(secret)
  const plain = 'pod/first-gateway-6b9f7c-abcde   1/1   Running   tokens: 3, secretName: citypresence-jwt'
  expect(redact(plain)).toBe(plain)
})
