// Closes a test run with one line a person and a machine can read: `N passed, N failed` (`, N skipped` where there are any).
// A file that could not be loaded and an error outside any test count as failed: nothing may pass by not running.
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export default class TestSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      // Hooks that failed stand at the module or at the suite they belong to.
      for (const place of [module, ...module.children.allSuites()]) if (place.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') count.passed++
        else if (state === 'failed') count.failed++
        else count.skipped++
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    // The default reporter prints in its own end hook; the next turn comes after it, so that this line is the last.
    setImmediate(() => process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`))
  }
}
