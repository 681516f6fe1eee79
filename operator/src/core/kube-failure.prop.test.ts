import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readFailure } from './kube-failure.ts'

const anyStatus = fc.integer({ min: 300, max: 599 })
const anyHeader = fc.option(fc.oneof(fc.string(), fc.nat().map(String)), { nil: undefined })

it('[OA2] whatever is answered becomes one word, a bounded sentence and a bounded rest', () => {
  fc.assert(
    fc.property(anyStatus, anyHeader, fc.jsonValue(), (status, header, body) => {
      const failure = readFailure(status, header, body)
      expect(failure.status).toBe(status)
      expect(failure.message.length).toBeLessThanOrEqual(500)
      expect(failure.message).not.toBe('')
      expect(failure.quietMs).toBeGreaterThanOrEqual(0)
      expect(failure.quietMs).toBeLessThanOrEqual(30_000)
      if (status >= 500) expect(['KubeBusy', 'KubeUnreachable']).toContain(failure.word)
    }),
  )
})

it('[OA2] the words of each status', () => {
  const words = [400, 401, 403, 404, 405, 409, 410, 422, 429, 500, 503].map(
    (status) => readFailure(status, undefined, {}).word,
  )
  expect(words).toEqual([
    'KubeRefused',
    'KubeForbidden',
    'KubeForbidden',
    'KubeMissing',
    'KubeRefused',
    'KubeConflict',
    'KubeGone',
    'KubeRefused',
    'KubeBusy',
    'KubeUnreachable',
    'KubeUnreachable',
  ])
})

it('[OA2] Retry-After counts in whole seconds, from the header or the body, with any status, and is clamped', () => {
  expect(readFailure(429, '3', {})).toMatchObject({ word: 'KubeBusy', quietMs: 3_000 })
  expect(readFailure(500, '1', {})).toMatchObject({ word: 'KubeBusy', quietMs: 1_000 })
  expect(readFailure(429, undefined, { details: { retryAfterSeconds: 2 } }).quietMs).toBe(2_000)
  expect(readFailure(429, '99999', {}).quietMs).toBe(30_000)
  for (const nonsense of ['-1', 'Wed, 21 Oct 2026 07:28:00 GMT', '1e9', '', '0x10', '1.5'])
    expect(readFailure(429, nonsense, {})).toMatchObject({ word: 'KubeBusy', quietMs: 0 })
})

it('[OA2] the sentence of the server is kept', () => {
  const status = { kind: 'Status', reason: 'Invalid', message: 'spec.x: must be at least 1', code: 422 }
  expect(readFailure(422, undefined, status)).toEqual({
    word: 'KubeRefused',
    status: 422,
    reason: 'Invalid',
    message: 'spec.x: must be at least 1',
    quietMs: 0,
  })
})
