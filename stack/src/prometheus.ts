// Starts a real Prometheus that scrapes what it is told to, with rules, and asks it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prometheusBinary } from './cache.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'
import { startAgain, type Restartable } from './restartable.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export type ScrapeTarget = { readonly url: string; readonly labels: Readonly<Record<string, string>> }

export type PrometheusOptions = {
  readonly targets: readonly ScrapeTarget[]
  /** A file of rules. */
  readonly rulesFile: string
  /** Also how often rules are evaluated. */
  readonly everyMs: number
  readonly port?: number
}

export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }

export type Prometheus = Restartable & {
  readonly url: string
  /** What a query says now; throws its error. */
  ask(query: string): Promise<readonly Sample[]>
  /** The names of the alerts that burn or are about to. */
  alerts(): Promise<readonly { readonly name: string; readonly state: string }[]>
}

export async function startPrometheus({
  targets,
  rulesFile,
  everyMs,
  port: wish,
}: PrometheusOptions): Promise<Prometheus> {
  const binary = prometheusBinary('prometheus')
  const folder = makeTemporaryFolder('prometheus')
  const port = wish ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const data = join(folder.path, 'data')
  mkdirSync(data)
  const configFile = join(folder.path, 'prometheus.json')
  const every = `${everyMs}ms`
  // JSON is YAML, too.
  writeFileSync(
    configFile,
    JSON.stringify({
      global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
      rule_files: [rulesFile],
      scrape_configs: [
        {
          job_name: 'citypresence',
          static_configs: targets.map(({ url: target, labels }) => ({ targets: [new URL(target).host], labels })),
        },
      ],
    }),
  )
  const server = await startAgain(
    () =>
      startProcess({
        name: 'prometheus',
        command: binary,
        args: [`--config.file=${configFile}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`],
        logFile: join(folder.path, 'prometheus.log'),
        ports: [port],
        ready: async () => (await fetch(`${url}/-/ready`)).ok,
      }),
    folder,
  )
  return Object.assign(server, {
    url,
    async ask(query: string): Promise<readonly Sample[]> {
      const answer = await read<{ result: readonly Sample[] }>(`${url}/api/v1/query?query=${encodeURIComponent(query)}`)
      return answer.result
    },
    async alerts() {
      const answer = await read<{ alerts: readonly { labels: Record<string, string>; state: string }[] }>(
        `${url}/api/v1/alerts`,
      )
      return answer.alerts.map(({ labels, state }) => ({ name: labels['alertname'] ?? '', state }))
    },
  })
}

async function read<T>(url: string): Promise<T> {
  const response = await fetch(url)
  const answer = (await response.json()) as { status: string; error?: string; data: T }
  if (answer.status !== 'success') throw new Error(`${url}: ${answer.error ?? response.statusText}`)
  return answer.data
}
