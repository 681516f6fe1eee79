// `make crds`: prints the CustomResourceDefinition from the fields in core/city-presence.ts, for kubectl and for the chart.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crdName, customResourceDefinition } from './core/crd.ts'
import { yamlText } from './edge/yaml-text.ts'

const printed = 'printed from operator/src/core/city-presence.ts by `make crds`'

/** Each file that holds the CRD, by its path in the house. */
export function crdFiles(): readonly { readonly path: string; readonly text: string }[] {
  const text = yamlText(customResourceDefinition)
  return [
    { path: 'crds/citypresences.yaml', text: `# The custom resource CityPresence, ${printed}.\n${text}` },
    { path: 'helm/city-presence/templates/crd.yaml', text: asTemplate(text) },
  ]
}

// A template, so that helm brings it up to date: what lies in a chart's crds/ is installed once and never again.
function asTemplate(text: string): string {
  const name = `metadata:\n  name: ${crdName}\n`
  if (text.split(name).length !== 2 || text.includes('{{')) throw new Error('the CRD cannot be made a template')
  const metadata = `${name}  labels:
    {{- include "city-presence.labels" . | nindent 4 }}
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
`
  return `{{- /* The custom resource CityPresence, ${printed}. */ -}}
{{- if .Values.crds.enabled }}
${text.replace(name, () => metadata)}{{- end }}
`
}

if (import.meta.main)
  for (const { path, text } of crdFiles()) {
    const file = join(import.meta.dirname, '../..', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
