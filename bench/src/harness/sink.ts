// Many browsers that cost little: the C program of load/sink.c, or where there is no compiler the same in plain Node, which says so,
// because it is then itself what bounds the figures.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compiled } from './compiled.ts'
import { startChild } from './lines.ts'
import { loadCore } from './machine.ts'

export type Ages = { readonly n: number; readonly p50: number; readonly p99: number; readonly max: number }

export type Snap = {
  readonly atMs: number
  readonly cpuMs: number
  readonly open: number
  readonly closed: number
  readonly failed: number
  readonly bytes: number
  readonly frames: number
  readonly messages: number
  readonly reads: number
  readonly pings: number
  readonly sampledBytes: number
  readonly sampledMessages: number
  readonly regressions: number
  readonly closeFrames: number
  readonly ages: Ages
}

export type Connected = {
  readonly open: number
  readonly failed: number
  readonly tookMs: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export type Sink = {
  readonly pid: number
  readonly isPlain: boolean
  connect(count: number, underWay?: number): Promise<Connected>
  mark(): Promise<unknown>
  snap(): Promise<Snap>
  /** Every `every`th client from `rest` on stops reading, or reads 1 KB a second. */
  hold(how: 'stop' | 'slow', every: number, rest: number): Promise<{ readonly held: number }>
  resume(): Promise<{ readonly resumed: number }>
  recover(): Promise<{
    readonly recovered: number
    readonly missing: number
    readonly meanMs: number
    readonly maxMs: number
  }>
  closeAll(): Promise<unknown>
  stop(): Promise<void>
}

export type SinkOptions = {
  readonly port: number
  readonly path: string
  readonly headers?: readonly string[]
  /** WebSocket frames as they leave, sent after the first message or at once. */
  readonly hello?: Buffer | undefined
  readonly isHelloAtOnce?: boolean
  readonly sampleEvery?: number
  readonly core?: number
  /** Without the C program, also where there is a compiler. */
  readonly isPlain?: boolean
}

// A browser's handshakes are under way for a moment each; so many at once are a city that comes back.
const underWayUsual = 500

const requestOf = ({ path, headers = [] }: SinkOptions): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: bench',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '',
    '',
  ].join('\r\n')

export function startSink(options: SinkOptions): Sink {
  const folder = mkdtempSync(join(tmpdir(), 'bench-sink-'))
  const [request, hello] = [join(folder, 'request'), join(folder, 'hello')]
  writeFileSync(request, requestOf(options))
  writeFileSync(hello, options.hello ?? Buffer.alloc(0))
  const program = options.isPlain === true ? undefined : compiled('sink')
  const args = [
    String(options.port),
    request,
    options.isHelloAtOnce === true ? `+${hello}` : hello,
    String(options.sampleEvery ?? 50),
  ]
  const [command, all] =
    program === undefined
      ? [process.execPath, [join(import.meta.dirname, '../load/plain-sink.ts'), ...args]]
      : [program, args]
  const child = startChild(command, all, { core: options.core ?? loadCore })
  return {
    pid: child.pid,
    isPlain: program === undefined,
    connect: (count, underWay = underWayUsual) => child.ask(`connect ${count} ${underWay}`),
    mark: () => child.ask('mark'),
    snap: () => child.ask('snap'),
    hold: (how, every, rest) => child.ask(`${how} ${every} ${rest}`),
    resume: () => child.ask('resume'),
    recover: () => child.ask('recover'),
    closeAll: () => child.ask('close'),
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A text frame as a browser sends it, masked with zeros. */
export function maskedFrame(text: string, firstByte = 0x81): Buffer {
  const payload = Buffer.from(text)
  if (payload.length > 125) throw new RangeError('a longer hello was never needed')
  return Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}
