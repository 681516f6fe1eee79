// docs/CITYPRESENCE.md, printed from the fields, the conditions and the reasons (`make docs`).
import { secretRef } from './core/city-fields.ts'
import { cityPresence } from './core/city-presence.ts'
import { conditions, reasons, type ConditionType } from './core/conditions.ts'
import { printerColumns } from './core/crd.ts'
import { firstCity } from './core/example-city.ts'
import type { OpenApi } from './core/schema.ts'
import { yamlText } from './edge/yaml-text.ts'

export const referencePage = (): string => `# CityPresence

Printed from \`operator/src/core/\` by \`make docs\`. \`kubectl explain citypresence.spec\` says the same.

A first city; everything else has a default:

\`\`\`yaml
${yamlText(firstCity)}\`\`\`

Rules are kept by the API server itself: \`kubectl apply\` is refused with the sentence that stands here. What it cannot see (a Secret that is missing, a homeserver that does not answer) becomes a [condition](#conditions).

${Object.entries(cityPresence.openapi.properties?.['spec']?.properties ?? {})
  .map(([name, field]) => section(`spec.${name}`, field))
  .join('\n')}
${section('status', cityPresence.openapi.properties?.['status'] ?? {})}
## References to Secrets

${secretRefText()}
## Of the whole object

${rulesList('', cityPresence.openapi)}

## Columns

What \`kubectl get cpres\` shows; with \`-o wide\` the lower ones too.

${table(
  ['column', 'shows', ''],
  printerColumns.map(({ name, description, priority }) => [
    name,
    description,
    priority === undefined ? '' : '`-o wide`',
  ]),
)}

\`kubectl scale cpres NAME --replicas=4\` sets \`spec.gateway.replicas\`.

## Conditions

Each has \`status\`, \`reason\`, \`message\` and \`observedGeneration\`; a condition is about the spec that has this generation. \`kubectl wait --for=condition=Ready cpres/NAME\` waits for a city.

${table(
  ['condition', 'True says', 'written by'],
  Object.entries(conditions).map(([type, { means, writtenBy }]) => [`\`${type}\``, means, writtenBy]),
)}

## Reasons

${(Object.keys(conditions) as readonly ConditionType[]).map(reasonsOf).join('\n\n')}
`

function secretRefText(): string {
  const { openapi } = secretRef('', 'the one shown')
  const rows = Object.entries(openapi.properties ?? {}).map(([name, field]) => [`\`${name}\``, field.description ?? ''])
  const rules = Object.values(openapi.properties ?? {}).map((field) => rulesList('', field))
  return `${table(['field', 'meaning'], rows)}\n\n${rules.join('\n')}\n\nWith user and password there are two keys, \`userKey\` and \`passwordKey\`. A Secret is mounted as a file and read again when it changes, without a restart. The operator reads none.\n`
}

function reasonsOf(type: ConditionType): string {
  const ours = Object.entries(reasons).filter(([, { on }]) => (on as readonly string[]).includes(type))
  return `### ${type}\n\n${table(
    ['reason', 'status', 'means', 'what to do'],
    ours.map(([reason, { status, means, doThis }]) => [`\`${reason}\``, status, means, doThis]),
  )}`
}

function section(path: string, schema: OpenApi): string {
  const rows = rowsOf(path, schema, false)
  const head = schema.type === 'object' ? `${schema.description ?? ''}\n\n` : ''
  const shown = schema.type === 'object' ? rows.slice(1) : rows
  const rules = rulesBelow(path, schema)
  return `## ${path}\n\n${head}${table(['field', 'type', 'default', 'limits', 'meaning'], shown)}\n${
    rules === '' ? '' : `\n${rules}\n`
  }`
}

/** A reference to a Secret looks alike everywhere, so its fields stand once. */
const isSecretRef = ({ properties = {} }: OpenApi): boolean => {
  const [first, ...keys] = Object.keys(properties)
  return first === 'name' && keys.length > 0 && keys.every((key) => /^(?:key|.+Key)$/.test(key))
}

const secretKeys = ({ properties = {} }: OpenApi): string =>
  Object.entries(properties)
    .filter(([name]) => name !== 'name')
    .map(([name, { default: value }]) => `\`${name}: ${String(value)}\``)
    .join(', ')

