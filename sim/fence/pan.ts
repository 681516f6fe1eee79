// Reads what a verifier made by Spin prints: whether an assertion broke, how much was explored, and whether that was everything.
export type Result = {
  /** `unfinished`: cut short by a bound of memory, depth or time; it says nothing about the rest. */
  readonly outcome: 'held' | 'found' | 'unfinished'
  readonly states: number
  readonly depth: number
  readonly megabytes: number
  /** Which promise was broken. */
  readonly broken?: string
}

// The assertions of city.pml in words; pan prints them as C.
const promises: readonly (readonly [RegExp, string])[] = [
  [/knownMark\[0\]>>2\)>=finishedBefore/, 'an old room is shown'],
  [/known\[0\]!=0/, 'half a city is shown'],
  [/known\[0\]==best/, 'a value of another voice is shown'],
  [/voiceNow>=known/, 'a room goes back to an older voice'],
  [/voice==highest/, 'a deposed leader stores'],
  [/now\.record>highest/, 'a claim is no higher than one before'],
  [/now\.last<=31/, 'it never becomes well'],
  [/listening&&complete|now\.record==best|knownAt\[[01]\]==now\.at/, 'it does not become well'],
]

export function readPan(output: string): Result {
  const broken = /assertion violated (.+?) \(at depth/.exec(output)?.[1]
  const wasCut =
    /max search depth too small|reached -DMEMLIM|out of memory|memory bound|Search not completed|Interrupted/.test(
      output,
    )
  const states = numberIn(output, /^\s*(\d+) states, stored/m)
  const base = {
    states: states ?? 0,
    depth: numberIn(output, /depth reached (\d+)/) ?? 0,
    megabytes: Math.round(numberIn(output, /([\d.]+)\s+total actual memory usage/) ?? 0),
  }
  if (broken !== undefined) return { outcome: 'found', ...base, broken: inWords(broken) }
  const isWhole = !wasCut && states !== undefined && /errors: 0\b/.test(output)
  return { outcome: isWhole ? 'held' : 'unfinished', ...base }
}

const inWords = (assertion: string): string => promises.find(([pattern]) => pattern.test(assertion))?.[1] ?? assertion

function numberIn(output: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(output)?.[1]
  return found === undefined ? undefined : Number(found)
}
