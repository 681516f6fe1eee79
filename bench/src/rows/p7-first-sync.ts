// P7: the first sync of a large city, from the socket to the beat that calls the city complete.
import { join } from 'node:path'
import { figure } from '../core/result.ts'
import { median } from '../core/statistics.ts'
import { startChild } from '../harness/lines.ts'
import { least, most, type Row } from './row.ts'

type Round = {
  readonly bytes: number
  readonly longestMs: number
  readonly laterMs: number
  /** With user events, up to the word about the last user: a first sync, and a takeover of what it left. */
  readonly usersMs: number
  readonly takeoverMs: number
  readonly floorMs: number
  readonly tookMs: number
  readonly rssBytes: number
}
type SdkRound = Pick<Round, 'longestMs' | 'tookMs' | 'rssBytes'>

const members = 100

async function linesOf<T>(script: string, args: readonly number[], lines: number): Promise<T[]> {
  const child = startChild(process.execPath, [join(import.meta.dirname, `../load/${script}.ts`), ...args.map(String)], {
    // Each of them has the whole machine: ours has a thread beside its loop.
    core: undefined,
  })
  try {
    const all: T[] = []
    for (let line = 0; line < lines; line++) all.push(await child.line<T>())
    return all
  } finally {
    await child.stop()
  }
}

/** The first round of a process warms it up: code is compiled, pools grow. */
const oursAt = async (rooms: number, rounds: number): Promise<Round[]> =>
  (await linesOf<Round>('first-sync', [rooms, members, rounds + 1], rounds + 1)).slice(1)

export const firstSync: Row = {
  id: 'P7',
  isQuick: true,
  async measure(length) {
    const rooms = 2_000
    const rounds = length === 'whole' ? 5 : 3
    const ours = await oursAt(rooms, rounds)
    const sdk: SdkRound[] = []
    for (let round = 0; round < rounds; round++)
      sdk.push(...(await linesOf<SdkRound>('first-sync-of-sdk', [rooms, members], 1)))
    const of = <T>(all: readonly T[], pick: (one: T) => number): number[] => all.map(pick)
    const took = figure(
      'ours',
      'until the city is said',
      'ms',
      of(ours, (one) => one.tookMs),
    )
    const longest = figure(
      'ours',
      'longest turn of the event loop',
      'ms',
      of(ours, (one) => one.longestMs),
    )
    const later = figure(
      'ours',
      'the same of a later one, over a city that is shown',
      'ms',
      of(ours, (one) => one.laterMs),
    )
    const users = figure(
      'ours',
      'the same of a first sync with user events',
      'ms',
      of(ours, (one) => one.usersMs),
    )
    const takeover = figure(
      'ours',
      'the same of a takeover with user events',
      'ms',
      of(ours, (one) => one.takeoverMs),
    )
    const theirs = figure(
      'peer',
      "matrix-js-sdk's startClient, until it calls itself prepared",
      'ms',
      of(sdk, (one) => one.tookMs),
    )
    const body = ours.at(0)?.bytes ?? Number.NaN
    const rss = figure(
      'ours',
      'resident memory beside the body',
      'x',
      of(ours, (one) => one.rssBytes / body),
    )
    return {
      id: 'P7',
      title: 'First sync of a large city',
      workload: `${rooms} rooms with ${members} members each, ${(rooms * members) / 4} people, one body of ${(body / 1e6).toFixed(1)} MB; the aggregator with its reader thread and a real nats-server`,
      boundBy: 'reading the members: two hundred thousand events of which each is looked at',
      figures: [
        took,
        theirs,
        longest,
        later,
        figure(
          'peer',
          "longest turn of matrix-js-sdk's",
          'ms',
          of(sdk, (one) => one.longestMs),
        ),
        rss,
        figure(
          'peer',
          'resident memory of matrix-js-sdk beside the body',
          'x',
          of(sdk, (one) => one.rssBytes / body),
        ),
        figure(
          'floor',
          'JSON.parse of the body',
          'ms',
          of(ours, (one) => one.floorMs),
        ),
      ],
      goals: [
        least('beside matrix-js-sdk', theirs.median / took.median, 'x', 5, true),
        most('longest turn', longest.median, 'ms', 50),
        most('longest turn of a later one', later.median, 'ms', 50),
        most('longest turn of a first sync with user events', users.median, 'ms', 50),
        most('longest turn of a takeover with user events', takeover.median, 'ms', 50),
      ],
      curves: length === 'whole' ? [await curve(rooms, took.median)] : [],
      notRun: [],
      notes: [
        'the memory of ours is that of the whole benchmark: the homeserver that sends the bytes, the client of NATS and the aggregator are one process',
      ],
    }
  },
}

async function curve(rooms: number, known: number) {
  const points: { at: number; value: number }[] = []
  for (const size of [rooms / 4, rooms / 2])
    points.push({ at: size, value: median((await oursAt(size, 3)).map(({ tookMs }) => tookMs)) })
  points.push({ at: rooms, value: known })
  return { what: 'a first sync', across: 'rooms with 100 members', unit: 'ms', points }
}
