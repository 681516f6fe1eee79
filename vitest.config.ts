// Three projects. `unit` is everything that needs no server and runs in parallel; `real` talks to real servers (Synapse, nats-server,
// Chromium), two files at a time: a city mostly waits, and two of them fill one core and a half. `e2e` needs a cluster (`make e2e`), and
// is no part of `make test`: one file after the other, in the order of their names, on the one city that they share.
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const outside = ['**/node_modules/**', '**/dist/**']

const isEndToEnd = ({ project }: TestSpecification): boolean => project.name === 'e2e'

class ByNameOnTheCluster extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const byName = files.filter(isEndToEnd).sort((one, other) => one.moduleId.localeCompare(other.moduleId))
    return [...sorted.filter((file) => !isEndToEnd(file)), ...byName]
  }
}

export default defineConfig({
  test: {
    reporters: ['default', './test-summary.ts'],
    sequence: { sequencer: ByNameOnTheCluster },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts', '**/*.test.tsx'],
          exclude: [...outside, '**/*.real.test.ts', '**/*.e2e.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'real',
          include: ['**/*.real.test.ts'],
          exclude: outside,
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['k8s-e2e/**/*.e2e.test.ts'],
          exclude: outside,
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
