// The one error of everything that goes wrong on the way to the API server. Its message is made of method, path and the server's own
// sentence: headers and bodies never get into it.
import { CityError, toErrorCode, type ErrorCode } from '@citypresence/chassis/errors'
import { readFailure, type KubeFailure } from '../core/kube-failure.ts'

export class KubeError extends CityError {
  /** What the server said, where it said anything. */
  readonly failure: KubeFailure | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; failure?: KubeFailure } = {}) {
    super(code, message, options.cause === undefined ? {} : { cause: options.cause })
    this.failure = options.failure
  }
}

export function refusalOf(where: string, status: number, retryAfter: string | undefined, body: unknown): KubeError {
  const failure = readFailure(status, retryAfter, body)
  const said = failure.reason === '' ? failure.message : `${failure.reason}: ${failure.message}`
  return new KubeError(failure.word, `${where}: ${status} ${said}`, { failure })
}

// What happened before there was an answer keeps its word: who mends it has to look elsewhere than at the API server.
const ownWords: readonly ErrorCode[] = ['SecretUnreadable', 'KubeconfigRefused', 'TlsUntrusted', 'Aborted', 'BadConfig']

/** For whatever was thrown: of undici, of Node, of a parser, or ours already. */
export function toKubeError(error: unknown, where: string): KubeError {
  if (error instanceof KubeError) return error
  const code = toErrorCode(error)
  if (ownWords.includes(code)) return new KubeError(code, messageOf(error), { cause: error })
  const garbled = code === 'HttpGarbled' || code === 'HttpTooLarge'
  const said = error instanceof CityError ? `${code}: ${error.message}` : `${where}: ${messageOf(error)}`
  return new KubeError(garbled ? 'KubeGarbled' : 'KubeUnreachable', said, { cause: error })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'failed')
