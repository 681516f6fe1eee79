// image-manifests.ts <folder> <workspace...>: writes the package.json files of an image: the root with these workspaces alone, and
// each of them without what only tests and builds need.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const [folder = '', ...workspaces] = process.argv.slice(2)

type Manifest = Readonly<Record<string, unknown>>

function put(path: string, change: (manifest: Manifest) => Manifest): void {
  const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as Manifest
  mkdirSync(join(folder, path), { recursive: true })
  writeFileSync(join(folder, path, 'package.json'), `${JSON.stringify(change(manifest), undefined, 2)}\n`)
}

/** An override may name a version by the dependency that has it, which is left out here: `$name`. */
const resolved = (overrides: unknown, versions: unknown): Manifest =>
  Object.fromEntries(
    Object.entries((overrides ?? {}) as Record<string, string>).map(([name, version]) => [
      name,
      version.startsWith('$') ? (versions as Record<string, string>)[version.slice(1)] : version,
    ]),
  )

put('.', ({ name, version, license, type, overrides, devDependencies }) => ({
  ...{ name, version, license, type, private: true, workspaces },
  overrides: resolved(overrides, devDependencies),
}))
for (const workspace of workspaces)
  put(workspace, (manifest) =>
    Object.fromEntries(Object.entries(manifest).filter(([key]) => key !== 'devDependencies')),
  )
