// The readers of load/sink.c in plain Node, for a machine without a C compiler: the same commands, the same answers. It is slower than
// the servers that it reads from, so a figure taken with it is a lower bound, and the benchmark says so.
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const [port = '', requestFile = '', helloName = '', every = '1'] = process.argv.slice(2)
const isHelloAtOnce = helloName.startsWith('+')
const request = readFileSync(requestFile)
const hello = readFileSync(isHelloAtOnce ? helloName.slice(1) : helloName)
const sampleEvery = Number(every)
const [perAddress, slowBytes] = [5_000, 1_024]

type Reader = {
  readonly socket: Socket
  readonly number: number
  readonly startedMs: number
  rest: Buffer
  state: 'upgrading' | 'open' | 'gone'
  reading: 'normal' | 'stop' | 'slow'
  isLive: boolean
  isHeard: boolean
  isGreeted: boolean
  resumedMs: number
  recoveredMs: number
  readonly newest: Map<string, number>
}

const readers: Reader[] = []
const total = {
  bytes: 0,
  frames: 0,
  messages: 0,
  reads: 0,
  pings: 0,
  sampledBytes: 0,
  sampledMessages: 0,
  regressions: 0,
  closeFrames: 0,
}
let [ages, firsts]: [number[], number[]] = [[], []]
let [open, closed, failed, wanted, underWay, atOnce, startedMs] = [0, 0, 0, 0, 0, 0, 0]

const answer = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
const rankOf = (values: readonly number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0

function openOne(): void {
  const number = readers.length
  const localAddress = `127.0.1.${2 + Math.floor(number / perAddress)}`
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress, noDelay: true })
  const reader: Reader = {
    socket,
    number,
    startedMs: performance.now(),
    rest: Buffer.alloc(0),
    state: 'upgrading',
    reading: 'normal',
    isLive: false,
    isHeard: false,
    isGreeted: false,
    resumedMs: 0,
    recoveredMs: 0,
    newest: new Map(),
  }
  readers.push(reader)
  underWay++
  socket.on('connect', () => socket.write(request))
  socket.on('data', (data) => take(reader, data))
  socket.on('error', () => undefined)
  socket.on('close', () => gone(reader))
}

function gone(reader: Reader): void {
  if (reader.state === 'gone') return
  if (!reader.isHeard) {
    underWay--
    failed++
  }
  if (reader.state === 'open') {
    open--
    closed++
  }
  reader.state = 'gone'
  connectSome()
}

function take(reader: Reader, data: Buffer): void {
  total.reads++
  total.bytes += data.length
  if (reader.reading === 'slow') reader.socket.pause()
  let bytes = reader.rest.length === 0 ? data : Buffer.concat([reader.rest, data])
  if (reader.state === 'upgrading') {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0 || !bytes.toString('latin1', 0, 12).startsWith('HTTP/1.1 101')) {
      reader.socket.destroy()
      return
    }
    reader.state = 'open'
    open++
    bytes = bytes.subarray(end + 4)
    if (isHelloAtOnce) greet(reader)
  } else if (reader.number % sampleEvery === 0 || reader.resumedMs > 0) look(reader, data)
  reader.rest = frames(reader, bytes)
}

function greet(reader: Reader): void {
  if (reader.isGreeted || hello.length === 0) return
  reader.isGreeted = true
  reader.socket.write(hello)
}

/** Takes whole frames off the front; what is left is the beginning of one. */
function frames(reader: Reader, bytes: Buffer): Buffer {
  let at = 0
  for (;;) {
    const second = bytes.at(at + 1)
    if (second === undefined) break
    const head = second === 127 ? 10 : second === 126 ? 4 : 2
    if (bytes.length < at + head) break
    const length = head === 2 ? second : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (bytes.length < at + head + length) break
    frame(reader, (bytes[at] ?? 0) & 15, bytes.subarray(at + head, at + head + length))
    at += head + length
  }
  return Buffer.from(bytes.subarray(at))
}

