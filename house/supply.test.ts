// What we did not write: that it comes from the registry as it was locked, runs nothing while it is installed, and can be listed.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { listFiles, readSource, root } from './sources.ts'

type Locked = {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
}
type Manifest = { readonly dependencies?: Record<string, string>; readonly devDependencies?: Record<string, string> }

const lock = JSON.parse(readSource('package-lock.json').text) as { packages: Record<string, Locked> }
const foreign = Object.entries(lock.packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && link !== true,
)
const manifests = listFiles()
  .filter((path) => /^(?:[a-z]+\/)?package\.json$/.test(path))
  .map((path) => JSON.parse(readSource(path).text) as Manifest)

it('[H20] every package is locked by its SHA-512, from the registry in use and from nowhere else', () => {
  expect(foreign.length).toBeGreaterThan(100)
  const loose = foreign.filter(
    ([, { version, resolved, integrity }]) =>
      version === undefined || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '') || resolved !== undefined,
  )
  expect(loose.map(([path]) => path)).toEqual([])
})

it('[H20] no manifest names an address, a folder, a branch or a range: one exact version each', () => {
  const all = manifests.flatMap(({ dependencies, devDependencies }) =>
    Object.entries({ ...dependencies, ...devDependencies }),
  )
  expect(all.length).toBeGreaterThan(20)
  expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([])
})

/** Installs a package of our own whose install script leaves a mark; whether it ran. */
function installPlanted(npmrc: string | undefined): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'planted-'))
  try {
    mkdirSync(join(folder, 'planted'))
    const mark = join(folder, 'it-ran')
    const planted = { name: 'planted', version: '1.0.0', scripts: { postinstall: `touch "${mark}"` } }
    writeFileSync(join(folder, 'planted/package.json'), JSON.stringify(planted))
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'host', version: '1.0.0', dependencies: { planted: 'file:./planted' } }),
    )
    if (npmrc !== undefined) copyFileSync(npmrc, join(folder, '.npmrc'))
    // Without what the machine's own settings say about scripts.
    const env = {
      ...process.env,
      npm_config_ignore_scripts: undefined,
      npm_config_userconfig: join(folder, 'none'),
      npm_config_globalconfig: join(folder, 'nothing'),
    }
    execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund'], { cwd: folder, env, stdio: 'ignore' })
    return existsSync(mark)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

it('[H21] a package that brings an install script does not get it run: not by the settings of this repository', () => {
  expect(installPlanted(join(root, '.npmrc'))).toBe(false)
  // The mark would have been left.
  expect(installPlanted(undefined)).toBe(true)
})

it(
  '[H22] the list of what the services run on can be had, and names each direct dependency',
  { timeout: 120_000 },
  () => {
    const services = ['aggregator', 'gateway', 'operator']
    const only = services.flatMap((name) => ['--workspace', name])
    const text = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', ...only, '--package-lock-only'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    const { components } = JSON.parse(text) as { components: { name: string; group?: string; 'bom-ref': string }[] }
    const listed = new Set(components.map(({ 'bom-ref': reference }) => reference.replace(/@[^@]*$/, '')))
    const direct = ['chassis', ...services].flatMap((name) =>
      Object.keys((JSON.parse(readSource(`${name}/package.json`).text) as Manifest).dependencies ?? {}),
    )
    expect(direct.filter((name) => !name.startsWith('@citypresence/') && !listed.has(name))).toEqual([])
  },
)
