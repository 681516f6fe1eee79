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

put('.', ({ name, version, license, type }) => ({ name, version, license, type, private: true, workspaces }))
for (const workspace of workspaces)
  put(workspace, (manifest) =>
    Object.fromEntries(Object.entries(manifest).filter(([key]) => key !== 'devDependencies')),
  )
