// `make crds`: prints the CustomResourceDefinition from the fields in core/city-presence.ts, for kubectl and for the chart.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { customResourceDefinition } from './core/crd.ts'
import { yamlText } from './edge/yaml-text.ts'

const printed = 'printed from operator/src/core/city-presence.ts by `make crds`'

/** Each file that holds the CRD, by its path in the house. */
export const crdFiles = (): readonly { readonly path: string; readonly text: string }[] => [
  {
    path: 'crds/citypresences.yaml',
    text: `# The custom resource CityPresence, ${printed}.\n${yamlText(customResourceDefinition)}`,
  },
]

if (import.meta.main)
  for (const { path, text } of crdFiles()) {
    const file = join(import.meta.dirname, '../..', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
