// Reads the body of an answer whole, up to a cap: what is longer is refused before it is kept.
import { CityError } from '../errors.ts'

export type Reading = {
  readonly maxBytes: number
  /** Handed over as it comes, and not kept. */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined
}

export async function collectBody(
  stream: AsyncIterable<Uint8Array>,
  { maxBytes, onBytes }: Reading,
  where: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of stream) {
    total += chunk.byteLength
    // Leaving the loop destroys the body, and with it the connection.
    if (total > maxBytes) throw new CityError('HttpTooLarge', `${where}: the answer has more than ${maxBytes} bytes`)
    if (onBytes === undefined) chunks.push(chunk)
    else onBytes(chunk)
  }
  return Buffer.concat(chunks)
}