function rowsOf(path: string, schema: OpenApi, isRequired: boolean): string[][] {
  const { properties = {}, required = [], items } = isSecretRef(schema) ? {} : schema
  const row = [
    `\`${path}\``,
    typeOf(schema),
    [isRequired ? '**required**' : '', defaultOf(schema)].filter((part) => part !== '').join(' '),
    limitsOf(schema),
    schema.description ?? '',
  ]
  const below = Object.entries(properties).flatMap(([name, field]) =>
    rowsOf(`${path}.${name}`, field, required.includes(name)),
  )
  const inItems = Object.entries(items?.properties ?? {}).flatMap(([name, field]) =>
    rowsOf(`${path}[].${name}`, field, items?.required?.includes(name) === true),
  )
  return [row, ...below, ...inItems]
}

function typeOf(schema: OpenApi): string {
  if (isSecretRef(schema)) return '[Secret](#references-to-secrets)'
  if (schema['x-kubernetes-int-or-string'] === true) return 'quantity'
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(', ')
  if (schema.type === 'array') {
    const kind = schema['x-kubernetes-list-type'] === 'set' ? 'set' : 'list'
    const { items } = schema
    if (items?.enum !== undefined) return `${kind} of ${typeOf(items)}`
    return items?.type === 'object' ? `${kind} of objects` : `${kind} of ${items?.type ?? ''}s`
  }
  if (schema.additionalProperties !== undefined) return 'map'
  return schema.type ?? ''
}

function defaultOf(schema: OpenApi): string {
  if (isSecretRef(schema)) return secretKeys(schema)
  if (schema.default === undefined || schema.type === 'object') return ''
  return `\`${JSON.stringify(schema.default).replaceAll('"', '')}\``
}

function limitsOf(schema: OpenApi): string {
  const { minimum, maximum, minItems, maxItems, maxLength, maxProperties } = schema
  if (minimum !== undefined)
    return maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `${minimum} to ${maximum ?? ''}`
  if (maxItems !== undefined) return `${minItems === undefined ? 'at most' : `${minItems} to`} ${maxItems}`
  if (maxProperties !== undefined) return `at most ${maxProperties}`
  return maxLength === undefined || schema['x-kubernetes-int-or-string'] === true
    ? ''
    : `at most ${maxLength} characters`
}

/** Every rule in a section: which field it is about, and its sentence. A sentence that stands at many fields alike stands once. */
function rulesBelow(path: string, schema: OpenApi): string {
  const all = rulesAt(path, schema)
  const places = new Map<string, string[]>()
  for (const { at, message } of all) places.set(message, [...(places.get(message) ?? []), at])
  if (all.length === 0) return ''
  const lines = [...places].map(
    ([message, at]) => `- ${at.length > 4 ? 'each such field' : at.map((one) => `\`${one}\``).join(', ')}: ${message}`,
  )
  return `Rules:\n\n${lines.join('\n')}`
}

const rulesList = (path: string, schema: OpenApi): string =>
  (schema['x-kubernetes-validations'] ?? []).map(({ message }) => `- ${path}${message}`).join('\n')

function rulesAt(path: string, schema: OpenApi): { readonly at: string; readonly message: string }[] {
  if (isSecretRef(schema)) return []
  const here = (schema['x-kubernetes-validations'] ?? []).map(({ message, fieldPath = '' }) => ({
    at: `${path}${fieldPath}`,
    message,
  }))
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => rulesAt(`${path}.${name}`, field))
  return [...here, ...below, ...(schema.items === undefined ? [] : rulesAt(`${path}[]`, schema.items))]
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
