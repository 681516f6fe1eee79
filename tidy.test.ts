// The house's own rules, as tests: what a newcomer may rely on in every file. When a rule of taste had to be said twice, it
// comes here, with what to do instead in its message.
import { errorCodes } from './chassis/src/errors.ts'
import { expect, it } from 'vitest'
import { cruiseHouse, drawFolders } from './house/folder-graph.ts'
import { generatedPages } from './house/generated-pages.ts'
import { complaintsOf } from './house/run-tool.ts'
import { isTest, listFiles, readSource, readSources, withoutComments, type Source } from './house/sources.ts'
import { idsInTests, rulesOf } from './house/spec-rules.ts'

// The slowest check, ESLint with types over the whole house, takes about half a minute on two busy cores.
const toolTimeoutMs = 240_000

const sources = readSources()
const code = sources.filter(({ path }) => !isTest(path))
const core = code.filter(({ path }) => path.includes('/core/'))

/** Each place where a pattern stands in the code, as `path: what stands there`. */
const placesOf = (files: readonly Source[], pattern: RegExp): string[] =>
  files.flatMap(({ path, text }) => (withoutComments(text).match(pattern) ?? []).map((found) => `${path}: ${found}`))

it('[H1] what decides is pure: no clock, timer, randomness, environment or promise in core', () => {
  const impure =
    /\b(Date\.now|new Date\(\)|performance\.|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|crypto\.|console\.|async |await |Promise\b)/g
  expect(placesOf(core, impure)).toEqual([])
})

/** Core files without properties beside them, and why. A file of types alone needs no reason. */
const withoutProperties: Readonly<Record<string, string>> = {
  'chassis/src/core/result.ts': 'two constructors, and nothing that decides',
}

/** Tables of core that another joins, whose properties walk through all of them. */
const heldBy: Readonly<Record<string, string>> = {
  'operator/src/core/city-fields.ts': 'operator/src/core/city-presence.prop.test.ts',
  'operator/src/core/city-services.ts': 'operator/src/core/city-presence.prop.test.ts',
  'operator/src/core/city-sources.ts': 'operator/src/core/city-presence.prop.test.ts',
  'operator/src/core/city-status.ts': 'operator/src/core/city-presence.prop.test.ts',
  'operator/src/core/example-city.ts': 'operator/src/core/read-object.prop.test.ts',
}

it('[H2] every file of core has its tests beside it, properties among them where no reason is given', () => {
  const paths = new Set(sources.map(({ path }) => path))
  const decides = core.map(({ path }) => path).filter(definesAnything)
  const beside = (path: string, ending: string): boolean => paths.has(path.replace(/\.tsx?$/, ending))
  const isHeld = (path: string): boolean => paths.has(heldBy[path] ?? '')
  const alone = decides.filter((path) => !beside(path, '.prop.test.ts') && !isHeld(path))
  expect(alone.filter((path) => withoutProperties[path] === undefined)).toEqual([])
  expect(Object.keys(heldBy).filter((path) => !paths.has(path) || beside(path, '.prop.test.ts'))).toEqual([])
  const excused = Object.keys(withoutProperties)
  expect(excused.filter((path) => !beside(path, '.test.ts') || beside(path, '.prop.test.ts'))).toEqual([])
  const properties = sources.filter(({ path }) => path.includes('/core/') && path.endsWith('.prop.test.ts'))
  expect(properties.filter(({ text }) => !text.includes('fc.property(')).map(({ path }) => path)).toEqual([])
})

/** A file of types alone has nothing to test. */
const definesAnything = (path: string): boolean =>
  /^export (?:async )?(?:function|const|class)/m.test(readSource(path).text)

it('[H3] the environment is read in a main.ts only', () => {
  const rim = /\/main\.ts$|^stack\/|^house\/|^web\/vite/
  const readers = code.filter(({ path }) => !rim.test(path))
  expect(placesOf(readers, /process\.env\b/g)).toEqual([])
})

