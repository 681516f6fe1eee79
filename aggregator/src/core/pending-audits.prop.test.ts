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

it('[P17] a list of members waits for a response that was asked for after it, and only the newest of each room counts', () => {
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
          twin = [...twin.filter(({ roomId }) => roomId !== `!${step.room}`), auditOf(step.room, nowMs)]
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
  expect(takeCaughtUp(pending, Infinity).at(-1)?.roomId).toBe('!999')
})