function frame(reader: Reader, opcode: number, payload: Buffer): void {
  total.frames++
  if (opcode === 9) {
    total.pings++
    reader.socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]))
  } else if (opcode === 8) total.closeFrames++
  else {
    total.messages++
    if (!reader.isHeard) {
      reader.isHeard = true
      underWay--
      firsts.push(performance.now() - reader.startedMs)
      connectSome()
    }
    greet(reader)
  }
}

function look(reader: Reader, data: Buffer): void {
  total.sampledBytes += data.length
  const wall = Math.floor((performance.timeOrigin + performance.now()) * 10) % 1_000_000_000
  for (const [, room = '', stamp = ''] of data
    .toString('latin1')
    .matchAll(/"room_slug":"room(\d+)".{0,200}?"online_count":(\d+)/g)) {
    total.sampledMessages++
    if (!reader.isLive && reader.resumedMs === 0) continue
    const then = Number(stamp)
    const ageMs = Math.max(0, wall - then) / 10
    if (then < (reader.newest.get(room) ?? 0)) total.regressions++
    reader.newest.set(room, then)
    if (reader.resumedMs === 0) ages.push(ageMs)
    else if (reader.recoveredMs === 0 && performance.now() - ageMs >= reader.resumedMs)
      reader.recoveredMs = performance.now() - reader.resumedMs
  }
}

function connectSome(): void {
  const isUnderWay = wanted > 0 || underWay > 0
  while (wanted > 0 && underWay < atOnce) {
    wanted--
    openOne()
  }
  if (startedMs === 0 || isUnderWay) return
  const [p50, p99, max] = [rankOf(firsts, 0.5), rankOf(firsts, 0.99), rankOf(firsts, 1)]
  answer({ open, failed, tookMs: performance.now() - startedMs, p50, p99, max })
  firsts = []
  startedMs = 0
}

function hold(how: Reader['reading'], many: number, rest: number): void {
  const held = readers.filter(({ state, number }) => state === 'open' && number % many === rest)
  for (const reader of held) {
    reader.reading = how
    reader.isLive = false
    reader.socket.pause()
  }
  answer({ held: held.length })
}

function resume(): void {
  const resumed = readers.filter(({ state, reading }) => state === 'open' && reading !== 'normal')
  for (const reader of resumed) {
    reader.reading = 'normal'
    reader.resumedMs = performance.now()
    reader.recoveredMs = 0
    reader.socket.resume()
  }
  answer({ resumed: resumed.length })
}

function recover(): void {
  const resumed = readers.filter(({ state, resumedMs }) => state === 'open' && resumedMs > 0)
  const took = resumed.map(({ recoveredMs }) => recoveredMs).filter((ms) => ms > 0)
  const sum = took.reduce((all, one) => all + one, 0)
  answer({
    recovered: took.length,
    missing: resumed.length - took.length,
    meanMs: sum / Math.max(1, took.length),
    maxMs: rankOf(took, 1),
  })
}

const commands: Readonly<Record<string, (a: number, b: number) => void>> = {
  connect(count, window) {
    ;[wanted, atOnce, failed, startedMs] = [count, window, 0, performance.now()]
    connectSome()
  },
  mark() {
    for (const reader of readers) reader.isLive = reader.state === 'open' && reader.reading === 'normal'
    ages = []
    answer({ marked: open })
  },
  snap() {
    const { user, system } = process.cpuUsage()
    const seen = { n: ages.length, p50: rankOf(ages, 0.5), p99: rankOf(ages, 0.99), max: rankOf(ages, 1) }
    answer({ atMs: performance.now(), cpuMs: (user + system) / 1_000, open, closed, failed, ...total, ages: seen })
    ages = []
  },
  stop: (many, rest) => hold('stop', many, rest),
  slow: (many, rest) => hold('slow', many, rest),
  resume,
  recover,
  close() {
    for (const { socket } of readers) socket.resetAndDestroy()
    readers.length = 0
    ;[open, underWay, wanted] = [0, 0, 0]
    answer({ closed: true })
  },
}

setInterval(() => {
  for (const { reading, socket } of readers) if (reading === 'slow') socket.read(slowBytes)
}, 1_000).unref()

for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', a = '0', b = '0'] = line.split(' ')
  const command = commands[name]
  if (command === undefined) answer({ unknown: true })
  else command(Number(a), Number(b))
}
process.exit(0)
