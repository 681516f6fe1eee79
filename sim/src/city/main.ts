// `make sim`: many seeds of a simulated city, one after the other. SEEDS says how many, SEED_FROM where to begin. A seed that
// fails is told with its troubles, and the same number shows the same run again.
import { simulate } from './simulate.ts'

const count = Number(process.env['SEEDS'] ?? 300)
const from = Number(process.env['SEED_FROM'] ?? 1)
const startedMs = performance.now()
let failed = 0
let longestMs = 0
for (let seed = from; seed < from + count; seed++) {
  const { told, lies, violations, settledMs } = await simulate(seed)
  longestMs = Math.max(longestMs, settledMs)
  if (violations.length > 0 || lies.length > 0) {
    failed++
    console.log(`seed ${seed}: ${lies.length} lies, ${violations.length} broken`)
    for (const line of told) console.log(`  ${line}`)
    for (const { invariant, atMs, text } of violations.slice(0, 5))
      console.log(`  ${Math.round(atMs)} ms ${invariant}: ${text}`)
    for (const line of lies.slice(0, 5)) console.log(`  in the end ${line}`)
  } else if (seed % 50 === 0) console.log(`${seed - from + 1} seeds, ${failed} failed`)
}
const seconds = (performance.now() - startedMs) / 1_000
console.log(
  `${count} seeds from ${from}, ${failed} failed, ${(seconds / count).toFixed(2)} s each; slowest to settle ${(longestMs / 1_000).toFixed(1)} s`,
)
process.exitCode = failed > 0 ? 1 : 0
