import fc from 'fast-check'
import { expect, it } from 'vitest'
import { placeOf } from './desired-objects/metadata.ts'
import type { KubeObject } from './kube-object.ts'
import { createOwnWrites } from './own-writes.ts'

const objectAt = (version: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', resourceVersion: String(version) },
})
const place = placeOf(objectAt(0))

it('[OP7] what is gone by is never older than what the cache shows, and never a write that the cache has passed', () => {
  const step = fc.record({
    act: fc.constantFrom('write', 'tell', 'look', 'others'),
    afterMs: fc.integer({ min: 0, max: 3_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const writes = createOwnWrites()
      let nowMs = 0
      let server = 1
      let cached = 1
      let ours = { version: 0, atMs: -Infinity }
      for (const { act, afterMs } of steps) {
        nowMs += afterMs
        const [seen] = writes.look([objectAt(cached)], nowMs)
        const version = Number(seen?.metadata.resourceVersion)
        expect(version).toBeGreaterThanOrEqual(cached)
        expect([cached, ours.version]).toContain(version)
        if (nowMs - ours.atMs >= 5_000) expect(version).toBe(cached)
        if (act === 'write') {
          ours = { version: ++server, atMs: nowMs }
          writes.note(objectAt(ours.version), nowMs)
          expect(writes.look([objectAt(cached)], nowMs)[0]?.metadata.resourceVersion).toBe(String(ours.version))
        } else if (act === 'others') server++
        else if (act === 'tell') cached = server
      }
    }),
  )
})

it('[OP7] what was made is there before the cache shows it, and gone when the cache has shown it and does not any more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), (afterMs) => {
      const writes = createOwnWrites()
      writes.look([], 0)
      writes.note(objectAt(1), 0)
      writes.look([], afterMs)
      expect(writes.unseen(place, afterMs) !== undefined).toBe(afterMs < 5_000)
      expect(writes.doubtMs(afterMs)).toBe(afterMs < 5_000 ? 5_000 - afterMs : undefined)
      writes.look([objectAt(1)], afterMs)
      writes.look([], afterMs)
      expect(writes.unseen(place, afterMs)).toBeUndefined()
      expect(writes.doubtMs(afterMs)).toBeUndefined()
      writes.forget(place)
      expect(writes.left().size).toBe(0)
    }),
  )
})
