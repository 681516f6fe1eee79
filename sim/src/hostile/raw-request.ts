// A request as bytes, and all that comes back as text: what no HTTP client would send, and would not show.
import { connect } from 'node:net'
import { until } from '@citypresence/stack/until'

export const upgradeRequest = (path: string, headers: readonly string[] = ['Host: x']): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '',
    '',
  ].join('\r\n')

/** What a raw request gets back until the server ends it, or until it has said something that `enough` knows. */
export async function rawExchange(
  port: number,
  request: string,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (data) => (text += data.toString('latin1')))
  socket.write(request)
  const what = `an answer to ${request.slice(0, 60)}`
  await until(() => socket.closed || enough(text), { deadlineMs: 10_000, what })
  socket.destroy()
  return text
}
