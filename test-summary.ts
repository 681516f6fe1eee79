// Closes a test run with one line a person and a machine can read: `N passed, N failed` (`, N skipped` where there are any), and
// before it the name of everything that failed: of a long run often only the last lines are kept.
// A file that could not be loaded and an error outside any test count as failed: nothing may pass by not running.
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

// More than these and it is the house that is red, not a test; the whole list stands above.
const namesMax = 40
const textMax = 300

export default class TestSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, skipped: 0 }
    const failed = unhandled.map(({ message }) => `outside any test: ${message}`)
    for (const module of modules) {
      const file = module.relativeModuleId
      const fail = (name: string, errors: readonly SerializedError[]): void =>
        void failed.push([file, name, errors[0]?.message ?? ''].join(' | '))
      // Hooks that failed stand at the module or at the suite they belong to.
      for (const place of [module, ...module.children.allSuites()])
        if (place.errors().length > 0) fail(place.type === 'suite' ? place.fullName : '', place.errors())
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'passed') count.passed++
        else if (state === 'failed') fail(test.fullName, errors)
        else count.skipped++
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    const named = failed.slice(0, namesMax).map((line) => `failed: ${line.replaceAll(/\s+/g, ' ').slice(0, textMax)}\n`)
    const last = `${count.passed} passed, ${failed.length} failed${skipped}\n`
    // The default reporter prints in its own end hook; the next turn comes after it, so that this line is the last.
    setImmediate(() => process.stdout.write([...named, last].join('')))
  }
}
