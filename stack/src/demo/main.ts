// `make demo`: a living city on real servers. Ctrl-C ends it and leaves nothing running; DEMO_SECONDS=30 lets it end by
// itself, with exit code 0 when the city lived and 1 with a sentence when it did not. LEADERS=2 starts a second aggregator: each line
// tells who leads, and whoever ends that process sees nothing of it in the page. OBSERVE=1 has a Prometheus look on, with our alerts.
import { show } from './show.ts'

const throttleMs = 3_000 // the seed's default
const seed = 20_261_123
// Three throttle windows and what a busy machine may add; what still differs after that is told.
const agreeWithinMs = throttleMs * 3 + 15_000

// Each is a process of 100 MB and a long poll at Synapse.
const leadersMax = 5

const say = (text: string): void => console.log(text)
const ending = new AbortController()

function endOn(signal: NodeJS.Signals): void {
  process.on(signal, () => {
    // The second time somebody has had enough of waiting: the reaper ends what still runs.
    if (ending.signal.aborted) process.exit(130)
    say('\nEnding the city; once more to end at once.')
    ending.abort()
  })
}

function lengthMsOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const seconds = Number(text)
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1_000
  console.error(`DEMO_SECONDS has to be a number of seconds, not "${text}".`)
  process.exit(2)
}

function leadersOf(text: string | undefined): number {
  if (text === undefined || text === '') return 1
  const leaders = Number(text)
  if (Number.isInteger(leaders) && leaders >= 1 && leaders <= leadersMax) return leaders
  console.error(`LEADERS has to be a number from 1 to ${leadersMax}, not "${text}".`)
  process.exit(2)
}

endOn('SIGINT')
endOn('SIGTERM')
const lengthMs = lengthMsOf(process.env['DEMO_SECONDS'])
const leaders = leadersOf(process.env['LEADERS'])
const observe = (process.env['OBSERVE'] ?? '') !== ''
try {
  const why = await show({ lengthMs, throttleMs, leaders, observe, seed, agreeWithinMs, signal: ending.signal, say })
  if (why === undefined) say('The city lived.')
  else console.error(`The city did not live: ${why}`)
  process.exitCode = why === undefined ? 0 : 1
} catch (error) {
  if (!ending.signal.aborted) {
    console.error(`The city did not live: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
