import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CityError } from './errors.ts'
import { type Parts, type ServiceOptions, runService } from './lifecycle.ts'
import { createLogger } from './log.ts'
import { createFakeClock } from './testing/fake-clock.ts'

function createStage(options: Partial<ServiceOptions> = {}) {
  const clock = createFakeClock()
  const events: string[] = []
  const exits: number[] = []
  const emitter = new EventEmitter()
  const lines: string[] = []
  const log = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } })
  const process = {
    on: (event: string, listener: (argument: unknown) => void) => emitter.on(event, listener),
    exit: (code: number) => exits.push(code),
  }
  const run = (start: (parts: Parts) => Promise<void>) =>
    runService({ log, process, clock, stopDeadlineMs: 1_000, start, ...options })
  const part = (parts: Parts, name: string, { drain = true } = {}) =>
    parts.start(name, () => void events.push(`start ${name}`), {
      ...(drain ? { drain: () => void events.push(`drain ${name}`) } : {}),
      stop: () => void events.push(`stop ${name}`),
    })
  return { clock, events, exits, lines, run, part, signal: (name: string) => emitter.emit(name, name), emitter }
}

const forever = () => new Promise<never>(() => undefined)

describe('order', () => {
  it('[C13] parts start in order; at a signal all drain, then all stop, last first, and the exit code is 0', async () => {
    const stage = createStage()
    const life = stage.run(async (parts) => {
      await stage.part(parts, 'a')
      await stage.part(parts, 'b', { drain: false })
      await stage.part(parts, 'c')
    })
    await stage.clock.advance(0)
    stage.signal('SIGTERM')
    expect(await life).toBe(0)
    expect(stage.exits).toEqual([0])
    expect(stage.events).toEqual(['start a', 'start b', 'start c', 'drain c', 'drain a', 'stop c', 'stop b', 'stop a'])
  })

  it('[C13] for any number of parts and any failures, each started part is stopped once, in reverse', async () => {
    const anyParts = fc.array(fc.constantFrom('good', 'throws', 'rejects', 'hangs'), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(anyParts, async (kinds) => {
        const stage = createStage()
        const stopped: number[] = []
        const stopOf = (kind: string, index: number) => () => {
          stopped.push(index)
          if (kind === 'throws') throw new Error('thrown')
          return kind === 'rejects' ? Promise.reject(new Error('rejected')) : kind === 'hangs' ? forever() : undefined
        }
        const life = stage.run(async (parts) => {
          for (const [index, kind] of kinds.entries())
            await parts.start(kind, () => index, { stop: stopOf(kind, index) })
        })
        await stage.clock.advance(0)
        stage.signal('SIGINT')
        await stage.clock.advance(10_000)
        expect(await life).toBe(0)
        expect(stopped).toEqual([...kinds.keys()].reverse())
        expect(stage.clock.pendingTimers()).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('[C13] not ready while starting; ready; not ready from the first moment of the stop, and the signal aborts after the drains', async () => {
    const stage = createStage({ unreadyMs: 500 })
    const seen: unknown[] = []
    let readiness: (() => { ready: boolean; reasons: readonly string[] }) | undefined
    const life = stage.run(async (parts) => {
      const ready = parts.readiness(() => (seen.length > 5 ? ['NatsUnreachable'] : []))
      readiness = ready
      seen.push(ready().reasons)
      await parts.start('a', () => undefined, {
        drain: () => void seen.push(`drain, aborted: ${parts.signal.aborted}`),
        stop: () => void seen.push(`stop, aborted: ${parts.signal.aborted}`),
      })
    })
    await stage.clock.advance(0)
    seen.push(readiness?.().ready)
    stage.signal('SIGTERM')
    await stage.clock.advance(499)
    seen.push(readiness?.().reasons)
    await stage.clock.advance(1)
    await life
    expect(seen).toEqual([['Starting'], true, ['Stopping'], 'drain, aborted: false', 'stop, aborted: true'])
  })

  it('[C13] the service has its own reasons beside those of its life', async () => {
    const stage = createStage()
    let reasons: string[] = ['NatsUnreachable']
    let readiness: (() => { ready: boolean; reasons: readonly string[] }) | undefined
    void stage.run((parts) => {
      readiness = parts.readiness(() => reasons)
      return Promise.resolve()
    })
    await stage.clock.advance(0)
    expect(readiness?.()).toEqual({ ready: false, reasons: ['NatsUnreachable'] })
    reasons = []
    expect(readiness?.().ready).toBe(true)
  })
})

describe('deadlines', () => {
  it('[C14] a part that hangs is left behind after its deadline with a line and a word; the others still stop', async () => {
    const errors: unknown[] = []
    const stage = createStage({ onError: (error) => errors.push(error) })
    const life = stage.run(async (parts) => {
      await stage.part(parts, 'a')
      await parts.start('stuck', () => undefined, { drain: forever, stop: forever })
    })
    await stage.clock.advance(0)
    stage.signal('SIGTERM')
    await stage.clock.advance(1_999)
    expect(stage.exits).toEqual([])
    await stage.clock.advance(1)
    expect(await life).toBe(0)
    expect(stage.events).toEqual(['start a', 'drain a', 'stop a'])
    expect(errors).toMatchObject([{ code: 'StopTimeout' }, { code: 'StopTimeout' }])
    expect(stage.lines.filter((line) => line.includes('StopTimeout'))).toHaveLength(2)
  })

  it('[C14] a second signal ends the process at once', async () => {
    const stage = createStage()
    const life = stage.run((parts) => parts.start('stuck', () => undefined, { stop: forever }))
    await stage.clock.advance(0)
    stage.signal('SIGTERM')
    await stage.clock.advance(1)
    expect(stage.exits).toEqual([])
    stage.signal('SIGINT')
    expect(stage.exits).toEqual([1])
    expect(await life).toBe(1)
  })
})

describe('failures', () => {
  it.each([
    ['StreamDiffers', 'error'],
    ['Deposed', 'warn'],
  ] as const)('[C15] what ends a service is told whole: %s', async (code, level) => {
    const stage = createStage()
    const life = stage.run((parts) => {
      setImmediate(() => parts.end(new CityError(code, 'max_bytes is 600')))
      return Promise.resolve()
    })
    await stage.clock.advance(0)
    await life
    const told = stage.lines.filter((line) => line.includes('max_bytes is 600'))
    expect(told.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual([level])
  })

  it.each([
    [1, new Error('no')],
    [1, new CityError('PortTaken', 'x')],
    [2, new CityError('BadConfig', 'x')],
    [3, new CityError('Deposed', 'x')],
  ])('[C15] a start that fails exits with %i, after what was started has stopped', async (code, error) => {
    const stage = createStage()
    const life = stage.run(async (parts) => {
      await stage.part(parts, 'a')
      await parts.start('b', () => Promise.reject(error))
    })
    expect(await life).toBe(code)
    expect(stage.events).toEqual(['start a', 'drain a', 'stop a'])
    const told = stage.lines.find((line) => line.includes('start failed'))
    expect(JSON.parse(told ?? '')).toMatchObject({
      level: 'error',
      code: error instanceof CityError ? error.code : 'Unexpected',
    })
    expect(stage.lines.some((line) => line.includes('"msg":"started"'))).toBe(false)
  })

  it('[C15] a part that ends the service by Deposed stops it in order with 3', async () => {
    const stage = createStage()
    let end: (() => void) | undefined
    const life = stage.run(async (parts) => {
      await stage.part(parts, 'a')
      end = () => parts.end(new CityError('Deposed', 'another leads'))
    })
    await stage.clock.advance(0)
    end?.()
    end?.()
    expect(await life).toBe(3)
    expect(stage.exits).toEqual([3])
    expect(stage.events).toEqual(['start a', 'drain a', 'stop a'])
  })

  it.each(['uncaughtException', 'unhandledRejection'])(
    '[C15] %s is logged with its word and exits 1 at once',
    async (event) => {
      const errors: unknown[] = []
      const stage = createStage({ onError: (error) => errors.push(error) })
      const life = stage.run((parts) => parts.start('stuck', () => undefined, { stop: forever }))
      await stage.clock.advance(0)
      stage.emitter.emit(event, new CityError('WireGarbled', 'boom'))
      expect(await life).toBe(1)
      expect(errors).toHaveLength(1)
      expect(stage.lines.some((line) => line.includes('WireGarbled') && line.includes('fatal'))).toBe(true)
    },
  )

  it('[C15] a signal during the start cancels what waits and stops what had started, with 0', async () => {
    const stage = createStage()
    const life = stage.run(async (parts) => {
      await stage.part(parts, 'a')
      await parts.start(
        'waits',
        (signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new CityError('Aborted', 'no longer waiting')))
          }),
      )
      await stage.part(parts, 'never')
    })
    await stage.clock.advance(0)
    stage.signal('SIGTERM')
    expect(await life).toBe(0)
    expect(stage.events).toEqual(['start a', 'drain a', 'stop a'])
  })

  it('[C15] a part that comes up after the stop began is closed too', async () => {
    const stage = createStage()
    const { promise: up, resolve } = Promise.withResolvers<undefined>()
    const life = stage.run(async (parts) => {
      await stage.part(parts, 'a')
      await parts.start('late', () => up, { stop: () => void stage.events.push('stop late') })
      await stage.part(parts, 'never')
    })
    await stage.clock.advance(0)
    stage.signal('SIGTERM')
    await stage.clock.advance(1)
    resolve(undefined)
    expect(await life).toBe(0)
    expect(stage.events).toEqual(['start a', 'stop late', 'drain a', 'stop a'])
  })

  it('[C15] last words are flushed after the last part, within the deadline', async () => {
    const stage = createStage({ flush: forever })
    const life = stage.run((parts) => stage.part(parts, 'a').then(() => undefined))
    await stage.clock.advance(0)
    stage.signal('SIGTERM')
    await stage.clock.advance(1_000)
    expect(await life).toBe(0)
  })
})
