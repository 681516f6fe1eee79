// The hook as a frontend team gets it: packed, installed into an empty project, type-checked and loaded there.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeTemporaryFolder, type TemporaryFolder } from '@citypresence/stack/temporary-folder'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildWeb, type BuiltWeb } from './testing/built-web.ts'

const run = promisify(execFile)
const webFolder = join(import.meta.dirname, '..')
const houseModules = join(webFolder, '..', 'node_modules')

let folder: TemporaryFolder
let built: BuiltWeb
let packed: string
let project: string

beforeAll(async () => {
  folder = makeTemporaryFolder('package')
  packed = join(folder.path, 'package')
  built = await buildWeb(join(packed, 'dist'))
  for (const name of ['package.json', 'README.md']) cpSync(join(webFolder, name), join(packed, name))
  project = await install()
})
afterAll(() => stopAll(folder))

/** A project that has React and our tarball, and nothing else of this house. */
async function install(): Promise<string> {
  const where = join(folder.path, 'project')
  mkdirSync(where)
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', where], { cwd: packed })
  writeFileSync(join(where, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const quiet = ['--offline', '--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  await run('npm', ['install', ...quiet, join(where, stdout.trim())], { cwd: where })
  for (const name of ['react', 'react-dom', 'scheduler', 'csstype', '@types/react', '@types/react-dom']) {
    const link = join(where, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(houseModules, name), link)
  }
  return where
}

const installed = (...path: string[]): string => join(project, 'node_modules', '@citypresence', 'web', ...path)

it('[B30] publint finds nothing', async () => {
  const { messages, pkg } = await publint({ pkgDir: packed, strict: true, pack: 'npm' })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
})

it('[B30] the package holds the hook and its types alone, and names nothing of this house', () => {
  const files = readdirSync(installed(), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  expect(files.map(({ name }) => name).sort()).toEqual([
    'README.md',
    'global-presence.d.ts',
    'index.d.ts',
    'index.js',
    'package.json',
    'presence-client.d.ts',
    'use-global-presence.d.ts',
  ])
  for (const { parentPath, name } of files.filter((entry) => /\.(js|ts)$/.test(entry.name))) {
    const text = readFileSync(join(parentPath, name), 'utf8')
    const foreign = [...text.matchAll(/(?:from|import) ?\(?["']([^"']+)["']/g)].map(([, path = '']) => path)
    expect(foreign.filter((path) => path !== 'react' && !/^\.\/[a-z/-]+\.js$/.test(path))).toEqual([])
    expect(text).not.toMatch(/@citypresence|\.\.\//)
  }
})

it("[B30] 'use client' stands at the top of the bundle, and React is asked for, not brought along", () => {
  const bundle = readFileSync(installed('dist', 'hook', 'index.js'), 'utf8')
  expect(bundle).toMatch(/^["']use client["'];?\n/)
  expect(bundle).toContain('from "react"')
  expect(bundle.length).toBeLessThan(60_000)
  expect(built.told).toMatch(/\d+\.\d kB, \d+\.\d kB gzipped/)
})

const page = `
import { createElement } from 'react'
import { createPresenceClient, useGlobalPresence, type GlobalPresence, type RoomPresenceUI } from '@citypresence/web'

export function City() {
  const presence: GlobalPresence = useGlobalPresence({ url: 'https://city.example', token: async () => 'abc' })
  const energy: RoomPresenceUI | undefined = presence.presenceBySlug['energy']
  // @ts-expect-error a room may not be there
  presence.presenceBySlug['energy'].onlineCount
  // @ts-expect-error a token is a text or a function
  useGlobalPresence({ url: '/', token: 7 })
  return createElement('p', null, energy === undefined ? '—' : energy.onlineCount + ' online')
}
export const stop: () => void = createPresenceClient({ url: '/', token: 'abc' }).close
`

it.each(['nodenext', 'bundler'])(
  '[B30] a strict project type-checks against it, module resolution %s',
  async (resolution) => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: [],
      module: resolution === 'bundler' ? 'esnext' : resolution,
      moduleResolution: resolution,
    }
    writeFileSync(join(project, 'city.ts'), page)
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['city.ts'] }))
    const told = await run(process.execPath, [join(houseModules, 'typescript', 'bin', 'tsc')], { cwd: project }).catch(
      (error: unknown) => error as { stdout: string },
    )
    expect(told.stdout).toBe('')
  },
)

it('[B30] a server loads it and renders what is known: nothing', async () => {
  const server = `
    import { createElement } from 'react'
    import { renderToString } from 'react-dom/server'
    import { useGlobalPresence } from '@citypresence/web'
    const City = () => createElement('p', null, useGlobalPresence({ url: '/', token: 'abc' }).status)
    console.log(renderToString(createElement(City)))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', server], { cwd: project })
  expect(stdout).toBe('<p>connecting</p>\n')
})