it('[H4] every file opens with what it is for', () => {
  const paths = new Set(sources.map(({ path }) => path))
  // A test that lies beside the file it is named for has its head there.
  const isBeside = (path: string): boolean => {
    const stem = path.replace(/(?:\.prop|\.real)?\.test\.tsx?$/, '')
    return stem !== path && ['.ts', '.tsx'].some((ending) => paths.has(`${stem}${ending}`))
  }
  const silent = sources.filter(
    ({ path, text }) => !isBeside(path) && !/^(?:#!.*\n)?(?:'use client'\n+)?\/\/ \S/.test(text),
  )
  expect(silent.map(({ path }) => path)).toEqual([])
})

it('[H5] no test is switched off or narrowed', () => {
  const tests = sources.filter(({ path }) => isTest(path) && path !== 'tidy.test.ts')
  expect(placesOf(tests, /\b(?:it|test|describe)\.(?:skip|only|todo|skipIf|runIf)\b/g)).toEqual([])
})

it('[H6] nothing is left for later in the code, and no check is silenced without a reason', () => {
  const left = sources.flatMap(({ path, text }) =>
    (path === 'tidy.test.ts'
      ? []
      : [
          ...(text.match(/\b(?:TODO|FIXME|XXX|HACK)\b|@ts-(?:ignore|nocheck)/g) ?? []),
          ...(withoutComments(text).match(/\bas any\b/g) ?? []),
        ]
    ).map((found) => `${path}: ${found}`),
  )
  const silenced = sources.flatMap(({ path, text }) =>
    (text.match(/eslint-disable(?!.* -- ).*/g) ?? [])
      .filter(() => path !== 'tidy.test.ts')
      .map((found) => `${path}: ${found}`),
  )
  expect([...left, ...silenced]).toEqual([])
})

it('[H7] the house speaks of the product alone: no path of a machine in any file', () => {
  const foreign = new RegExp(['/work/', '/root/', '/tmp/bash', 'issue [0-9]'].join('|'), 'g')
  const texts = listFiles()
    .filter(
      (path) =>
        /\.(?:ts|tsx|md|sh|json|js|html|css|yaml|txt)$|Makefile$/.test(path) &&
        !/^(tidy\.test\.ts|package-lock\.json)$/.test(path),
    )
    .map(readSource)
  expect(texts.flatMap(({ path, text }) => (text.match(foreign) ?? []).map((found) => `${path}: ${found}`))).toEqual([])
})

it('[H8] files stay small enough to be read whole', () => {
  // 400 lines: what one can hold in the head; the median here is a quarter of it.
  const linesMax = 400
  const long = sources.filter(({ path, text }) => !isTest(path) && text.split('\n').length > linesMax)
  expect(long.map(({ path }) => path)).toEqual([])
})

it('[H9] every rule of docs/SPEC.md and the pages it names stands in a test name, and every ID in a test name is a rule', () => {
  const pages = listFiles().filter((path) => /^docs\/(?:SPEC|spec\/[a-z-]+)\.md$/.test(path))
  const rules = pages.flatMap((path) => rulesOf(readSource(path).text)).map(({ id }) => id)
  const tested = idsInTests(sources.filter(({ path }) => isTest(path)))
  expect(rules.filter((id, index) => rules.indexOf(id) !== index)).toEqual([])
  expect(rules.filter((id) => !tested.has(id))).toEqual([])
  expect([...tested.keys()].filter((id) => !rules.includes(id)).sort()).toEqual([])
})

it('[H17] every trap of Matrix stands in docs/spec/traps.md with rules that there are, and with those whose tests name it', () => {
  const pages = listFiles().filter((path) => /^docs\/spec\/[a-z-]+\.md$/.test(path))
  const rules = pages.flatMap((path) => rulesOf(readSource(path).text)).map(({ id }) => id)
  const rows = [...readSource('docs/spec/traps.md').text.matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm)]
  const heldBy = new Map(rows.map(([, trap = '', ids = '']) => [Number(trap), ids.split(', ')]))
  expect([...heldBy.keys()]).toEqual(Array.from({ length: 25 }, (_, index) => index + 1))
  expect([...heldBy.values()].flat().filter((id) => !rules.includes(id))).toEqual([])
  const named = sources
    .filter(({ path }) => isTest(path))
    .flatMap(({ text }) => [...text.matchAll(/\[([A-Z]+\d+)\] \[M-trap-(\d+)\]/g)])
    .map(([, id = '', trap]) => ({ id, trap: Number(trap) }))
  expect(named.length).toBeGreaterThan(25)
  expect(named.filter(({ id, trap }) => heldBy.get(trap)?.includes(id) === false)).toEqual([])
})

