// Prints docs/ERRORS.md from the table of codes: `node chassis/src/print-errors.ts > docs/ERRORS.md`. A test compares.
import { errorCodes } from './errors.ts'

const head = `# Error codes

Printed from \`chassis/src/errors.ts\` by \`node chassis/src/print-errors.ts\`; a test compares.
The same word stands in the log field \`code\` and in the label of \`citypresence_<service>_errors_total{code}\`; what keeps a service
from being ready stands under it in \`/readyz\`. An error is counted under its own word and under those of its causes.

| code | what it means | what to do |
| --- | --- | --- |
`

export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, { means, doThis }]) => `| \`${code}\` | ${means} | ${doThis} |`)
  return `${head}${rows.join('\n')}\n`
}

if (import.meta.main) process.stdout.write(errorsPage())
