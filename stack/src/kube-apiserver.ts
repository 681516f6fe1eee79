// Starts a real etcd and a real kube-apiserver (no nodes, no controllers): everything that speaks to the API can be tried on it.
// Rights are checked (RBAC), certificates are fresh ones that name 127.0.0.1. Ports and data stay over an end and a restart, so
// that a test can take the API server away and give it back.
//
//   etcd <- kube-apiserver <- admin (a client certificate)            for the test itself
//                          <- service account with one Role (a token) for what is tested
import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { kubeBinary } from './cache.ts'
import { createAuthority, newPrivateKeyPem, type Authority } from './certificates.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'
import { startAgain, type Restartable } from './restartable.ts'
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts'

export type KubeAnswer = { readonly status: number; readonly body: Record<string, unknown> }

export type KubeApiServer = Omit<Restartable, 'end' | 'stop'> & {
  readonly url: string
  readonly port: number
  readonly caFile: string
  /** Asks with every right; in JSON, unless the headers say otherwise. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<KubeAnswer>
  /** A kubeconfig with every right, for programs that want a file: helm, kubectl. */
  writeAdminKubeconfig(folder: string): string
  /** SIGKILL: asked in order it takes up to a minute. restart() works afterwards, on the same port and data. */
  kill(): Promise<void>
  stop(): Promise<void>
}

// 3 to 5 s on a quiet machine.
const readyDeadlineMs = 120_000
const askDeadlineMs = 10_000

export async function startKubeApiServer(): Promise<KubeApiServer> {
  const binaries = { etcd: kubeBinary('etcd'), apiServer: kubeBinary('kube-apiserver') }
  const folder = makeTemporaryFolder('kube')
  const authority = createAuthority('city-presence test authority')
  const files = writeFiles(folder, authority)
  const etcd = await startEtcd(binaries.etcd)
  try {
    const port = await freePort()
    const admin = adminOf(authority, port)
    const server = await startAgain(
      () =>
        startProcess({
          name: 'kube-apiserver',
          command: binaries.apiServer,
          args: apiServerArgs(etcd.url, port, files, folder.path),
          logFile: join(folder.path, 'kube-apiserver.log'),
          ports: [port],
          ready: async () => (await admin.ask('GET', '/readyz')).status === 200,
          readyDeadlineMs,
        }),
      folder,
    )
    return {
      ...livesOf(server),
      url: `https://127.0.0.1:${port}`,
      port,
      caFile: files.ca,
      ask: (method, path, body, headers) => admin.ask(method, path, body, headers),
      writeAdminKubeconfig(into) {
        const path = join(into, 'admin.kubeconfig')
        writeFileSync(path, JSON.stringify(adminKubeconfig(authority, admin, port), undefined, 2), { mode: 0o600 })
        return path
      },
      kill: () => server.end('SIGKILL'),
      async restart() {
        await server.end('SIGKILL')
        await server.restart()
      },
      async stop() {
        admin.close()
        await server.stop('SIGKILL')
        await etcd.stop()
      },
    }
  } catch (error) {
    await etcd.stop()
    throw error
  }
}

/** Getters, because the process changes with every restart. */
function livesOf(server: Restartable): Pick<Restartable, 'pid' | 'logFile' | 'isRunning' | 'rss' | 'pause' | 'resume'> {
  return {
    get pid() {
      return server.pid
    },
    get logFile() {
      return server.logFile
    },
    isRunning: () => server.isRunning(),
    rss: () => server.rss(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  }
}

async function startEtcd(command: string) {
  const folder = makeTemporaryFolder('etcd')
  const [port, peerPort] = [await freePort(), await freePort()]
  const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  const args = {
    'data-dir': join(folder.path, 'data'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    'log-level': 'warn',
    // Nobody needs this data after the machine has crashed.
    'unsafe-no-fsync': 'true',
  }
  const server = await startAgain(
    () =>
      startProcess({
        name: 'etcd',
        command,
        args: flags(args),
        logFile: join(folder.path, 'etcd.log'),
        ports: [port, peerPort],
        ready: async () => {
          const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })
          return (await answer.text()).includes('"true"')
        },
        readyDeadlineMs,
      }),
    folder,
  )
  return { url, stop: () => server.stop('SIGKILL') }
}

type Files = { readonly ca: string; readonly cert: string; readonly key: string; readonly accountKey: string }

function writeFiles(folder: TemporaryFolder, authority: Authority): Files {
  const place = (name: string, text: string): string => {
    const path = join(folder.path, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  const server = authority.forServer(['127.0.0.1', '10.96.0.1'], names)
  mkdirSync(join(folder.path, 'certs'))
  return {
    ca: place('ca.crt', authority.certPem),
    cert: place('server.crt', server.certPem),
    key: place('server.key', server.keyPem),
    accountKey: place('service-account.key', newPrivateKeyPem()),
  }
}

function apiServerArgs(etcdUrl: string, port: number, files: Files, folder: string): string[] {
  return flags({
    'etcd-servers': etcdUrl,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': String(port),
    'cert-dir': join(folder, 'certs'),
    'tls-cert-file': files.cert,
    'tls-private-key-file': files.key,
    'client-ca-file': files.ca,
    'authorization-mode': 'RBAC',
    'service-cluster-ip-range': '10.96.0.0/16',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': files.accountKey,
    'service-account-signing-key-file': files.accountKey,
    // There is no node that could be reached under the advertised address.
    'endpoint-reconciler-type': 'none',
  })
}

const flags = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)

function adminOf(authority: Authority, port: number) {
  const { certPem: cert, keyPem: key } = authority.forClient('admin', ['system:masters'])
  const agent = new Agent({ keepAlive: true, ca: authority.certPem, cert, key })
  return {
    cert,
    key,
    close: () => agent.destroy(),
    ask(
      method: string,
      path: string,
      body?: unknown,
      other: Readonly<Record<string, string>> = {},
    ): Promise<KubeAnswer> {
      return new Promise((resolve, reject) => {
        const signal = AbortSignal.timeout(askDeadlineMs)
        const headers = { 'content-type': 'application/json', accept: 'application/json', ...other }
        const asked = request({ host: '127.0.0.1', port, path, method, agent, signal, headers }, (response) => {
          response.setEncoding('utf8').on('error', reject)
          let text = ''
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: objectOf(text) }))
        })
        asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
      })
    },
  }
}

type Identity = { readonly cert: string; readonly key: string }

function adminKubeconfig(authority: Authority, { cert, key }: Identity, port: number) {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': base64(authority.certPem) }
  const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'admin',
    contexts: [{ name: 'admin', context: { cluster: 'city', user: 'admin' } }],
    clusters: [{ name: 'city', cluster }],
    users: [{ name: 'admin', user }],
  }
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch {
    return { text } // /readyz answers in plain words
  }
}
