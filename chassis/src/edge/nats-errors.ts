// Which of our words an error of the NATS client is.
import {
  AuthorizationError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node'
import { CityError } from '../errors.ts'

export function toNatsError(thrown: unknown, where: string): CityError {
  if (thrown instanceof CityError) return thrown
  const error = reasonOf(thrown)
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError)
    return new CityError('NatsUnauthorized', `${where}: ${text}`, { cause: error })
  if (error instanceof PermissionViolationError)
    return new CityError('NatsForbidden', `${where}: no right to ${error.operation} on ${error.subject}`, {
      cause: error,
    })
  const code = codeOf(error)
  if (code.startsWith('CERT_') || code.startsWith('ERR_TLS') || tlsCodes.has(code))
    return new CityError('TlsUntrusted', `${where}: ${code}`, { cause: error })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new CityError('DnsFailed', `${where}: ${code}`, { cause: error })
  return new CityError('NatsUnreachable', `${where}: ${text}`, { cause: error })
}

/** The client wraps what became of a request. */
const reasonOf = (error: unknown): unknown =>
  error instanceof RequestError && error.cause instanceof Error ? error.cause : error

/** No answer came in time. */
export const isTimeout = (error: unknown): boolean => reasonOf(error) instanceof TimeoutError

const tlsCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
])

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause === undefined || error.cause === error ? '' : codeOf(error.cause)
}
