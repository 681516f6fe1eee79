// One table a service says everything about its settings: name, aliases, decoder, default, help. From it come the typed
// config, all mistakes at once, --help, the start-up log line and docs/SETTINGS.md.
//
//   table + environment + files -> readConfig -> { config } or { mistakes }
//   loadConfig around it: --help prints and exits 0; mistakes go to stderr and exit 2
//
// An empty value counts as not set: charts and compose files cannot leave a variable out. A secret may also come from
// <NAME>_FILE; both at once is a mistake, because nobody could say which one rules.
import { readFileSync } from 'node:fs'
import { type Result, accept, refuse } from './core/result.ts'
import { redactUrl } from './core/redact.ts'
import type { CityError } from './errors.ts'
import {
  type FileReader,
  type Secret,
  secretFromFile,
  secretFromText,
  secretMask,
  withoutFinalNewline,
} from './secret.ts'

export { type Cidr, decode } from './core/setting-decoders.ts'
export type { FileReader, Secret } from './secret.ts'

export type Setting<T> = {
  /** The canonical name in the environment. */
  readonly env: string
  /** Other names for the same; two that differ are a mistake. */
  readonly aliases?: readonly string[]
  readonly decode: (text: string) => Result<T>
  readonly default?: T
  /** Neither given nor defaulted is fine: the value is then undefined. */
  readonly optional?: true
  /** Also taken from <env>_FILE, becomes a Secret, is never shown. */
  readonly secret?: true
  /** The path of a file that has to be there at the start. */
  readonly readable?: true
  readonly help: string
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>
export type Environment = Readonly<Record<string, string | undefined>>

type ValueOf<S> = S extends { secret: true }
  ? Secret
  : S extends { decode: (text: string) => Result<infer T> }
    ? T
    : never
export type ConfigOf<T extends SettingsTable> = {
  readonly [K in keyof T]: T[K] extends { optional: true } ? ValueOf<T[K]> | undefined : ValueOf<T[K]>
}

/** Where some settings were refused, these are undefined, also those that would otherwise always be there. */
export type Incomplete<C> = { readonly [K in keyof C]?: C[K] | undefined }

export type ReadConfig<T extends SettingsTable> =
  | { readonly ok: true; readonly config: ConfigOf<T> }
  | {
      readonly ok: false
      readonly mistakes: string[]
      readonly rest: Incomplete<ConfigOf<T>>
      /** The names of the settings that the mistakes are about. */
      readonly refused: string[]
    }

type OnProblem = (error: CityError) => void

export function readConfig<const T extends SettingsTable>(
  table: T,
  env: Environment,
  files: FileReader,
  onSecretProblem?: OnProblem,
): ReadConfig<T> {
  const mistakes: string[] = []
  const refused: string[] = []
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(table)) {
    const answer = readSetting(setting, env, files, onSecretProblem)
    if (answer.ok) values[key] = answer.value
    else {
      mistakes.push(answer.problem)
      refused.push(...namesOf(setting))
    }
  }
  // The loop above put under each key what the table's own decoder gave: that is what ConfigOf says.
  if (mistakes.length === 0) return { ok: true, config: values as ConfigOf<T> }
  return { ok: false, mistakes, rest: values as Incomplete<ConfigOf<T>>, refused }
}

type Given = { readonly name: string; readonly text: string; readonly path?: string }

function readSetting(
  setting: Setting<unknown>,
  env: Environment,
  files: FileReader,
  onProblem?: OnProblem,
): Result<unknown> {
  const found = findGiven(setting, env, files)
  if (!found.ok) return found
  const given = found.value
  if (given === undefined) {
    if (setting.default !== undefined || setting.optional === true) return accept(defaultOf(setting))
    return refuse(`${namesOf(setting).join(' or ')} is required: ${setting.help}`)
  }
  const decoded = setting.decode(given.text)
  // A decoder's sentence may quote the value, so a secret gets one without it.
  if (!decoded.ok)
    return refuse(
      setting.secret === true ? `${given.name} was refused: ${setting.help}` : `${given.name} ${decoded.problem}`,
    )
  if (setting.readable === true) {
    const content = readGivenFile(given.name, given.text, files)
    if (!content.ok) return content
  }
  return accept(setting.secret === true ? toSecret(setting, given, files, onProblem) : decoded.value)
}

function defaultOf(setting: Setting<unknown>): unknown {
  return setting.secret === true && typeof setting.default === 'string'
    ? secretFromText(setting.default)
    : setting.default
}

function toSecret(setting: Setting<unknown>, given: Given, files: FileReader, onProblem?: OnProblem): Secret {
  if (given.path === undefined) return secretFromText(given.text)
  const secretFile = { path: given.path, files, decode: setting.decode, firstGood: given.text }
  return secretFromFile(onProblem === undefined ? secretFile : { ...secretFile, onProblem })
}

const namesOf = ({ env, aliases = [], secret }: Setting<unknown>): string[] =>
  [env, ...aliases].flatMap((name) => (secret === true ? [name, `${name}_FILE`] : [name]))

/** All names under which the setting was given; more than one is fine only if they say the same openly. */
function findGiven(setting: Setting<unknown>, env: Environment, files: FileReader): Result<Given | undefined> {
  const names = namesOf(setting).filter((name) => (env[name] ?? '').trim() !== '')
  const [first, second] = names
  if (first === undefined) return accept(undefined)
  if (second !== undefined && (setting.secret === true || new Set(names.map((name) => env[name])).size > 1))
    return refuse(`${names.join(' and ')} are both set: set only one`)
  const text = (env[first] ?? '').trim()
  if (setting.secret !== true || !first.endsWith('_FILE') || first === setting.env) return accept({ name: first, text })
  return readGivenFile(first, text, files)
}

