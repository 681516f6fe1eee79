// The leader's machine, step by step, and against a stream whose store may be rolled back at any moment, with two of them at once.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareEpochs, type Epoch, type EpochRecord } from '@citypresence/wire/epoch'
import {
  firstLeader,
  isRecordOf,
  step,
  type Candidate,
  type Leader,
  type LeaderEffect,
  type LeaderEvent,
} from './leader.ts'
import { firstTermOf, transitionsFor } from './lease-terms.ts'

const me: Candidate = { holder: 'a', city: 'town', terms: 'record' }
const leased: Candidate = { ...me, terms: 'lease' }
const record = (term: number, holder = 'b', city = 'town'): EpochRecord => ({ term, holder, city })

function play(
  events: readonly LeaderEvent[],
  who: Candidate = me,
): { leader: Leader; effects: readonly LeaderEffect[] } {
  let last: { leader: Leader; effects: readonly LeaderEffect[] } = { leader: firstLeader, effects: [] }
  for (const event of events) last = step(last.leader, event, who)
  return last
}

const elected: LeaderEvent = { kind: 'elected', term: 0 }
const read = (found: EpochRecord | undefined, sequence = 10): LeaderEvent => ({
  kind: 'record',
  record: found,
  sequence,
})
/** Leads with term 5 under epoch 11. */
const leading: readonly LeaderEvent[] = [elected, read(record(4)), { kind: 'claim-acked', sequence: 11 }]
const doubt: LeaderEvent = { kind: 'write-doubtful' }

