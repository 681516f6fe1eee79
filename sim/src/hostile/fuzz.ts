// Strangers and browsers gone mad, from a seed: handshakes that were cut, doubled, stuffed and bent, and frames of any bits and
// lengths, in any pieces, with an end or a reset at any moment. The same seed is the same bytes.
//
//   seed -> stepOf -> one connection: pieces of bytes and how it ends -> playStep -> what came back
import { connect } from 'node:net'
import { dice } from '@citypresence/stack/demo/random'
import { until } from '@citypresence/stack/until'
import { clientFrame } from './raw-peer.ts'
import { upgradeRequest } from './raw-request.ts'

export type FuzzStep = {
  readonly kind: 'handshake' | 'frames'
  readonly pieces: readonly Buffer[]
  /** `end`: it says that it is done and waits. `reset`: it is gone, with or without having waited for a first answer. */
  readonly ending: 'end' | 'reset' | 'answer, then reset'
}

export type FuzzTokens = { readonly good: string; readonly bad: string }

type Dice = ReturnType<typeof dice>

const below = (chance: Dice, limit: number): number => Math.floor(chance.next() * limit)
const oneOf = <T>(chance: Dice, ...all: readonly [T, ...T[]]): T => chance.pick(all) ?? all[0]
const noise = (chance: Dice, length: number): Buffer => Buffer.from(Array.from({ length }, () => below(chance, 256)))

export function stepOf(seed: number, { good, bad }: FuzzTokens): FuzzStep {
  const chance = dice(seed)
  const kind = oneOf(chance, 'handshake', 'frames')
  const ending = oneOf(chance, 'end', 'end', 'reset', 'answer, then reset')
  const bytes = kind === 'handshake' ? bentHandshake(chance, bad) : madFrames(chance, good)
  return { kind, pieces: cut(chance, bytes), ending }
}

function cut(chance: Dice, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  const longest = oneOf(chance, bytes.length + 1, 700, 40)
  for (let at = 0; at < bytes.length;) {
    const to = at + 1 + below(chance, longest)
    pieces.push(bytes.subarray(at, to))
    at = to
  }
  return pieces
}

// --- handshakes ------------------------------------------------------------------------------------------------------------------

const paths = [
  '/ws/city/presence',
  '/ws/city/global-presence',
  '/api/city/presence',
  '/city',
  '/',
  '/%00',
  '//',
  '*',
] as const

function bentHandshake(chance: Dice, token: string): Buffer {
  const path = oneOf(chance, ...paths)
  const place = oneOf(chance, 'query', 'header', 'protocol')
  const headers = ['Host: x']
  if (place === 'header') headers.push(`Authorization: Bearer ${token}`)
  if (place === 'protocol') headers.push(`Sec-WebSocket-Protocol: city-presence, bearer.${token}`)
  let bytes: Buffer = Buffer.from(
    upgradeRequest(place === 'query' ? `${path}?token=${token}` : path, headers),
    'latin1',
  )
  for (let bends = below(chance, 4); bends > 0; bends--) bytes = bent(chance, bytes)
  return bytes
}

const strangeLines = [
  '__proto__: x',
  'constructor: x',
  'Host: y',
  'Host:',
  'Origin: null',
  'Origin: https://evil.example',
  'Upgrade: h2c',
  'Connection: keep-alive, Upgrade, close',
  'Sec-WebSocket-Version: 99',
  'Sec-WebSocket-Key: short',
  'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=-1',
  'Sec-WebSocket-Protocol: ,,,',
  'Authorization: Bearer',
  'Authorization: Basic eDp5',
  'Content-Length: 99999999999999999999',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Expect: 100-continue',
  'X-Forwarded-For: 1.2.3.4, , ::1, not-an-address',
  'Forwarded: for="[::1"',
  'Cookie: a=\u0000',
  ': no name',
  'no colon',
  ' folded',
] as const

function bent(chance: Dice, bytes: Buffer): Buffer {
  const at = below(chance, bytes.length)
  const length = 1 + below(chance, 30)
  const insert = (what: Buffer | string, where = at): Buffer =>
    Buffer.concat([bytes.subarray(0, where), Buffer.from(what), bytes.subarray(where)])
  const afterFirstLine = bytes.indexOf('\r\n') + 2
  switch (below(chance, 9)) {
    case 0:
      return Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ (1 << below(chance, 8)) : byte)))
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    case 2:
      return insert(bytes.subarray(at, at + length))
    case 3:
      return insert(noise(chance, length))
    case 4:
      return insert(`${oneOf(chance, ...strangeLines)}\r\n`, afterFirstLine)
    case 5:
      return insert('X: y\r\n'.repeat(below(chance, 3_000)), afterFirstLine)
    case 6:
      return insert(`X: ${'y'.repeat(below(chance, 40_000))}\r\n`, afterFirstLine)
    case 7:
      return Buffer.from(bytes.toString('latin1').replaceAll('\r\n', oneOf(chance, '\n', '\r', '\r\r\n')), 'latin1')
    default:
      return bytes.subarray(0, at)
  }
}

