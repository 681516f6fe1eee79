// All rows of the benchmark in the order of the page.
import { fanOut } from './p1-fan-out.ts'
import { latency } from './p2-latency.ts'
import { idleMemory, silence } from './p3-idle.ts'
import { storm } from './p4-storm.ts'
import { slowReaders } from './p5-slow-readers.ts'
import { counting } from './p6-counting.ts'
import { firstSync } from './p7-first-sync.ts'
import { publishing } from './p8-publishing.ts'
import { failover } from './p9-failover.ts'
import { coldStart } from './p12-cold-start.ts'
import { many } from './p13-many.ts'
import type { Row } from './row.ts'

export const allRows: readonly Row[] = [
  fanOut,
  latency,
  idleMemory,
  storm,
  slowReaders,
  counting,
  firstSync,
  publishing,
  failover,
  silence,
  coldStart,
  many,
]
