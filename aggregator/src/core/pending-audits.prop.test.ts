import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createPendingAudits, keepAudit, takeCaughtUp, type MembersAudit } from './pending-audits.ts'

const moment = (ms: number) => ({ wallMs: ms, monotonicMs: ms })
const auditOf = (room: number, answeredMs: number): MembersAudit => ({
  roomId: `!${room}`,
  userIds: [],
  askedAt: moment(answeredMs - 1),
  answeredAt: moment(answeredMs),
})

it('[P17] a list of members waits for a response that was asked for after it, and the first of each room is the one that waits', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('audit' as const), room: fc.nat(5) }),
      fc.record({ kind: fc.constant('response' as const), agoMs: fc.nat(8) }),
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, (script) => {
      const pending = createPendingAudits()
      let twin: MembersAudit[] = []
      script.forEach((step, nowMs) => {
        if (step.kind === 'audit') {
          keepAudit(pending, auditOf(step.room, nowMs))
          if (!twin.some(({ roomId }) => roomId === `!${step.room}`)) twin = [...twin, auditOf(step.room, nowMs)]
          return
        }
        const requestedAtMs = nowMs - step.agoMs
        const due = twin.filter(({ answeredAt }) => answeredAt.monotonicMs <= requestedAtMs)
        twin = twin.filter((audit) => !due.includes(audit))
        expect(takeCaughtUp(pending, requestedAtMs)).toEqual(due)
      })
    }),
  )
})

it('[P17] no more lists are kept than can be waiting', () => {
  const pending = createPendingAudits()
  for (let room = 0; room < 1_000; room++) keepAudit(pending, auditOf(room, room))
  expect(pending.size).toBe(64)
  expect(takeCaughtUp(pending, Infinity).at(-1)?.roomId).toBe('!63')
})

it('[P17] nor more names than a large city may have at once; a single list may be as long as it comes', () => {
  const anyList = fc.record({ room: fc.nat(8), names: fc.constantFrom(0, 10, 150_000, 300_000, 500_000) })
  fc.assert(
    fc.property(fc.array(anyList, { maxLength: 12 }), (lists) => {
      const pending = createPendingAudits()
      for (const { room, names } of lists) {
        const before = [...pending.values()].reduce((sum, { userIds }) => sum + userIds.length, 0)
        const wasThere = pending.has(`!${room}`)
        const fits = pending.size === 0 || before + names <= 400_000
        const kept = keepAudit(pending, { ...auditOf(room, 1), userIds: { length: names } as string[] })
        expect(kept).toBe(wasThere ? 'repeated' : fits ? 'kept' : 'crowded')
      }
    }),
  )
})

it('[P17] in a silent city, where a poll is held for half a minute, every room is compared at every second one', () => {
  const pending = createPendingAudits()
  const [rooms, pollMs, auditMs] = [4, 30_000, 1_000]
  const compared = new Map<string, number>()
  for (let nowMs = auditMs; nowMs <= 4 * pollMs; nowMs += auditMs) {
    if (nowMs % pollMs === 0)
      for (const { roomId } of takeCaughtUp(pending, nowMs - pollMs))
        compared.set(roomId, (compared.get(roomId) ?? 0) + 1)
    keepAudit(pending, auditOf((nowMs / auditMs) % rooms, nowMs))
  }
  expect([...compared.values()]).toEqual(Array.from({ length: rooms }, () => 2))
})
