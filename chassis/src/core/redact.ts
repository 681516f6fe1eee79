// Takes secrets out of text that is about to be written: addresses with a token or a password, bearer headers, JSON Web
// Tokens, Matrix access tokens. The last line of defence, run over every log line; the first is not to pass them on. Pure.
//
// The patterns never eat a quote or a backslash, so that a redacted JSON line is still JSON.

const mask = '***'

const rules: readonly (readonly [RegExp, string])[] = [
  // https://user:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'\\@]+@/gi, `$1${mask}@`],
  // ?token=…, &access_token=…, also in a form body
  [/([?&#;\s]|^)((?:access_|refresh_|id_|login)?token|password|secret|jwt|api_?key)=[^\s&#"'\\;]+/gi, `$1$2=${mask}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${mask}`],
  // a JSON Web Token anywhere: header and payload both begin with {"
  [/\beyJ[\w-]{4,}\.eyJ[\w-]{4,}(?:\.[\w-]*)?/g, mask],
  // Synapse access, refresh and login tokens
  [/\b(?:syt|syr|syl)_[\w-]+/g, mask],
  // nkey seeds
  [/\bS[UAONCX][A-Z2-7]{56}\b/g, mask],
]

export function redactText(text: string): string {
  return rules.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text)
}

const secretParameter = /token|password|secret|jwt|key|auth|code|sig/i

/** An address that may be shown: no user, no password, no secret query value, no fragment. */
export function redactUrl(url: string): string {
  if (!URL.canParse(url)) return redactRelativeUrl(url)
  const parsed = new URL(url)
  if (parsed.username !== '') parsed.username = mask
  parsed.password = ''
  parsed.hash = ''
  return redactRelativeUrl(parsed.href)
}

function redactRelativeUrl(url: string): string {
  const [beforeHash = ''] = url.split('#', 1)
  const queryAt = beforeHash.indexOf('?')
  if (queryAt < 0) return redactText(beforeHash)
  const pairs = beforeHash.slice(queryAt + 1).split('&')
  const query = pairs.map(redactPair).join('&')
  return redactText(`${beforeHash.slice(0, queryAt)}?${query}`)
}

function redactPair(pair: string): string {
  const [key = ''] = pair.split('=', 1)
  return secretParameter.test(safeDecode(key)) ? `${key}=${mask}` : pair
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A broken escape hides nothing from us: the raw text is searched instead.
    return text
  }
}
