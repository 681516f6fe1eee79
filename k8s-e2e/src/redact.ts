// Paints over what looks like a secret: tokens of Matrix, JWTs, bearer headers, passwords in settings. What is gathered may be shown around.
const secrets: readonly (readonly [RegExp, string])[] = [
  [/\bsyt_[A-Za-z0-9_]+/g, 'syt_…'],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g, 'eyJ…'],
  [/(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, '$1…'],
  [/((?:password|secret|token|passwd|registration_shared_secret)["']?\s*[:=]\s*["']?)[A-Za-z0-9._~+/=-]{16,}/gi, '$1…'],
  [/(\?|&)(token|access_token)=[^&\s"']+/g, '$1$2=…'],
]

export const redact = (text: string): string =>
  secrets.reduce((painted, [pattern, instead]) => painted.replaceAll(pattern, instead), text)
