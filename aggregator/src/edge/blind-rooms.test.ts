// Rooms that may be kept out of presence, asked about by a worker whose homeserver answers what a test wants.
import { CityError } from '@citypresence/chassis/errors'
import { createFakeClock } from '@citypresence/chassis/testing/fake-clock'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { silentLog } from '../testing/matrix.ts'
import { lookForBlindness } from './blind-rooms.ts'
import { MatrixRefusal } from './matrix-errors.ts'
import { createWorker, type Finding, type Worker } from './room-worker.ts'

const daemonUserId = '@daemon:test.local'
const roomId = '!r'
const [ada, ben, cem, dora] = ['@ada:t', '@ben:t', '@cem:t', '@dora:t']
const everybody = [daemonUserId, ada, ben, cem, dora]
type Said = 'told' | 'forbidden' | 'proxy' | 'limited' | 'silent'

const where = 'GET /presence'
const errors: Readonly<Record<Exclude<Said, 'told'>, () => CityError>> = {
  forbidden: () => new MatrixRefusal({ where, status: 403, errcode: 'M_FORBIDDEN' }),
  proxy: () => new MatrixRefusal({ where, status: 403, errcode: '' }),
  limited: () => new MatrixRefusal({ where, status: 429, errcode: 'M_FORBIDDEN' }),
  silent: () => new CityError('MatrixUnreachable', where),
}

/** A homeserver that says of each person what `says` holds, and lists `listedAfter` when it is asked again. */
function ask() {
  const world = {
    says: new Map<string, Said>(),
    /** Everybody else. */
    rest: 'told' as Said,
    listedAfter: everybody as readonly string[],
    of: (others: readonly string[], turn: number): readonly string[] => others.slice(turn % 2, (turn % 2) + 3),
    /** What the city knows of the room. */
    isBlind: false,
  }
  const asked: string[] = []
  const turns: number[] = []
  const told: boolean[] = []
  let lists = 0
  const nobody = () => Promise.reject(new CityError('Unexpected', 'nobody is asked here'))
  const worker: Worker = createWorker({
    client: {
      resolveAlias: nobody,
      joinedRooms: nobody,
      join: nobody,
      joinedMembers() {
        lists++
        return Promise.resolve([...world.listedAfter])
      },
    },
    directory: { watch: () => () => undefined, read: nobody },
    log: silentLog,
    clock: createFakeClock(),
    lookout: {
      daemonUserId,
      presenceOf(userId) {
        asked.push(userId)
        const said = world.says.get(userId) ?? world.rest
        return said === 'told' ? Promise.resolve('offline') : Promise.reject(errors[said]())
      },
      isBlind: () => world.isBlind,
      of(room, others, turn) {
        expect(room).toBe(roomId)
        turns.push(turn)
        return world.of(others, turn)
      },
    },
  })
  const look = async (listed: readonly string[] = everybody): Promise<string> => {
    await lookForBlindness(worker, roomId, listed, new AbortController().signal)
    told.push(...(await toldBy(worker)))
    world.isBlind = told.at(-1) ?? world.isBlind
    return world.isBlind ? 'blind' : worker.doubts.has(roomId) ? 'doubted' : 'seen'
  }
  return { world, worker, asked, turns, look, told, lists: () => lists }
}

/** What was told so far. */
async function toldBy(worker: Worker): Promise<boolean[]> {
  const told: boolean[] = []
  const end: Finding = { kind: 'lost', roomId: 'the end' }
  worker.findings.push(end)
  for await (const finding of worker.findings.values(new AbortController().signal)) {
    if (finding === end) break
    if (finding.kind === 'blind') told.push(finding.isBlind)
  }
  return told
}

it('[P23] a room is blind when nobody may be seen twice in a row, and seen again when one may; it is told while it holds', async () => {
  const { world, worker, look, told } = ask()
  world.rest = 'forbidden'
  world.says.set(daemonUserId, 'told')
  expect([await look(), worker.doubted]).toEqual(['doubted', roomId])
  expect(await look()).toBe('blind')
  expect(told).toEqual([true])
  // A word that was lost on the way is said again.
  world.isBlind = false
  expect(await look()).toBe('blind')
  expect(told).toEqual([true, true])
  world.says.set(cem, 'told')
  expect(await look()).toBe('seen')
  expect(told).toEqual([true, true, false])
  expect(await look()).toBe('seen')
  expect([worker.doubts.size, told.length]).toEqual([0, 3])
})

