import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readWatchEvent } from './watch-event.ts'

const service = { apiVersion: 'v1', kind: 'Service' }
const object = { metadata: { name: 'a', namespace: 'city', uid: 'u', resourceVersion: '7' }, spec: { unknown: [1] } }
const read = (event: unknown) => readWatchEvent(JSON.stringify(event), service)

it('[OA4] any line is an event or is refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const event = readWatchEvent(line, service)
      expect(event.ok || event.problem !== '').toBe(true)
    }),
  )
  fc.assert(
    fc.property(fc.constantFrom('ADDED', 'BOOKMARK', 'ERROR', 'NEWS'), fc.jsonValue(), (type, json) => {
      const event = read({ type, object: json })
      if (event.ok) expect(event.value.type).toBe(type)
    }),
  )
})

it('[OA4] objects come whole, bookmarks with their version, the end with its reason', () => {
  for (const type of ['ADDED', 'MODIFIED', 'DELETED'] as const)
    expect(read({ type, object })).toEqual({ ok: true, value: { type, object: { ...object, ...service } } })
  expect(read({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } })).toEqual({
    ok: true,
    value: { type: 'BOOKMARK', version: '9' },
  })
  expect(read({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })).toEqual(
    {
      ok: true,
      value: {
        type: 'ERROR',
        failure: { word: 'KubeGone', status: 410, reason: 'Expired', message: 'too old', quietMs: 0 },
      },
    },
  )
  expect(read({ type: 'ADDED', object: { metadata: {} } })).toEqual({ ok: false, problem: 'has no metadata.name' })
})
