import { CityError, type ErrorCode } from '@citypresence/chassis/errors'
import { expect, it } from 'vitest'
import type { SourceVerdict, StaleReason } from './core/source-health.ts'
import { watchSource } from './source-watch.ts'

const live: SourceVerdict = { source: 'live', sourceAgeMs: 0 }
const stale = (reason: StaleReason): SourceVerdict => ({ source: 'stale', sourceAgeMs: 90_000, reason })
const errorOf = (code: ErrorCode) => new CityError(code, code)

function watched() {
  const known = {
    synced: true,
    sync: undefined as CityError | undefined,
    probe: undefined as CityError | undefined,
  }
  const lines: string[] = []
  const counted: string[] = []
  const write = (_key: string, { err }: { err?: CityError }, message: string) =>
    void lines.push(err === undefined ? message : err.code)
  const watch = watchSource({
    log: { info: write, warn: write, error: write, flush: () => undefined },
    countError: ({ code }) => counted.push(code),
    isSynced: () => known.synced,
    lastSyncError: () => known.sync,
    lastProbeError: () => known.probe,
  })
  return { known, lines, counted, watch }
}

it('[M56] why the source is stale is told once in log and metric, again when it is another reason, and to readiness all the time', () => {
  const { known, lines, counted, watch } = watched()
  watch.judged(live)
  expect(watch.trouble()).toBeUndefined()
  for (let tick = 0; tick < 3; tick++) watch.judged(stale('no-sync'))
  expect(watch.trouble()?.code).toBe('MatrixUnreachable')
  known.sync = errorOf('MatrixTokenRefused')
  for (let tick = 0; tick < 3; tick++) watch.judged(stale('no-sync'))
  expect(watch.trouble()?.code).toBe('MatrixTokenRefused')
  for (let tick = 0; tick < 3; tick++) watch.judged(stale('presence-off'))
  expect(watch.trouble()?.code).toBe('MatrixPresenceOff')
  watch.judged(live)
  watch.judged(live)
  expect(watch.trouble()).toBeUndefined()
  watch.judged(undefined)
  expect(watch.trouble()).toBeUndefined()
  expect(counted).toEqual(['MatrixUnreachable', 'MatrixTokenRefused', 'MatrixPresenceOff'])
  expect(lines).toEqual([...counted, 'the source is believed again'])
})

it('[M56] presence that nobody proves is the error of the probe, or presence that is off', () => {
  const { known, watch } = watched()
  watch.judged(stale('presence-unproven'))
  expect(watch.trouble()?.code).toBe('MatrixPresenceOff')
  known.probe = errorOf('MatrixRateLimited')
  watch.judged(stale('presence-unproven'))
  expect(watch.trouble()?.code).toBe('MatrixRateLimited')
})

it('[M56] before the first sync only what failed is told', () => {
  const { known, lines, watch } = watched()
  known.synced = false
  watch.judged(stale('no-sync'))
  expect([watch.trouble(), lines]).toEqual([undefined, []])
  known.sync = errorOf('MatrixUnreachable')
  watch.judged(stale('no-sync'))
  expect(watch.trouble()?.code).toBe('MatrixUnreachable')
})
