// Which of our words an error of undici, Node's sockets, TLS, DNS or zlib is. By their codes, not by their texts.
import { CityError, type ErrorCode } from '../errors.ts'

const wordOfCode: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'DnsFailed',
  EAI_AGAIN: 'DnsFailed',
  EAI_FAIL: 'DnsFailed',
  EAI_NODATA: 'DnsFailed',
  UND_ERR_CONNECT_TIMEOUT: 'HttpTimeout',
  UND_ERR_HEADERS_TIMEOUT: 'HttpTimeout',
  UND_ERR_BODY_TIMEOUT: 'HttpTimeout',
  ETIMEDOUT: 'HttpTimeout',
  UND_ERR_HEADERS_OVERFLOW: 'HttpTooLarge',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'HttpGarbled',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TlsUntrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'TlsUntrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TlsUntrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'TlsUntrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TlsUntrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TlsUntrusted',
  HOSTNAME_MISMATCH: 'TlsUntrusted',
  INVALID_CA: 'TlsUntrusted',
  INVALID_PURPOSE: 'TlsUntrusted',
}

const garbled = /^(Z_|HPE_|ERR__ERROR_|ERR_BROTLI|ERR_PADDING|ERR_STREAM_PREMATURE_CLOSE)/
const certificate = /^(CERT_|CRL_|ERR_TLS_CERT)/

export function toHttpError(error: unknown, where: string): CityError {
  if (error instanceof CityError) return error
  const code = codeOf(error)
  const word = wordOf(code)
  return new CityError(word, `${where}: ${code ?? 'failed'}`, { cause: error })
}

function wordOf(code: string | undefined): ErrorCode {
  if (code === undefined) return 'HttpUnreachable'
  const word = wordOfCode[code]
  if (word !== undefined) return word
  if (certificate.test(code)) return 'TlsUntrusted'
  return garbled.test(code) ? 'HttpGarbled' : 'HttpUnreachable'
}

/** Several addresses of one host fail together as an AggregateError: the first one speaks for all. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return inner === undefined || inner === error ? undefined : codeOf(inner)
}
