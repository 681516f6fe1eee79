// The loop around the election, on a clock that the test turns: its timer, its watch, its failures and its leave.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { periods } from './testing/election-world.ts'
import { createFakeClock, type FakeClock } from './testing/fake-clock.ts'
import { leaseWith, readLease, type LeaseRecord } from './core/lease-record.ts'
import { LeaseBusy, type Lease } from './edge/kube-lease.ts'
import { CityError } from './errors.ts'
import { createLogger, createSampledLog, type SampledLog } from './log.ts'
import { runLeaseElection, type LeaseElection } from './lease-election.ts'

const lines: string[] = []
const logger = createLogger({ service: 'test', level: 'info', destination: { write: (line) => lines.push(line) } })
let log: SampledLog
let clock: FakeClock
let api: ReturnType<typeof createApi>
beforeEach(() => {
  clock = createFakeClock()
  log = createSampledLog(logger, { clock })
  lines.length = 0
  api = createApi(clock)
})

function recordOf(json: unknown): LeaseRecord {
  const read = readLease(json)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

/** One Lease in memory, with a switch. */
function createApi(time: FakeClock) {
  let version = 1
  const cuts: (() => void)[] = []
  const watchers = new Set<(record: LeaseRecord | undefined) => void>()
  const store = (body: Record<string, unknown>): LeaseRecord => {
    const stored = recordOf({ ...body, metadata: { name: 'city', resourceVersion: String(++version) } })
    state.lease = stored
    for (const tell of watchers) tell(stored)
    return stored
  }
  const state = {
    lease: undefined as LeaseRecord | undefined,
    isAway: false,
    /** Away, and asks for so much silence each time. */
    quietMs: 0,
    asked: 0,
    watchesOpened: 0,
    closed: 0,
    store,
    cutWatches() {
      for (const cut of cuts.splice(0)) cut()
    },
    open: (): Lease => ({
      read() {
        state.asked++
        return Promise.resolve(state.isAway ? away(state.quietMs) : { kind: 'read', record: state.lease })
      },
      write(record, change) {
        state.asked++
        if (state.isAway) return Promise.resolve(away(state.quietMs))
        if (record.version !== state.lease?.version) return Promise.resolve({ kind: 'refused' })
        return Promise.resolve({ kind: 'written', record: store(leaseWith(record, change, time.wallMs())) })
      },
      watch(told, signal) {
        state.watchesOpened++
        if (state.isAway) return Promise.reject(away(state.quietMs).error)
        watchers.add(told)
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => resolve(undefined), { once: true })
          cuts.push(() => {
            watchers.delete(told)
            reject(new CityError('LeaseUnreachable', 'cut'))
          })
        })
      },
      close() {
        state.closed++
        return Promise.resolve()
      },
    }),
  }
  store({ spec: {} })
  return state
}
const away = (quietMs: number) => ({ kind: 'failed', error: new LeaseBusy('away', quietMs) }) as const

type Run = {
  readonly election: LeaseElection
  readonly terms: number[]
  readonly lost: string[]
  readonly errors: string[]
}
function run(me: string, fenced = true): Run {
  const [terms, lost, errors]: [number[], string[], string[]] = [[], [], []]
  const election = runLeaseElection({
    lease: api.open(),
    settings: { ...periods, me, fenced, jitter01: 0.5 },
    onLeads: (term) => terms.push(term),
    onLost: (why) => lost.push(why),
    onError: ({ code }) => errors.push(code),
    log,
    random: () => 0.5,
    clock,
  })
  return { election, terms, lost, errors }
}