function readGivenFile(name: string, path: string, files: FileReader): Result<Given> {
  try {
    const text = withoutFinalNewline(files.read(path))
    return text.trim() === '' ? refuse(`${name}: ${path} is empty`) : accept({ name, text, path })
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return refuse(`${name}: ${path} cannot be read (${reason})`)
  }
}

/** The part of `process` that loading needs. */
export interface ConfigProcess {
  readonly env: Environment
  readonly argv: readonly string[]
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  exit(code: number): never
}

export type LoadOptions<T extends SettingsTable> = {
  readonly service: string
  /** Rules over several settings: each answer is one mistake and names its fields. Asked also where some were refused. */
  readonly check?: (config: Incomplete<ConfigOf<T>>) => readonly string[]
  readonly files?: FileReader
  readonly onSecretProblem?: OnProblem
}

export const realFiles: FileReader = { read: (path) => readFileSync(path, 'utf8') }

/** Ends the process with 0 after --help and with 2 after mistakes; otherwise there is a config. */
export function loadConfig<const T extends SettingsTable>(
  table: T,
  host: ConfigProcess,
  options: LoadOptions<T>,
): ConfigOf<T> {
  const { service, check, files = realFiles, onSecretProblem } = options
  if (host.argv.includes('--help') || host.argv.includes('-h')) {
    host.stdout.write(helpText(service, table))
    return host.exit(0)
  }
  for (const warning of unknownNames(table, host.env)) host.stderr.write(`${service}: ${warning}\n`)
  const read = readConfig(table, host.env, files, onSecretProblem)
  const judged = read.ok ? (check?.(read.config) ?? []) : [...read.mistakes, ...otherMistakes(read, check)]
  const mistakes = [...judged, ...foreignMistakes(host.env)]
  if (read.ok && mistakes.length === 0) return read.config
  const lines = mistakes.map((mistake) => `  - ${mistake}\n`).join('')
  host.stderr.write(`${service}: ${mistakes.length} mistake(s) in the settings (--help lists them all)\n${lines}`)
  return host.exit(2)
}

/** Node's own switch would make every certificate good, whatever our settings say. */
const foreignMistakes = (env: Environment): readonly string[] =>
  env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
    ? ['NODE_TLS_REJECT_UNAUTHORIZED=0 would trust anybody: unset it, and name the authorities in a …_CA_FILE']
    : []

/** What the rules find beside the refused settings: a rule that names one of them cannot be judged. */
function otherMistakes<T extends SettingsTable>(
  { rest, refused }: Extract<ReadConfig<T>, { ok: false }>,
  check: LoadOptions<T>['check'],
): string[] {
  const isAbout = (mistake: string, name: string): boolean => mistake.split(/[^A-Z0-9_]+/).includes(name)
  return (check?.(rest) ?? []).filter((mistake) => !refused.some((name) => isAbout(mistake, name)))
}

/** Names that Kubernetes invents for services, and libraries read for themselves, are nobody's typing error. */
const foreignName = /^OTEL_|_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP)(_|$)|$)/

/** Warnings about variables that look like ours (first word of a known name) and are not. */
export function unknownNames(table: SettingsTable, env: Environment): string[] {
  const known = new Set(Object.values(table).flatMap((setting) => namesOf(setting)))
  const firstWord = (name: string) => name.slice(0, name.indexOf('_') + 1)
  const families = new Set([...known].map(firstWord).filter((word) => word !== ''))
  return Object.keys(env)
    .filter((name) => !known.has(name) && families.has(firstWord(name)) && !foreignName.test(name))
    .sort()
    .map((name) => `${name} is not a setting of this service and is ignored`)
}

export function helpText(service: string, table: SettingsTable): string {
  const rows = Object.values(table).map((setting) => {
    const names = namesOf(setting).join(', ')
    return `  ${names}\n      ${setting.help}\n      ${describeDefault(setting)}\n`
  })
  return `${service}: settings, taken from the environment\n\n${rows.join('')}`
}

function describeDefault(setting: Setting<unknown>): string {
  if (setting.default === undefined) return setting.optional === true ? 'optional' : 'required'
  if (setting.secret === true) return 'default: a secret'
  return `default: ${shownDefault(setting.default)}`
}

function shownDefault(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (Array.isArray(value)) return value.length === 0 ? '(empty)' : value.map(String).join(',')
  return String(value)
}

/** The rows of one service for docs/SETTINGS.md. */
export function settingsMarkdown(service: string, table: SettingsTable): string {
  const rows = Object.values(table).map((setting) => {
    const names = namesOf(setting)
      .map((name) => `\`${name}\``)
      .join(', ')
    return `| ${names} | ${describeDefault(setting).replace(/^default: /, '')} | ${setting.help.replaceAll('|', '\\|')} |`
  })
  return `## ${service}\n\n| setting | default | what it does |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

/** What may be logged at start: secrets masked, addresses without user, password and secret parameters. */
export function describeConfig<T extends SettingsTable>(table: T, config: ConfigOf<T>): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [key, { env, secret }] of Object.entries(table)) {
    const value: unknown = config[key]
    shown[env] = secret === true && value !== undefined ? secretMask : maskUrls(value)
  }
  return shown
}

function maskUrls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskUrls)
  return typeof value === 'string' && value.includes('://') ? redactUrl(value) : value
}
