// Decoders: from anything to a T, or an error that names the path of what is wrong. They answer any value without throwing.
//
//   unknown -> decoder -> { ok: true, value } | { ok: false, error: { path, expected, found } }
//
// Each decoder also carries a `shape`, a plain value that says what it accepts; protocol.test.ts takes the fingerprint of all
// shapes, so that no message changes unnoticed. Unknown keys are passed over: that is how a contract grows.

export type DecodeError = { readonly path: string; readonly expected: string; readonly found: string }
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: DecodeError }
export type Shape = string | { readonly [key: string]: Shape } | readonly Shape[]
export type Decoder<T> = { readonly shape: Shape; decode(input: unknown, path?: string): Decoded<T> }
/** The type that a decoder yields. */
export type Infer<D> = D extends Decoder<infer T> ? T : never

/** What a found value is called in an error: its kind, and its text where that is short and harmless. */
// 40 characters are enough to recognise a slip; more would carry foreign data into logs.
const shownCharactersMax = 40

export function nameFound(input: unknown): string {
  if (input === undefined) return 'nothing'
  if (input === null) return 'null'
  if (Array.isArray(input)) return 'an array'
  if (typeof input === 'string') return input.length > shownCharactersMax ? 'a long text' : JSON.stringify(input)
  if (typeof input === 'number' || typeof input === 'boolean') return String(input)
  return `a value of type ${typeof input}`
}

export const accept = <T>(value: T): Decoded<T> => ({ ok: true, value })
export const refuse = (path: string, expected: string, input: unknown): Decoded<never> => ({
  ok: false,
  error: { path: path === '' ? '(whole)' : path, expected, found: nameFound(input) },
})

/** One sentence for a log line or a condition: `rooms[3].slug: expected a slug, found "A b"`. */
export const describeDecodeError = ({ path, expected, found }: DecodeError): string =>
  `${path}: expected ${expected}, found ${found}`

/** A decoder of one plain value: `test` says whether the input is it. */
export function plain<T>(expected: string, test: (input: unknown) => input is T): Decoder<T> {
  return {
    shape: expected,
    decode: (input, path = '') => (test(input) ? accept(input) : refuse(path, expected, input)),
  }
}

/** Text of at most `lengthMax` UTF-16 units. */
export const text = (lengthMax: number): Decoder<string> =>
  plain(
    `text of at most ${lengthMax}`,
    (input): input is string => typeof input === 'string' && input.length <= lengthMax,
  )

export const matching = (name: string, pattern: RegExp): Decoder<string> =>
  plain(name, (input): input is string => typeof input === 'string' && pattern.test(input))

export const integer = (min: number, max: number = Number.MAX_SAFE_INTEGER): Decoder<number> =>
  plain(
    max === Number.MAX_SAFE_INTEGER ? `an integer from ${min}` : `an integer from ${min} to ${max}`,
    (input): input is number => Number.isSafeInteger(input) && (input as number) >= min && (input as number) <= max,
  )

export const flag: Decoder<boolean> = plain('true or false', (input): input is boolean => typeof input === 'boolean')

export const oneOf = <const T extends string>(...values: readonly T[]): Decoder<T> =>
  plain(values.map((value) => JSON.stringify(value)).join(' or '), (input): input is T => values.includes(input as T))

export const nullable = <T>(inner: Decoder<T>): Decoder<T | null> => ({
  shape: [inner.shape, 'or null'],
  decode: (input, path = '') => (input === null ? accept(null) : inner.decode(input, path)),
})

export const arrayOf = <T>(inner: Decoder<T>, lengthMax: number): Decoder<readonly T[]> => ({
  shape: [inner.shape, `at most ${lengthMax}`],
  decode(input, path = '') {
    if (!Array.isArray(input)) return refuse(path, 'an array', input)
    if (input.length > lengthMax) return refuse(path, `an array of at most ${lengthMax}`, input)
    const values: T[] = []
    for (const [index, item] of input.entries()) {
      const decoded = inner.decode(item, `${path}[${index}]`)
      if (!decoded.ok) return decoded
      values.push(decoded.value)
    }
    return accept(values)
  },
})

type Fields = Readonly<Record<string, Decoder<unknown>>>
type RequiredOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> }
type OptionalOf<F extends Fields> = { readonly [K in keyof F]?: Infer<F[K]> }

const shapesOf = (fields: Fields): Readonly<Record<string, Shape>> =>
  Object.fromEntries(Object.entries(fields).map(([key, decoder]) => [key, decoder.shape]))

const isRecord = (input: unknown): input is Record<string, unknown> =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

/** An object with these keys; keys beyond them are passed over. An optional key may be absent, and only absent. */
export function object<R extends Fields>(required: R): Decoder<RequiredOf<R>>
export function object<R extends Fields, O extends Fields>(
  required: R,
  optional: O,
): Decoder<RequiredOf<R> & OptionalOf<O>>
export function object(required: Fields, optional: Fields = {}): Decoder<unknown> {
  const decodeKey = (input: Record<string, unknown>, path: string, key: string, decoder: Decoder<unknown>) =>
    decoder.decode(Object.hasOwn(input, key) ? input[key] : undefined, path === '' ? key : `${path}.${key}`)
  return {
    shape: { required: shapesOf(required), optional: shapesOf(optional) },
    decode(input, path = '') {
      if (!isRecord(input)) return refuse(path, 'an object', input)
      const value: Record<string, unknown> = {}
      for (const [key, decoder] of Object.entries(required)) {
        const decoded = decodeKey(input, path, key, decoder)
        if (!decoded.ok) return decoded
        value[key] = decoded.value
      }
      for (const [key, decoder] of Object.entries(optional)) {
        if (!Object.hasOwn(input, key) || input[key] === undefined) continue
        const decoded = decodeKey(input, path, key, decoder)
        if (!decoded.ok) return decoded
        value[key] = decoded.value
      }
      return accept(value)
    },
  }
}

/** A union told apart by its `type`; a type that is not listed is refused by name. */
export function byType<V extends Readonly<Record<string, Decoder<unknown>>>>(variants: V): Decoder<Infer<V[keyof V]>> {
  const names = Object.keys(variants)
    .map((name) => JSON.stringify(name))
    .join(' or ')
  return {
    shape: shapesOf(variants),
    decode(input, path = '') {
      if (!isRecord(input)) return refuse(path, 'an object', input)
      const type = Object.hasOwn(input, 'type') ? input['type'] : undefined
      const variant = typeof type === 'string' && Object.hasOwn(variants, type) ? variants[type] : undefined
      const typePath = path === '' ? 'type' : `${path}.type`
      if (variant === undefined) return refuse(typePath, names, type)
      return variant.decode(input, path) as Decoded<Infer<V[keyof V]>>
    },
  }
}

/** From text to a T: JSON first, then the decoder. */
export function decodeJson<T>(decoder: Decoder<T>, json: string): Decoded<T> {
  let input: unknown
  try {
    input = JSON.parse(json)
  } catch {
    return refuse('', 'JSON', json)
  }
  return decoder.decode(input)
}
