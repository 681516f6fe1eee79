// Where log lines go: standard output, each written at once, so that none is lost or out of order when the process exits. A disk
// that is full or a reader that is gone costs lines and nothing else: a service that ended because nobody could note what it
// says would turn a full disk into an outage.
import { writeSync } from 'node:fs'

export type LogOutput = { write(line: string): void }

/** @param onLost told of every line that could not be written whole. */
export function createLogOutput(fd: number, onLost: (error: unknown) => void): LogOutput {
  let isBroken = false
  return {
    write(line) {
      // What was cut off has its end here: the next line must not stand inside it.
      const bytes = Buffer.from(isBroken ? `\n${line}` : line)
      let written = 0
      try {
        while (written < bytes.length) written += writeSync(fd, bytes, written)
        isBroken = false
      } catch (error) {
        isBroken ||= written > 0
        onLost(error)
      }
    },
  }
}
