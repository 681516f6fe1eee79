// Runs helm on the chart of this house, and reads what it renders.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { helmBinary } from '@citypresence/stack/cache'
import { bareEnv } from '@citypresence/stack/machine'

export const chartFolder = join(import.meta.dirname, '../../../helm/city-presence')

export type Rendered = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

// On a busy machine helm takes some seconds to render, and asks the API server a hundred things when it installs.
const deadlineMs = 60_000
const outputBytesMax = 16 * 1024 * 1024

/** What it said. One that is refused rejects with what it said about it. */
export async function helm(folder: string, args: readonly string[], kubeconfig?: string): Promise<string> {
  const home = {
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
  }
  const { stdout } = await promisify(execFile)(helmBinary(), args, {
    env: { ...bareEnv(), ...home, ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }) },
    timeout: deadlineMs,
    maxBuffer: outputBytesMax,
  })
  return stdout
}

/** The objects of the chart for these values: as lines of --set-json, `nats.enabled=true`. */
export async function render(
  folder: string,
  values: readonly string[],
  release = 'city',
): Promise<readonly Rendered[]> {
  const text = await helm(folder, ['template', release, chartFolder, '--namespace', 'city-system', ...sets(values)])
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(String(document.errors[0]))
    const object = document.toJS() as Rendered | null
    return object === null ? [] : [object]
  })
}

export const sets = (values: readonly string[]): string[] => values.flatMap((value) => ['--set-json', value])
