// The vocabulary of the status.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { errorCodes } from '@citypresence/chassis/errors'
import { conditions, conditionTypes, reasons, type ReasonOf } from './conditions.ts'

const entries = Object.entries(reasons)

it('[API11] a condition is a CamelCase word with a sentence, and so is a reason', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.entries(conditions), ...entries), ([word, { means }]) => {
      expect(word).toMatch(/^[A-Z][A-Za-z]{2,62}$/)
      expect(means).toMatch(/^[A-Z][^\n|]*\.$/)
    }),
  )
  for (const [reason, { doThis }] of entries) expect(doThis, reason).toMatch(/^[A-Z][^\n|]*\.$/)
})

it('[API11] every condition has a reason for each way it can be, and Unknown at first sight', () => {
  const statusesOf = (type: string): Set<string> =>
    new Set(entries.filter(([, { on }]) => (on as readonly string[]).includes(type)).map(([, { status }]) => status))
  // Ready takes over the reason of whoever says no.
  expect(
    conditionTypes.filter(
      (type) => type !== 'Ready' && !(statusesOf(type).has('True') && statusesOf(type).has('False')),
    ),
  ).toEqual([])
  const judged = new Set(['Accepted', 'Progressing', 'Paused', 'Warning'])
  expect(conditionTypes.filter((type) => !judged.has(type) && !statusesOf(type).has('Unknown'))).toEqual([])
})

it('[API11] what only the leader knows becomes LeaderLost when nobody leads', () => {
  const byLeader = conditionTypes.filter((type) => conditions[type].writtenBy === 'aggregator')
  expect([...reasons.LeaderLost.on]).toEqual(byLeader)
  const reason: ReasonOf<'MatrixSynced'> = 'LeaderLost'
  expect(reasons[reason].status).toBe('Unknown')
})

it('[API11] a reason that is also an error code stands in both tables', () => {
  const shared = entries.map(([reason]) => reason).filter((reason) => reason in errorCodes)
  expect(shared).toEqual(['RoomDirectoryRefused', 'NatsUnreachable', 'NatsUnauthorized', 'NatsTooOld'])
})
