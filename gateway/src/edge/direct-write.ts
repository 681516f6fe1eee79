// A write to a socket past Node's stream: the system call and nothing around it. A sweep is little else than writes.
//
//   nothing waits in the stream -> the system takes all -> done
//   something waits, or it takes a part, or none, or the peer is gone -> what is left goes through the stream
import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/** Node's own handle of a TCP socket; once that is closed its number is none that can be written to. */
type Handled = { readonly _handle?: { readonly fd?: number } | null }

/**
 * Hands the bytes to the system past the stream, which costs a fifth of a write; the rest that it did not take, or undefined where it
 * took all. Only while nothing waits in the stream, so that nothing overtakes. The number is asked for at each write: a closed
 * socket's is soon another's. It is not documented; where a Node does not tell it, everything goes through the stream.
 */
export function writeAtOnce(raw: Socket, bytes: Buffer): Buffer | undefined {
  if (raw.writableLength > 0 || !raw.writable) return bytes
  const fd = (raw as Handled)._handle?.fd
  if (fd === undefined) return bytes
  try {
    const taken = writeSync(fd, bytes)
    return taken === bytes.length ? undefined : bytes.subarray(taken)
  } catch {
    // Its buffer is full, or the peer is gone: the stream waits, or finds out and says so.
    return bytes
  }
}