describe('a leader', () => {
  it('[L1] claims one above the recorded term, against the sequence it read; the first claim expects nothing', () => {
    expect(play([elected, read(record(4), 10)]).effects).toEqual([
      { kind: 'claim', record: record(5, 'a'), expectedSequence: 10 },
    ])
    expect(play([elected, read(undefined, 0)]).effects).toEqual([
      { kind: 'claim', record: record(1, 'a'), expectedSequence: 0 },
    ])
    expect(play(leading)).toEqual({
      leader: { kind: 'leading', epoch: { term: 5, epoch: 11 } },
      effects: [{ kind: 'take-over', epoch: { term: 5, epoch: 11 } }],
    })
  })

  it('[L14] a claim lies above the floor, whatever is recorded', () => {
    const seen = (floor: number, found: EpochRecord | undefined): LeaderEvent => ({
      kind: 'record',
      record: found,
      sequence: 10,
      termFloor: floor,
    })
    const termOf = (event: LeaderEvent): unknown =>
      play([elected, event]).effects.flatMap((effect) => (effect.kind === 'claim' ? [effect.record.term] : []))
    expect(termOf(seen(100, undefined))).toEqual([101])
    expect(termOf(seen(100, record(4)))).toEqual([101])
    expect(termOf(seen(100, record(200)))).toEqual([201])
  })

  it('[L16] with a Lease takes the first term that it opens, and has it raised where the record is not lower', () => {
    const won: LeaderEvent = { kind: 'elected', term: 7_000 }
    expect(play([won, read(record(6_999))], leased).effects).toEqual([
      { kind: 'claim', record: record(7_000, 'a'), expectedSequence: 10 },
    ])
    for (const recorded of [7_000, 7_004])
      expect(play([won, read(record(recorded))], leased).effects).toEqual([{ kind: 'raise-lease', to: 8_000 }])
    // Not before the Lease has them: who slept through its loss never gets there.
    expect(play([won, read(record(7_000)), won], leased).effects).toEqual([])
    expect(play([won, read(record(7_000)), { kind: 'lost' }], leased).effects).toEqual([{ kind: 'stand-by' }])
    expect(play([won, read(record(7_000)), { kind: 'elected', term: 9_000 }], leased).effects).toEqual([
      { kind: 'claim', record: record(9_000, 'a'), expectedSequence: 10 },
    ])
  })

  it('[L13] claims above its own claim that was never answered, also when the store has forgotten it', () => {
    const lost: LeaderEvent = { kind: 'claim-unknown' }
    const termAfter = (events: readonly LeaderEvent[], who: Candidate): unknown =>
      play([...events, lost, read(record(4), 8)], who).effects.flatMap((effect) =>
        effect.kind === 'claim' ? [effect.record.term] : [],
      )
    expect(termAfter([elected, read(record(4), 10)], me)).toEqual([6])
    expect(termAfter([{ kind: 'elected', term: 7_000 }, read(record(4), 10)], leased)).toEqual([7_001])
    expect(termAfter([...leading, doubt, read(record(4), 9)], me)).toEqual([7])
    // Another who claimed the same term after it may be heard instead.
    expect(play([elected, read(record(4), 10), lost, read(record(5), 12)]).effects).toContainEqual(
      expect.objectContaining({ kind: 'end', code: 'Deposed' }),
    )
  })

  it('[L15] the record is its own only with its name, its term and its sequence', () => {
    const epoch: Epoch = { term: 5, epoch: 11 }
    expect(isRecordOf(epoch, { record: record(5, 'a'), sequence: 11 }, me)).toBe(true)
    for (const other of [
      { record: record(5, 'b'), sequence: 11 },
      { record: record(4, 'a'), sequence: 11 },
      { record: record(5, 'a'), sequence: 12 },
      { record: undefined, sequence: 0 },
    ])
      expect(isRecordOf(epoch, other, me)).toBe(false)
  })

  it('[L3] that meets its own later claim, whose answer was lost, claims above it and is not deposed', () => {
    expect(
      play([...leading, doubt, read(record(5, 'a'), 11), { kind: 'claim-unknown' }, read(record(6, 'a'), 20)]),
    ).toEqual({
      leader: { kind: 'claiming', term: 7, former: { term: 6, epoch: 0 } },
      effects: [{ kind: 'claim', record: record(7, 'a'), expectedSequence: 20 }],
    })
  })

  it('[L16] who led already claims again at once with the next of its own terms, and asks no API', () => {
    const won: LeaderEvent = { kind: 'elected', term: 7_000 }
    const events = [won, read(record(4)), { kind: 'claim-acked', sequence: 11 } as const, doubt, read(undefined, 0)]
    expect(play(events, leased).effects).toEqual([{ kind: 'claim', record: record(7_001, 'a'), expectedSequence: 0 }])
  })

  it('[L16] who used its own terms up waits until the Lease opens more; who loses it meanwhile is deposed', () => {
    const won: LeaderEvent = { kind: 'elected', term: 7_000 }
    const acked: LeaderEvent = { kind: 'claim-acked', sequence: 11 }
    const usedUp: LeaderEvent[] = [won, read(record(4)), acked]
    for (let claimed = 0; claimed < 999; claimed++) usedUp.push(doubt, read(undefined, 0), acked)
    expect(play(usedUp, leased).leader).toEqual({ kind: 'leading', epoch: { term: 7_999, epoch: 11 } })
    const waiting = [...usedUp, doubt, read(undefined, 0)]
    expect(play(waiting, leased).effects).toEqual([{ kind: 'raise-lease', to: 8_000 }])
    expect(play([...waiting, won], leased).effects).toEqual([])
    expect(play([...waiting, { kind: 'elected', term: 8_000 }], leased).effects).toEqual([
      { kind: 'claim', record: record(8_000, 'a'), expectedSequence: 0 },
    ])
    expect(play([...waiting, { kind: 'lost' }], leased).effects).toContainEqual(
      expect.objectContaining({ kind: 'end', code: 'Deposed' }),
    )
  })

  it('[L2] ends where the stream belongs to another city, whoever it is', () => {
    for (const events of [[elected], [...leading, doubt]])
      expect(play([...events, read(record(1, 'a', 'elsewhere'))])).toMatchObject({
        leader: { kind: 'ended' },
        effects: [{ kind: 'stop-writing' }, { kind: 'end', code: 'StreamOwnedByAnother' }],
      })
  })

  it('[L3] in doubt asks who leads before it writes another word', () => {
    expect(play([...leading, doubt]).effects).toEqual([
      { kind: 'stop-writing' },
      { kind: 'read-record', afterFailure: false },
    ])
    expect(play([...leading, doubt, { kind: 'record-unknown' }]).effects).toContainEqual({
      kind: 'read-record',
      afterFailure: true,
    })
  })

  it('[L3] is deposed by a higher voice and by no other: its own, none, or a lower one mean a new epoch above all', () => {
    const after = (found: LeaderEvent) => play([...leading, doubt, found])
    expect(after(read(record(6), 20)).effects).toContainEqual(expect.objectContaining({ kind: 'end', code: 'Deposed' }))
    expect(after(read(record(5), 20)).effects).toContainEqual(expect.objectContaining({ kind: 'end', code: 'Deposed' }))
    for (const found of [read(record(5, 'a'), 11), read(undefined, 0), read(record(4), 10), read(record(5), 9)])
      expect(after(found).effects).toContainEqual(expect.objectContaining({ kind: 'claim', record: record(6, 'a') }))
  })

  it('[L4] a candidate that was too late waits again; one that led looks who was faster', () => {
    const late: LeaderEvent = { kind: 'claim-refused' }
    expect(play([elected, read(record(4)), late])).toEqual({ leader: firstLeader, effects: [{ kind: 'stand-by' }] })
    expect(play([...leading, doubt, read(record(4)), late]).effects).toContainEqual({
      kind: 'read-record',
      afterFailure: true,
    })
    expect(play([elected, read(record(4)), { kind: 'claim-unknown' }]).effects).toContainEqual({
      kind: 'read-record',
      afterFailure: true,
    })
  })

  it('[L4] a lost election ends who wrote under it, and sends back who did not', () => {
    const lost: LeaderEvent = { kind: 'lost' }
    for (const events of [[elected], [elected, read(record(4))]])
      expect(play([...events, lost])).toEqual({ leader: firstLeader, effects: [{ kind: 'stand-by' }] })
    for (const events of [leading, [...leading, doubt], [...leading, doubt, read(record(4))]])
      expect(play([...events, lost]).effects).toContainEqual(expect.objectContaining({ kind: 'end', code: 'Deposed' }))
    expect(play([lost])).toEqual({ leader: firstLeader, effects: [] })
  })

  it('[L5] answers any order of events, and an ended one says nothing more', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('elected' as const), term: fc.nat(9) }),
      fc.record({
        kind: fc.constant('record' as const),
        record: fc.option(
          fc.record({
            term: fc.integer({ min: 1, max: 9 }),
            holder: fc.constantFrom('a', 'b'),
            city: fc.constantFrom('town', 'x'),
          }),
          { nil: undefined },
        ),
        sequence: fc.nat(99),
      }),
      fc.record({ kind: fc.constant('claim-acked' as const), sequence: fc.nat(99) }),
      fc.constantFrom<LeaderEvent>(
        { kind: 'lost' },
        { kind: 'record-unknown' },
        { kind: 'claim-refused' },
        { kind: 'claim-unknown' },
        { kind: 'write-doubtful' },
      ),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40, size: 'max' }), fc.constantFrom(me, leased), (events, who) => {
        let leader = firstLeader
        for (const one of events) {
          const next = step(leader, one, who)
          if (leader.kind === 'ended') expect(next.effects).toEqual([])
          leader = next.leader
        }
      }),
    )
  })
})

