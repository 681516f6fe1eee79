// A secret is not text but a thing that can be read: it does not print itself, and one that lies in a file is read again at
// each use, so that a rotated Secret reaches the next attempt without a restart.
//
//   read() -> file readable and accepted ? its content : the last good one (and the problem goes to onProblem)
import { CityError, toErrorCode } from './errors.ts'
import type { Result } from './core/result.ts'

export interface Secret {
  read(): string
  readonly source: 'env' | 'file'
  toJSON(): string
  toString(): string
}

export const secretMask = '***'

/** Keeps the value out of every road by which objects get printed: it lives in a closure, and inspect shows the mask. */
function hide(source: Secret['source'], read: () => string): Secret {
  const mask = () => secretMask
  return Object.freeze({ read, source, toJSON: mask, toString: mask, [Symbol.for('nodejs.util.inspect.custom')]: mask })
}

export function secretFromText(text: string): Secret {
  return hide('env', () => text)
}

export interface FileReader {
  read(path: string): string
}

/** A mounted file usually ends with a newline that is not part of the secret. */
export const withoutFinalNewline = (text: string) => text.replace(/(\r?\n)+$/, '')

type SecretFile = {
  readonly path: string
  readonly files: FileReader
  readonly decode: (text: string) => Result<unknown>
  readonly firstGood: string
  readonly onProblem?: (error: CityError) => void
}

/** `firstGood` has been read and accepted at start: there is always something to fall back to. */
export function secretFromFile({ path, files, decode, firstGood, onProblem }: SecretFile): Secret {
  let lastGood = firstGood
  return hide('file', () => {
    try {
      const text = withoutFinalNewline(files.read(path))
      const decoded = decode(text)
      if (!decoded.ok || text === '') throw new CityError('SecretUnreadable', `${path}: the content was refused`)
      lastGood = text
    } catch (cause) {
      const known = toErrorCode(cause) === 'SecretUnreadable' && cause instanceof CityError
      onProblem?.(known ? cause : new CityError('SecretUnreadable', `${path}: cannot be read`, { cause }))
    }
    return lastGood
  })
}