describe('an election that runs', () => {
  it('[E5] one leads and renews for as long as it runs, the other waits', async () => {
    const [a, b] = [run('a'), run('b')]
    await clock.advance(60_000)
    expect([a.terms, b.terms]).toEqual([[1], []])
    expect([a.election.leads(), b.election.leads()]).toEqual([true, false])
    expect(a.election.confirmedTerm()).toBe(1)
    expect(api.lease?.holder).toBe('a')
  })

  it('[E9] who leaves lets go, and the other leads without waiting', async () => {
    const [a, b] = [run('a'), run('b')]
    await clock.advance(3_000)
    const left = a.election.leave()
    await clock.advance(0)
    await left
    expect(b.terms).toEqual([2])
    expect(a.election.leads()).toBe(false)
    await clock.advance(60_000)
    expect([a.terms, api.closed]).toEqual([[1], 1])
  })

  it('[E9] who leaves at once after it was elected still says how it left', async () => {
    const a = run('a')
    while (a.terms.length === 0) await clock.advance(10)
    const left = a.election.leave()
    await clock.advance(10)
    await left
    const said = lines.map((line) => JSON.parse(line) as { msg: string; released?: boolean })
    expect(said.map(({ msg, released }) => [msg, released])).toEqual([
      ['holds the Lease', undefined],
      ['has left the election', true],
    ])
  })

  it('[E9] who left asks nothing and watches nothing any more', async () => {
    const a = run('a')
    await clock.advance(3_000)
    const left = a.election.leave()
    await clock.advance(10)
    await left
    const before = [api.asked, api.watchesOpened]
    api.cutWatches()
    await clock.advance(60_000)
    expect([api.asked, api.watchesOpened]).toEqual(before)
  })

  it('[E9] the process lives until the Lease is let go, and no longer for its sake', async () => {
    const after = vi.spyOn(clock, 'after')
    const keptAlive = (): unknown => after.mock.calls.at(-1)?.[2]?.keepAlive
    const a = run('a')
    await clock.advance(3_000)
    expect(keptAlive()).toBe(false)
    api.isAway = true
    void a.election.leave()
    await clock.advance(500)
    expect(keptAlive()).toBe(true)
  })

  it('[E9] who leaves while the API is away is through at the renew deadline', async () => {
    const a = run('a')
    await clock.advance(3_000)
    api.isAway = true
    let isThrough = false
    void a.election.leave().then(() => (isThrough = true))
    await clock.advance(periods.renewDeadlineMs - 1)
    expect(isThrough).toBe(false)
    await clock.advance(1)
    expect(isThrough).toBe(true)
  })

  it('[E6] with the API away it goes on with a fence and stops without; each failure has its word', async () => {
    const fenced = run('a')
    await clock.advance(3_000)
    api.isAway = true
    await clock.advance(60_000)
    expect([fenced.election.leads(), fenced.election.confirmedTerm(), fenced.lost]).toEqual([true, undefined, []])
    expect(new Set(fenced.errors)).toEqual(new Set(['LeaseUnreachable']))
    api.isAway = false
    await clock.advance(3_000)
    expect(fenced.election.confirmedTerm()).toBe(1)
  })

  it('[E4] an API that asks for silence is left alone for so long, by reads and by the watch', async () => {
    api.isAway = true
    api.quietMs = 10_000
    run('a')
    await clock.advance(60_000)
    // At the beginning, and then once in ten seconds.
    expect([api.asked, api.watchesOpened]).toEqual([7, 7])
    api.isAway = false
    await clock.advance(15_000)
    expect(api.lease?.holder).toBe('a')
  })

  it('[E4] for half a minute at most, by reads and by the watch', async () => {
    api.isAway = true
    api.quietMs = 3_600_000
    run('a')
    await clock.advance(65_000)
    expect([api.asked, api.watchesOpened]).toEqual([3, 3])
  })

  it('[E16] an outage of the API, however long, changes no leader', async () => {
    const [a, b] = [run('a'), run('b')]
    await clock.advance(10_000)
    for (const outageMs of [700, 3_000, 5_900, 6_500, 60_000]) {
      api.isAway = true
      api.cutWatches()
      await clock.advance(outageMs)
      api.isAway = false
      await clock.advance(20_000)
      expect([a.terms, b.terms, a.lost]).toEqual([[1], [], []])
    }
  })

  it('[E5] without a fence it is told that it lost at the deadline', async () => {
    const strict = run('a', false)
    await clock.advance(3_000)
    api.isAway = true
    await clock.advance(periods.renewDeadlineMs)
    expect(strict.election.leads()).toBe(false)
    expect(strict.lost).toHaveLength(1)
  })

  it('[E7] a Lease that is not there is told as missing, and taken when it comes', async () => {
    api.lease = undefined
    const a = run('a')
    await clock.advance(5_000)
    expect(new Set(a.errors)).toEqual(new Set(['LeaseMissing']))
    api.store({ spec: {} })
    await clock.advance(2 * periods.retryMs)
    expect(a.terms).toEqual([1])
  })

  it('[E8] a raised term is told when the Lease has it', async () => {
    const a = run('a')
    await clock.advance(3_000)
    a.election.raise(9)
    expect(a.election.confirmedTerm()).toBe(1)
    await clock.advance(10)
    expect([a.election.confirmedTerm(), a.terms, api.lease?.transitions]).toEqual([9, [1, 9], 9])
  })

  it('[E12] a watch that fails is opened again, later and later, at most every five seconds', async () => {
    api.isAway = true
    run('a')
    await clock.advance(60_000)
    expect(api.watchesOpened).toBeGreaterThan(15)
    expect(api.watchesOpened).toBeLessThan(40)
    api.isAway = false
    await clock.advance(5_000)
    const opened = api.watchesOpened
    await clock.advance(60_000)
    expect(api.watchesOpened).toBe(opened)
    // What it went through is forgotten: one that breaks now is opened again soon.
    api.cutWatches()
    await clock.advance(100)
    expect(api.watchesOpened).toBe(opened + 1)
  })
})