/** Words that no test names, and what shows them instead. */
const unnamedWords: Readonly<Record<string, string>> = {
  StartFailed:
    'a page that is not built and a port that is refused without being taken: neither can be had on a machine of ours',
  SequenceGap: 'gateway/core/feed tells it as a gap, which its properties know',
  SequenceRepeated: 'gateway/core/feed tells it as repeated, which its properties know',
  LeaseRefused: 'the contract of the Lease asks for its 422 by status',
}

it('[H18] each word for an error is raised by a service, and named by a test or a fault that shows it, or has its reason', () => {
  const words = Object.keys(errorCodes)
  const quoted = (files: readonly Source[]) => {
    const text = files.map((file) => withoutComments(file.text)).join('\n')
    return (word: string): boolean => new RegExp(`\\b${word}\\b`).test(text)
  }
  const services = code.filter(({ path }) => /^(?:chassis|aggregator|gateway|operator)\/src\//.test(path))
  const isRaised = quoted(services.filter(({ path }) => path !== 'chassis/src/errors.ts'))
  const isNamed = quoted(
    sources.filter(({ path }) => (isTest(path) ? path !== 'tidy.test.ts' : path.startsWith('chaos/'))),
  )
  expect(words.filter((word) => !isRaised(word))).toEqual([])
  expect(words.filter((word) => !isNamed(word)).sort()).toEqual(Object.keys(unnamedWords).sort())
})

it('[H10] the pages that are printed from code say what the code says (`make docs` prints them)', async () => {
  for (const { path, text } of await generatedPages()) expect(readSource(path).text, path).toBe(text)
})

it('[H11] the arrows between folders point the right way, and docs/ARCHITECTURE.md draws them as they are', async () => {
  const result = await cruiseHouse()
  const broken = result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
  expect(broken).toEqual([])
  expect(result.summary.totalCruised).toBeGreaterThan(code.length / 2)
  expect(readSource('docs/ARCHITECTURE.md').text).toContain(drawFolders(result))
})

it('[H12] types hold', { timeout: toolTimeoutMs }, async () => {
  expect(await complaintsOf('tsc', ['--noEmit'])).toBe('')
})

it('[H13] the linter is content', { timeout: toolTimeoutMs }, async () => {
  expect(await complaintsOf('eslint', ['.', '--max-warnings', '0'])).toBe('')
})

it('[H14] every file has the form of the house (`make format` gives it)', { timeout: toolTimeoutMs }, async () => {
  expect(await complaintsOf('prettier', ['--check', '--log-level', 'warn', '.'])).toBe('')
})

it('[H15] no code and no dependency is there for nobody', { timeout: toolTimeoutMs }, async () => {
  expect(await complaintsOf('knip', ['--no-progress', '--treat-config-hints-as-errors'])).toBe('')
})

it('[H16] each direct runtime dependency has its reason in docs/ARCHITECTURE.md', () => {
  const architecture = readSource('docs/ARCHITECTURE.md').text
  const packages = listFiles().filter((path) =>
    /^(?:wire|chassis|aggregator|gateway|operator|web)\/package\.json$/.test(path),
  )
  const names = packages.flatMap((path) => {
    const { dependencies = {} } = JSON.parse(readSource(path).text) as { dependencies?: Record<string, string> }
    return Object.keys(dependencies).filter((name) => !name.startsWith('@citypresence/'))
  })
  expect([...new Set(names)].filter((name) => !architecture.includes(`| \`${name}\` |`))).toEqual([])
})
