import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CityError } from './errors.ts'
import { createLogger, createSampledLog, describeError } from './log.ts'
import { spanFields } from './edge/active-span.ts'
import { parseTraceparent } from './core/trace-context.ts'
import { startTelemetry } from './telemetry.ts'
import { createFakeClock } from './testing/fake-clock.ts'

type Line = Record<string, unknown>

function capture(level: 'info' | 'debug' = 'info') {
  const raw: string[] = []
  const log = createLogger({
    service: 'gateway',
    level,
    pod: 'gateway-1',
    destination: { write: (line) => raw.push(line) },
  })
  return { log, raw, lines: () => raw.map((line) => JSON.parse(line) as Line) }
}

describe('lines', () => {
  it('[C6] each line has level, time, service and pod, and trace_id where one is passed', () => {
    const { log, lines } = capture()
    log.info({ trace_id: 'abc', room: 'general' }, 'published')
    log.debug('not written')
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        service: 'gateway',
        pod: 'gateway-1',
        trace_id: 'abc',
        room: 'general',
        msg: 'published',
      }),
    ])
    expect(Date.parse(String(lines()[0]?.['time']))).not.toBeNaN()
  })

  it('[C6] the word of an error stands beside it, and one that is passed is kept', () => {
    const { log, lines } = capture()
    log.warn({ err: new CityError('HttpTimeout', 'x') }, 'slow')
    log.warn({ err: new TypeError('x') }, 'odd')
    log.warn({ err: new CityError('HttpTimeout', 'x'), code: 'MatrixUnreachable' }, 'slow')
    log.warn({ room: 'general' }, 'nothing')
    expect(lines().map(({ code }) => code)).toEqual(['HttpTimeout', 'Unexpected', 'MatrixUnreachable', undefined])
  })

  it('[C6] a line inside a sampled span carries its ids, also after an await; one outside, or in a span that is not sampled, none', async () => {
    const { log, lines } = capture()
    const all = await startTelemetry({ service: 'x', sampleRatio: 1 })
    const none = await startTelemetry({ service: 'x', sampleRatio: 0 })
    const span = all.startSpan('a')
    const inner = all.startSpan('b', { parent: span.traceparent })
    await span.run(async () => {
      log.info('at once')
      inner.run(() => log.info('inner'))
      await Promise.resolve()
      log.info({ room: 'general' }, 'later')
      log.info(spanFields(inner.traceparent), 'about another')
    })
    none.startSpan('c').run(() => log.info('not sampled'))
    log.info(spanFields(undefined), 'outside')
    const [own, other] = [span, inner].map(({ traceparent }) => parseTraceparent(traceparent))
    const idsOf = ({ trace_id: traceId, span_id: spanId }: Line) => [traceId, spanId]
    const [outer, within] = [own, other].map((one) => [one?.traceId, one?.spanId])
    const nothing = [undefined, undefined]
    expect(lines().map(idsOf)).toEqual([outer, within, outer, within, nothing, nothing])
    expect(within).not.toEqual(outer)
  })

  it('[C6] text from outside stays inside its field: one call is one line', () => {
    const { log, raw } = capture()
    log.info({ slug: '\n{"level":50}\u001b[31m' }, 'odd\nroom')
    expect(raw).toHaveLength(1)
    expect(raw[0]?.trimEnd().includes('\n')).toBe(false)
    expect(raw[0]).not.toContain('\u001b')
  })

  it('[C6] a token reaches no line by any road', () => {
    const { log, raw } = capture()
    const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`
    const opaque = 'opaque-0123456789'
    log.info(
      { url: `/ws?token=${opaque}`, token: opaque, headers: { authorization: `Bearer ${opaque}` } },
      `got ${token}`,
    )
    log.error({ err: new Error(`connect to https://me:${opaque}@host?access_token=${opaque} with ${token}`) }, 'failed')
    log.warn(new CityError('HttpRefused', `Bearer ${opaque}`, { cause: new Error(token) }))
    expect(raw).toHaveLength(3)
    expect(raw.join('')).not.toContain(opaque)
    expect(raw.join('')).not.toContain('eyJ')
  })
})

describe('standard output', () => {
  it('[C6] a line that it does not take is LogLost, with the reason, and the service goes on', () => {
    const code = `
      import { createLogger } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)}
      const tell = ({ code, cause }) => process.stderr.write(code + ' ' + cause.code + '; ')
      createLogger({ service: 'x', level: 'info', onLost: tell }).info('on a disk that is full')
      createLogger({ service: 'x', level: 'info' }).info('and nobody is told')
      process.stderr.write('it lives')`
    const full = openSync('/dev/full', 'w')
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    })
    closeSync(full)
    expect([stderr, status]).toEqual(['LogLost ENOSPC; it lives', 0])
  })
})

describe('errors', () => {
  it('[C6] an error is its word and its message, with causes; a stack only when nobody foresaw it', () => {
    const foreign = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    expect(describeError(new CityError('NatsUnreachable', 'nats:4222', { cause: foreign }))).toEqual({
      code: 'NatsUnreachable',
      message: 'nats:4222',
      cause: { message: 'Error: connect (ECONNREFUSED)' },
    })
    expect(describeError(new TypeError('x'))).toMatchObject({
      code: 'Unexpected',
      message: 'TypeError: x',
      stack: expect.any(String) as string,
    })
  })

  it('[C6] whatever was thrown is described: loops of causes, texts, objects without prototype', () => {
    const loop = new Error('loop')
    loop.cause = loop
    expect(JSON.stringify(describeError(loop)).split('Error: loop').length).toBeLessThan(20)
    for (const thrown of [undefined, null, 'text', 7, Object.create(null), Symbol('s'), { a: { b: {} } }])
      expect(describeError(thrown)).toMatchObject({ code: 'Unexpected', message: expect.any(String) as string })
  })
})

describe('sampling', () => {
  it('[C7] a flood of one kind is one line a second with the count of the others', async () => {
    const { log, lines } = capture()
    const clock = createFakeClock()
    const sampled = createSampledLog(log, { clock })
    for (let second = 0; second < 3; second++) {
      for (let call = 0; call < 100; call++) sampled.warn('bad frame', { call }, 'frame dropped')
      await clock.advance(1000)
    }
    sampled.flush()
    expect(lines().map(({ msg, suppressed }) => [msg, suppressed])).toEqual([
      ['frame dropped', undefined],
      ['frame dropped', 99],
      ['frame dropped', 99],
      ['log lines held back', 99],
    ])
  })

  it('[C7] kinds do not hold each other back', () => {
    const { log, lines } = capture()
    const sampled = createSampledLog(log, { clock: createFakeClock() })
    sampled.info('a', {}, 'a')
    sampled.error('b', {}, 'b')
    expect(lines()).toHaveLength(2)
  })
})
