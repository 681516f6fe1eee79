import fc from 'fast-check'
import { expect, it } from 'vitest'
import { eventFor, say, type ToldEvents } from './told-events.ts'

const anySaying = fc.record({ key: fc.constantFrom('a', 'b'), afterMs: fc.integer({ min: 0, max: 90_000 }) })

it('[OA7] what is said again is counted, and written at most once a minute', () => {
  fc.assert(
    fc.property(fc.array(anySaying, { maxLength: 100 }), (sayings) => {
      const told: ToldEvents = new Map()
      const written = new Map<string, { atMs: number; count: number }>()
      const counts = new Map<string, { firstMs: number; count: number }>()
      let nowMs = 0
      for (const { key, afterMs } of sayings) {
        nowMs += afterMs
        const before = counts.get(key)
        const isNew = before === undefined || nowMs - before.firstMs >= 3_600_000
        const now = isNew ? { firstMs: nowMs, count: 1 } : { ...before, count: before.count + 1 }
        counts.set(key, now)
        const said = say(told, key, nowMs)
        const last = written.get(key)
        if (isNew || last === undefined || nowMs - last.atMs >= 60_000) {
          expect(said).toMatchObject({ ...now, writtenMs: nowMs })
          written.set(key, { atMs: nowMs, count: now.count })
        } else expect(said).toBeUndefined()
      }
    }),
  )
})

it('[OA7] it remembers a bounded number of things', () => {
  const told: ToldEvents = new Map()
  for (let thing = 0; thing < 6_000; thing++) say(told, String(thing), thing)
  expect(told.size).toBe(5_000)
  expect(say(told, '5999', 6_000)).toBeUndefined()
  expect(say(told, '0', 6_000)?.count).toBe(1)
})

it('[OA7] an Event names what it is about, with whole seconds and a message that the server takes', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 3_000 }), fc.nat(1e9), (message, nowMs) => {
      const city = {
        apiVersion: 'p/v1',
        kind: 'CityPresence',
        metadata: { name: 'daarion', namespace: 'city', uid: 'u' },
      }
      const said = { count: 3, firstMs: nowMs - 5_500, writtenMs: nowMs }
      const at = { suffix: 'abc', component: 'operator', wallMs: 1_700_000_000_000, nowMs }
      const event = eventFor(city, { type: 'Warning', reason: 'SecretNotFound', message }, said, at)
      expect(event.metadata).toEqual({ name: 'daarion.abc', namespace: 'city' })
      expect(event['involvedObject']).toEqual({
        apiVersion: 'p/v1',
        kind: 'CityPresence',
        name: 'daarion',
        namespace: 'city',
        uid: 'u',
      })
      expect(event).toMatchObject({
        count: 3,
        firstTimestamp: '2023-11-14T22:13:14Z',
        lastTimestamp: '2023-11-14T22:13:20Z',
      })
      expect((event['message'] as string).length).toBeLessThanOrEqual(1_000)
    }),
  )
})
