// Cuts a stream of bytes into lines of text. Cut is at the byte of a line's end, which is part of no other character, so a character
// that arrives in two pieces is whole again before it is read; a line that does not end, or is no UTF-8, is refused.
import { accept, refuse, type Result } from './result.ts'

export type LineCutter = {
  /** The lines that these bytes completed. After a refusal it is not to be used any more. */
  take(bytes: Uint8Array): Result<readonly string[]>
}

const lineEnd = 0x0a

export function createLineCutter(lineBytesMax: number): LineCutter {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let pieces: Uint8Array[] = []
  let held = 0

  const decode = (end: Uint8Array): Result<string> => {
    const whole = new Uint8Array(held + end.length)
    let at = 0
    for (const piece of [...pieces, end]) {
      whole.set(piece, at)
      at += piece.length
    }
    pieces = []
    held = 0
    try {
      return accept(decoder.decode(whole))
    } catch {
      return refuse('is no UTF-8')
    }
  }
  return {
    take(bytes) {
      const lines: string[] = []
      let from = 0
      for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd, from)) {
        if (held + end - from > lineBytesMax) return refuse(`has a line of more than ${lineBytesMax} bytes`)
        const line = decode(bytes.subarray(from, end))
        if (!line.ok) return line
        if (line.value.trim() !== '') lines.push(line.value)
        from = end + 1
      }
      const rest = bytes.slice(from)
      held += rest.length
      if (held > lineBytesMax) return refuse(`has a line of more than ${lineBytesMax} bytes`)
      if (rest.length > 0) pieces.push(rest)
      return accept(lines)
    },
  }
}
