// From the text of a setting to its value, or to a sentence that completes "<NAME> …". Pure.
import { type Result, accept, refuse } from './result.ts'

type Decoder<T> = (text: string) => Result<T>

/** A value with a typing error is shown to help find it, but no more of it than this. */
const shownLengthMax = 60
const shown = (text: string) =>
  JSON.stringify(text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text)

const string: Decoder<string> = (text) => accept(text)

const nonEmpty: Decoder<string> = (text) => (text.trim() === '' ? refuse('must not be empty') : accept(text.trim()))

/** `protocols` with their colon, as URL.protocol has them. A user or password in an address is refused: it would be logged. */
const url =
  (...protocols: readonly string[]): Decoder<string> =>
  (text) => {
    const allowed = protocols.map((protocol) => `${protocol.replace(/:$/, '')}://`).join(' or ')
    if (!URL.canParse(text)) return refuse(`must be an address that begins with ${allowed}`)
    const parsed = new URL(text)
    if (parsed.username !== '' || parsed.password !== '')
      return refuse('must not hold a user or password in the address')
    const known = protocols.some((protocol) => parsed.protocol === `${protocol.replace(/:$/, '')}:`)
    if (!known || parsed.hostname === '') return refuse(`must be an address that begins with ${allowed}`)
    return accept(text.replace(/\/+$/, ''))
  }

const integer =
  ({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}): Decoder<number> =>
  (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (Number.isSafeInteger(value) && value >= min && value <= max) return accept(value)
    return refuse(`must be a whole number from ${min} to ${max}, not ${shown(text)}`)
  }

const ratio: Decoder<number> = (text) => {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  return value >= 0 && value <= 1 ? accept(value) : refuse(`must be a number from 0 to 1, not ${shown(text)}`)
}

/** `off` or `on`; the spellings other tools use for the same are understood too. */
const boolean: Decoder<boolean> = (text) => {
  if (/^(on|true|1|yes)$/i.test(text)) return accept(true)
  if (/^(off|false|0|no)$/i.test(text)) return accept(false)
  return refuse(`must be on or off, not ${shown(text)}`)
}

const oneOf =
  <const T extends readonly string[]>(...choices: T): Decoder<T[number]> =>
  (text) => {
    const choice = choices.find((known) => known === text)
    return choice === undefined ? refuse(`must be one of ${choices.join(', ')}, not ${shown(text)}`) : accept(choice)
  }

/** A list in a setting is short; a longer one is a file in the wrong place. */
const listLengthMax = 1000

const list =
  <T>(item: Decoder<T>): Decoder<readonly T[]> =>
  (text) => {
    const parts = text.split(',').map((part) => part.trim())
    const filled = parts.filter((part) => part !== '')
    if (filled.length > listLengthMax) return refuse(`must hold at most ${listLengthMax} entries`)
    const values: T[] = []
    for (const [index, part] of filled.entries()) {
      const decoded = item(part)
      if (!decoded.ok) return refuse(`${decoded.problem} (entry ${index + 1})`)
      values.push(decoded.value)
    }
    return accept(values)
  }

export type Cidr = { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' }

/** `10.0.0.0/8`, `2001:db8::/32`; an address alone means that one host. */
const cidr: Decoder<Cidr> = (text) => {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text)
  const address = match?.[1] ?? ''
  const family = isIpv4(address) ? 'ipv4' : isIpv6(address) ? 'ipv6' : undefined
  if (family === undefined) return refuse(`must be an address range like 10.0.0.0/8, not ${shown(text)}`)
  const bits = family === 'ipv4' ? 32 : 128
  const prefix = match?.[2] === undefined ? bits : Number(match[2])
  return prefix <= bits
    ? accept({ address, prefix, family })
    : refuse(`has a prefix longer than ${bits}: ${shown(text)}`)
}

const octet = /^(0|[1-9]\d{0,2})$/

function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => octet.test(part) && Number(part) <= 255)
}

function isIpv6(text: string): boolean {
  return text.includes(':') && /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`)
}

/** The name of a stream: NATS takes no dot in it. */
const word: Decoder<string> = (text) =>
  /^[A-Za-z0-9_-]+$/.test(text) ? accept(text) : refuse('must be one word of letters, digits, - and _')

/** The beginning of subjects: no wildcard, no empty part. */
const words: Decoder<string> = (text) =>
  /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text) ? accept(text) : refuse('must be words joined by dots')

export const decode = {
  ...{ string, nonEmpty, url, integer, ratio, boolean, oneOf, list, cidr, cidrs: list(cidr) },
  ...{ word, words },
} as const
