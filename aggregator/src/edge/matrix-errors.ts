// What went wrong between us and the homeserver, in our words.
//
//   answer with a status of failure -> MatrixRefusal: status, Matrix error code, and for 429 how long to wait
//   no whole answer                 -> CityError MatrixUnreachable, its cause the word of the HTTP client
//   an answer that means nothing    -> CityError MatrixGarbled
import { CityError, type ErrorCode } from '@citypresence/chassis/errors'
import { retryAfterMs } from '../core/retry-after.ts'

export type RefusalFacts = {
  readonly where: string
  readonly status: number
  readonly errcode: string
  readonly retryAfterMs?: number
}

/** The homeserver answered, and the answer was no. */
export class MatrixRefusal extends CityError {
  readonly status: number
  /** `M_FORBIDDEN` and the like; empty where the answer was no Matrix error (a proxy's page, say). */
  readonly errcode: string
  /** For 429 only: the wait asked for, already clamped. */
  readonly retryAfterMs: number | undefined

  constructor(facts: RefusalFacts) {
    super(wordOf(facts.status), `${facts.where}: ${facts.status} ${facts.errcode}`.trimEnd())
    this.status = facts.status
    this.errcode = facts.errcode
    this.retryAfterMs = facts.retryAfterMs
  }
}

function wordOf(status: number): ErrorCode {
  if (status === 429) return 'MatrixRateLimited'
  if (status === 401) return 'MatrixTokenRefused'
  // A proxy whose server is gone, or a server in trouble: nobody decided anything about our request.
  return status >= 500 ? 'MatrixUnreachable' : 'MatrixRefused'
}

export type FailedAnswer = {
  readonly where: string
  readonly status: number
  readonly retryAfterHeader: string | undefined
  /** The body as JSON, where it was that. */
  readonly body: unknown
  readonly nowWallMs: number
}

/** Matrix error codes are short words; anything else in that place would only carry foreign text into logs. */
const errcodePattern = /^[A-Za-z0-9_.]{1,80}$/

export function toRefusal({ where, status, retryAfterHeader, body, nowWallMs }: FailedAnswer): MatrixRefusal {
  const { errcode, retry_after_ms: bodyMs } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >
  const word = typeof errcode === 'string' && errcodePattern.test(errcode) ? errcode : ''
  const waitMs = status === 429 ? { retryAfterMs: retryAfterMs({ header: retryAfterHeader, bodyMs }, nowWallMs) } : {}
  return new MatrixRefusal({ where, status, errcode: word, ...waitMs })
}

/** A wait that we impose on ourselves: the request did not leave, because the server said when it may. */
export const notYet = (why: 'rate-limited' | 'token-refused', waitMs: number): CityError =>
  new CityError(
    why === 'rate-limited' ? 'MatrixRateLimited' : 'MatrixTokenRefused',
    `not asked: the homeserver may be asked again in ${Math.ceil(waitMs / 1_000)} s`,
  )