// --- two of them on one stream that may forget ------------------------------------------------------------------------------------

type World = {
  sequence: number
  record: { readonly record: EpochRecord; readonly sequence: number } | undefined
  backup: { readonly sequence: number; readonly record: World['record'] }
  readonly leaders: Leader[]
  readonly asked: (LeaderEffect | undefined)[]
  readonly led: Epoch[]
}
type Move =
  | { readonly kind: 'elect' | 'answer' | 'lose-answer' | 'write'; readonly who: 0 | 1 }
  | { readonly kind: 'back-up' | 'roll-back' }

const candidates: readonly Candidate[] = [me, { ...me, holder: 'b' }]

function tell(world: World, who: 0 | 1, event: LeaderEvent): void {
  const next = step(world.leaders[who] ?? firstLeader, event, candidates[who] ?? me)
  world.leaders[who] = next.leader
  for (const effect of next.effects) {
    if (effect.kind === 'read-record' || effect.kind === 'claim') world.asked[who] = effect
    if (effect.kind === 'take-over') world.led.push(effect.epoch)
    // An ended one restarts as a standby of another name would; its former self is gone.
    if (effect.kind === 'end') world.leaders[who] = firstLeader
  }
}

/** The stream's part: what it would answer, with or without the answer arriving. */
function answer(world: World, who: 0 | 1, arrives: boolean): void {
  const question = world.asked[who]
  world.asked[who] = undefined
  if (question?.kind === 'read-record')
    tell(
      world,
      who,
      arrives
        ? { kind: 'record', record: world.record?.record, sequence: world.record?.sequence ?? 0 }
        : { kind: 'record-unknown' },
    )
  if (question?.kind !== 'claim') return
  const isRight = (world.record?.sequence ?? 0) === question.expectedSequence
  if (isRight) world.record = { record: question.record, sequence: ++world.sequence }
  if (!arrives) tell(world, who, { kind: 'claim-unknown' })
  else tell(world, who, isRight ? { kind: 'claim-acked', sequence: world.sequence } : { kind: 'claim-refused' })
}