it('[P23] what the city knows of a leader before counts: it is told again, and taken back when one may be seen', async () => {
  const { world, look, told } = ask()
  world.isBlind = true
  world.rest = 'forbidden'
  world.says.set(daemonUserId, 'told')
  expect([await look(), told]).toEqual(['blind', [true]])
  world.says.set(ada, 'silent').set(ben, 'silent')
  expect([await look(), told]).toEqual(['blind', [true]])
  world.rest = 'told'
  world.says.clear()
  expect([await look(), told]).toEqual(['seen', [true, false]])
})

it('[P23] where the own presence may not be seen either, a refusal tells nothing', async () => {
  const { world, worker, look, asked } = ask()
  world.rest = 'forbidden'
  for (const said of ['forbidden', 'proxy', 'silent'] as const) {
    world.says.set(daemonUserId, said)
    expect([await look(), await look()]).toEqual(['seen', 'seen'])
  }
  expect(asked.filter((userId) => userId === daemonUserId)).toHaveLength(6)
  expect(worker.doubted).toBeUndefined()
})

it('[P23] somebody who is not listed any more may have left: that refusal tells nothing', async () => {
  const { world, look, lists } = ask()
  world.rest = 'forbidden'
  world.says.set(daemonUserId, 'told')
  world.of = (others) => others.slice(0, 2)
  world.listedAfter = [daemonUserId, ada]
  expect([await look(), await look()]).toEqual(['seen', 'seen'])
  expect(lists()).toBe(2)
  world.listedAfter = [daemonUserId, ada, ben]
  expect([await look(), await look()]).toEqual(['doubted', 'blind'])
})

it.each(['proxy', 'limited', 'silent'] as const)(
  '[P23] an answer that is no M_FORBIDDEN (%s) tells nothing, and ends the round',
  async (said) => {
    const { world, look, asked, lists } = ask()
    world.rest = 'forbidden'
    world.says.set(daemonUserId, 'told').set(ada, said)
    world.of = (others) => others
    expect([await look(), await look()]).toEqual(['seen', 'seen'])
    expect([asked, lists()]).toEqual([[ada, ada], 0])
    // Nor does it take back what was found.
    world.says.delete(ada)
    expect([await look(), await look()]).toEqual(['doubted', 'blind'])
    world.says.set(ada, said)
    expect(await look()).toBe('blind')
  },
)

it('[P23] nobody is asked further once one may be seen; the daemon is not one of them, and others have their turn', async () => {
  const { world, look, asked, turns, lists } = ask()
  world.of = (others) => {
    expect(others).toEqual([ada, ben, cem, dora])
    return others
  }
  expect(await look()).toBe('seen')
  expect(await look()).toBe('seen')
  expect([asked, turns, lists()]).toEqual([[ada, ada], [0, 1], 0])
})

it('[P23] a room with the daemon alone tells nothing, nor does one of whom nobody is to be asked: a mark outlives both', async () => {
  const { world, look, asked, told } = ask()
  expect(await look([daemonUserId])).toBe('seen')
  world.isBlind = true
  world.of = () => []
  world.rest = 'forbidden'
  world.says.set(daemonUserId, 'told')
  expect(await look()).toBe('blind')
  expect([await look([daemonUserId]), await look([daemonUserId])]).toEqual(['blind', 'blind'])
  expect([asked, told]).toEqual([[], []])
  // Whoever is there then is asked for, and a homeserver that shows the room again says so.
  world.of = (others) => others
  world.rest = 'told'
  expect([await look(), told]).toEqual(['seen', [false]])
})

it('[P23] whatever a homeserver answers that shows the room to us, it is never taken for blind', async () => {
  const saids = fc.constantFrom<Said>('forbidden', 'proxy', 'limited', 'silent')
  const round = fc.record({
    says: fc.tuple(saids, saids, saids, saids),
    shown: fc.nat(3),
    own: fc.constantFrom<Said>('told', 'forbidden', 'silent'),
    listedAfter: fc.subarray(everybody),
    gone: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 8 }), async (rounds) => {
      const { world, look, told } = ask()
      world.of = (others) => others
      for (const { says, shown, own, listedAfter, gone } of rounds) {
        // Who is in a room that is shown may be seen, unless he left meanwhile, and then he is not listed.
        world.says = new Map([ada, ben, cem, dora].map((userId, index) => [userId, says[index] ?? 'silent']))
        world.says.set(daemonUserId, own)
        const person = everybody[shown + 1] ?? ''
        if (gone) world.listedAfter = listedAfter.filter((userId) => userId !== person)
        else world.says.set(person, 'told')
        expect(await look()).not.toBe('blind')
      }
      expect(told).toEqual([])
    }),
  )
})
