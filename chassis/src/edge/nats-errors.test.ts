import { PermissionViolationError, RequestError, TimeoutError } from '@nats-io/transport-node'
import { expect, it } from 'vitest'
import { isTimeout, toNatsError } from './nats-errors.ts'

it('[C24] a request that was refused is told as the refusal it was, not as one without an answer', () => {
  const refusal = new PermissionViolationError('no', 'publish', 'ingest.city.presence.beat')
  const error = toNatsError(new RequestError('no', { cause: refusal }), 'there')
  expect(error).toMatchObject({
    code: 'NatsForbidden',
    message: 'there: no right to publish on ingest.city.presence.beat',
  })
  expect(toNatsError(new RequestError('odd'), 'there').code).toBe('NatsUnreachable')
})

it('[C24] an answer that did not come in time is known as that, wrapped or not', () => {
  const late = new TimeoutError()
  expect([late, new RequestError('late', { cause: late }), new RequestError('no')].map(isTimeout)).toEqual([
    true,
    true,
    false,
  ])
})
