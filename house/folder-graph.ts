// The arrows between folders, read from the imports and drawn as a Mermaid graph for docs/ARCHITECTURE.md.
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { join } from 'node:path'
import { isTest, root } from './sources.ts'

const houseFolders = [
  'wire',
  'chassis',
  'aggregator',
  'gateway',
  'operator',
  'web',
  'stack',
  'checker',
  'sim',
  'chaos',
  'sight',
  'bench',
  'k8s-e2e',
  'house',
]

/** Reads all imports of the house and judges them by .dependency-cruiser.js. */
export async function cruiseHouse(): Promise<ICruiseResult> {
  const options = await extractOptions(join(root, '.dependency-cruiser.js'))
  const { output } = await cruise(houseFolders, { ...options, baseDir: root, validate: true }, undefined, {
    tsConfig: extractTsConfig(join(root, 'tsconfig.json')),
  })
  if (typeof output === 'string') throw new Error('dependency-cruiser printed a report where its result was asked for')
  return output
}

/** `aggregator/src/core/batch.ts` lies in `aggregator/core`; a file of no folder in `aggregator`. */
function placeOf(path: string): string | undefined {
  const [house = '', , folder, file] = path.split('/')
  if (!houseFolders.includes(house) || isTest(path) || path.endsWith('.d.ts')) return undefined
  return file === undefined || folder === undefined || !['core', 'edge'].includes(folder) ? house : `${house}/${folder}`
}

const name = (place: string): string => place.replace('/', '_')

/** The graph as Mermaid text: one node a folder, one arrow for all imports from one to another. */
export function drawFolders(result: ICruiseResult): string {
  const arrows = new Set<string>()
  const places = new Set<string>()
  for (const module of result.modules) {
    const from = placeOf(module.source)
    if (from === undefined || from === 'house') continue
    places.add(from)
    for (const { resolved } of module.dependencies) {
      const to = placeOf(resolved)
      if (to !== undefined && to !== from) arrows.add(`  ${name(from)} --> ${name(to)}`)
    }
  }
  const nodes = [...places].sort().map((place) => `  ${name(place)}["${place}"]`)
  return ['flowchart LR', ...nodes, ...[...arrows].sort()].join('\n')
}