function move(world: World, { kind, ...rest }: Move): void {
  const who = 'who' in rest ? rest.who : 0
  if (kind === 'elect') tell(world, who, elected)
  else if (kind === 'answer' || kind === 'lose-answer') answer(world, who, kind === 'answer')
  else if (kind === 'back-up') world.backup = { sequence: world.sequence, record: world.record }
  else if (kind === 'roll-back') Object.assign(world, world.backup)
  else {
    const leader = world.leaders[who]
    const isFenced = leader?.kind === 'leading' && world.record?.sequence !== leader.epoch.epoch
    if (isFenced) tell(world, who, { kind: 'write-doubtful' })
  }
}

const moves = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom('elect' as const, 'answer' as const, 'write' as const),
        who: fc.constantFrom(0 as const, 1 as const),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('lose-answer' as const), who: fc.constantFrom(0 as const, 1 as const) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('back-up' as const, 'roll-back' as const) }) },
  ),
  { maxLength: 60, size: 'max' },
)

const newWorld = (): World => ({
  sequence: 0,
  record: undefined,
  backup: { sequence: 0, record: undefined },
  leaders: [firstLeader, firstLeader],
  asked: [undefined, undefined],
  led: [],
})

describe('two candidates on one stream', () => {
  it('[L6] at most one passes the fence at any moment, also after roll backs', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const world = newWorld()
        for (const one of all) {
          move(world, one)
          const passing = world.leaders.filter(
            (leader, who) =>
              leader.kind === 'leading' &&
              world.record?.sequence === leader.epoch.epoch &&
              world.record.record.holder === candidates[who]?.holder,
          )
          expect(passing.length).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it('[L6] without roll backs each epoch is a higher voice than every one before', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const world = newWorld()
        for (const one of all) if (one.kind !== 'roll-back') move(world, one)
        for (const [index, epoch] of world.led.entries()) {
          const before = world.led[index - 1]
          if (before !== undefined) expect(compareEpochs(epoch, before)).toBeGreaterThan(0)
        }
      }),
    )
  })

  it('[L7] once the stream stays whole, who leads and writes soon passes the fence, above all it ever was', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const world = newWorld()
        for (const one of all) move(world, one)
        const leader = world.leaders[0]
        if (leader?.kind !== 'leading') return
        // The other is quiet: a refused write, a read, a claim.
        world.asked[1] = undefined
        move(world, { kind: 'write', who: 0 })
        for (let turn = 0; turn < 3 && world.asked[0] !== undefined; turn++) answer(world, 0, true)
        const now = world.leaders[0]
        if (now?.kind === 'leading') {
          expect(world.record?.sequence).toBe(now.epoch.epoch)
          expect(compareEpochs(now.epoch, leader.epoch)).toBeGreaterThanOrEqual(0)
        } else {
          // Deposed: then the record names a higher voice of the other one.
          expect(world.record?.record.holder).toBe('b')
        }
      }),
    )
  })
})

describe('two holders of one Lease, one after the other', () => {
  type Turn = { readonly doubts: number; readonly forgets: boolean }
  const turn = fc.record({ doubts: fc.nat(5), forgets: fc.boolean() })

  it('[L16] never claim one term, whatever the store forgets between them', () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 2, maxLength: 8 }), (turns: readonly Turn[]) => {
        const claimed = new Map<number, string>()
        let [stored, sequence, transitions] = [undefined as EpochRecord | undefined, 0, 0]
        for (const [index, { doubts, forgets }] of turns.entries()) {
          const who: Candidate = { ...leased, holder: `pod-${index}` }
          let leader: Leader = firstLeader
          const tell = (event: LeaderEvent): void => {
            const next = step(leader, event, who)
            leader = next.leader
            for (const effect of next.effects) {
              if (effect.kind === 'raise-lease') {
                transitions = transitionsFor(effect.to)
                tell({ kind: 'elected', term: effect.to })
              }
              if (effect.kind !== 'claim') continue
              expect(claimed.get(effect.record.term) ?? who.holder).toBe(who.holder)
              claimed.set(effect.record.term, who.holder)
              stored = effect.record
              tell({ kind: 'claim-acked', sequence: ++sequence })
            }
          }
          tell({ kind: 'elected', term: firstTermOf(++transitions) })
          tell({ kind: 'record', record: stored, sequence })
          for (let count = 0; count < doubts; count++) {
            tell(doubt)
            if (forgets) [stored, sequence] = [undefined, sequence + 1]
            tell({ kind: 'record', record: stored, sequence })
          }
          if (forgets) stored = undefined
        }
      }),
    )
  })
})