// --- frames ----------------------------------------------------------------------------------------------------------------------

function madFrames(chance: Dice, token: string): Buffer {
  const frames = Array.from({ length: 1 + below(chance, 12) }, () => madFrame(chance))
  const handshake = upgradeRequest(`/ws/city/presence?token=${token}`)
  const whole = Buffer.concat([Buffer.from(handshake, 'latin1'), ...frames])
  return below(chance, 4) === 0 ? whole.subarray(0, handshake.length + below(chance, whole.length)) : whole
}

function madFrame(chance: Dice): Buffer {
  // Mostly sound, so that many frames of one connection are read before one ends it.
  const rarely = below(chance, 8) === 0
  const payload = below(chance, 3) === 0 ? 'ping' : noise(chance, below(chance, rarely ? 2_000 : 126))
  if (!rarely)
    return clientFrame({ opcode: oneOf(chance, 1, 9, 10, 10, 9), payload: payload === 'ping' ? payload : '' })
  return clientFrame({
    opcode: below(chance, 16),
    payload,
    fin: below(chance, 2) === 0,
    reserved: below(chance, 8),
    ...(below(chance, 4) === 0 && { mask: undefined }),
    ...(below(chance, 4) === 0 && { lengthBytes: 9 as const, claimedLength: BigInt(below(chance, 2 ** 32)) << 31n }),
  })
}

// --- playing ---------------------------------------------------------------------------------------------------------------------

/** Everything the server said, as latin1, once the connection is over. */
export async function playStep(port: number, { pieces, ending }: FuzzStep): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false }).setNoDelay(true)
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (data) => (text += data.toString('latin1')))
  for (const piece of pieces) {
    if (!socket.writable) break
    socket.write(piece)
    if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve))
  }
  // A half close: whatever is unfinished is unfinished for good.
  if (ending !== 'reset') socket.end()
  if (ending === 'answer, then reset') await soon('an answer', () => text !== '' || socket.closed)
  if (ending !== 'end') socket.resetAndDestroy()
  await soon('a mad connection to be over', () => socket.closed)
  return text
}

const soon = (what: string, condition: () => boolean): Promise<unknown> =>
  until(condition, { deadlineMs: 20_000, what, everyMs: 5 })

export type FuzzReport = {
  readonly steps: number
  /** How often each status was answered; `none` where nothing was. */
  readonly statuses: Readonly<Record<string, number>>
  /** What must not have been, as words with the seed. */
  readonly wrong: readonly string[]
}

/** Plays the steps of seeds `from` to `from + steps`, some at once; nobody without a good token may be let in or told anything. */
export async function fuzz(
  port: number,
  tokens: FuzzTokens,
  { from, steps, atOnce = 16 }: FuzzRange,
): Promise<FuzzReport> {
  const statuses: Record<string, number> = {}
  const wrong: string[] = []
  let next = from
  const row = async (): Promise<void> => {
    while (next < from + steps && wrong.length < wrongMax) {
      const seed = next++
      const step = stepOf(seed, tokens)
      const answer = await playStep(port, step).catch((error: unknown) => `broken: ${String(error)}`)
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? (answer === '' ? 'none' : 'other')
      statuses[status] = (statuses[status] ?? 0) + 1
      const complaint = complaintAbout(step, status, answer)
      if (complaint !== undefined) wrong.push(`seed ${seed}: ${complaint}: ${answer.slice(0, 120)}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, row))
  return { steps: next - from, statuses, wrong }
}

export type FuzzRange = { readonly from: number; readonly steps: number; readonly atOnce?: number }

const wrongMax = 5
const usual = /^(?:400|401|403|404|405|408|411|413|414|417|426|431|501|505|none)$/

function complaintAbout({ kind }: FuzzStep, status: string, answer: string): string | undefined {
  if (answer.startsWith('broken')) return 'it did not end'
  if (kind === 'frames') return undefined
  if (/room_slug|snapshot/.test(answer)) return 'data for a stranger'
  return usual.test(status) ? undefined : 'a strange answer'
}
