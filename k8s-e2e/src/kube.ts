// The cluster as its users have it: kubectl. Each call is a process of its own with a deadline, so that a cluster that hangs is a
// sentence and not a silence.
import { spawn } from 'node:child_process'
import { kubectlBinary } from '@citypresence/stack/cache'
import { bareEnv } from '@citypresence/stack/machine'
import { until } from '@citypresence/stack/until'

export type KubeThing = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
    readonly generation?: number
    readonly resourceVersion?: string
  }
  readonly [field: string]: unknown
}

export type Pod = KubeThing & {
  readonly spec: { readonly nodeName?: string }
  readonly status: {
    readonly phase?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly { readonly restartCount: number }[]
  }
}
export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

class KubectlFailure extends Error {
  override readonly name = 'KubectlFailure'
  readonly said: string
  constructor(args: readonly string[], said: string) {
    super(`kubectl ${args.join(' ')}: ${said.slice(0, 2_000)}`)
    this.said = said
  }
}

export type Kube = ReturnType<typeof kubeOf>
type RunOptions = { readonly input?: string; readonly deadlineMs?: number }

// A minute: a busy API server answers within seconds; longer waits are asked for by who waits.
const deadlineDefaultMs = 60_000

export function kubeOf(kubeconfig: string) {
  const run = (args: readonly string[], options: RunOptions = {}): Promise<string> =>
    runProgram(kubectlBinary(), args, { env: { ...bareEnv(), KUBECONFIG: kubeconfig }, ...options })
  const find = async (args: readonly string[]): Promise<unknown> => {
    const text = await run(['get', ...args, '--ignore-not-found', '--output', 'json'])
    return text.trim() === '' ? undefined : JSON.parse(text)
  }
  return {
    run,
    async get<T extends KubeThing = KubeThing>(kind: string, name: string, namespace: string): Promise<T | undefined> {
      return (await find([kind, name, '--namespace', namespace])) as T | undefined
    },
    /** `selector` as kubectl has it; without one all of the namespace. */
    async list<T extends KubeThing = KubeThing>(
      kinds: string,
      namespace: string,
      selector = '',
    ): Promise<readonly T[]> {
      const found = await find([kinds, '--namespace', namespace, '--selector', selector])
      return (found as { items?: readonly T[] } | undefined)?.items ?? []
    },
    apply: (namespace: string, ...objects: readonly KubeThing[]): Promise<string> =>
      run(['apply', '--namespace', namespace, '--filename', '-'], { input: JSON.stringify(listOf(objects)) }),
    patch: (kind: string, name: string, namespace: string, patch: unknown): Promise<string> =>
      run(['patch', kind, name, '--namespace', namespace, '--type', 'merge', '--patch', JSON.stringify(patch)]),
    /** Resolves when the API server has taken the wish, not when it is gone. */
    remove: (kind: string, name: string, namespace: string, ...more: readonly string[]): Promise<string> =>
      run(['delete', kind, name, '--namespace', namespace, '--ignore-not-found', '--wait=false', ...more]),
    rolledOut: (deployment: string, namespace: string, deadlineMs: number): Promise<string> =>
      run(['rollout', 'status', deployment, '--namespace', namespace, `--timeout=${Math.ceil(deadlineMs / 1000)}s`], {
        deadlineMs: deadlineMs + 10_000,
      }),
  }
}

const listOf = (items: readonly KubeThing[]) => ({ apiVersion: 'v1', kind: 'List', items })

/** Output of a program that ended well; else an error with what it said. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions & { readonly env: Readonly<Record<string, string>> },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(options.deadlineMs ?? deadlineDefaultMs)
    const child = spawn(command, args, {
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', (error) =>
      reject(new KubectlFailure(args, error.name === 'AbortError' ? 'no answer in time' : error.message)),
    )
    child.on('close', (code) => {
      const said = Buffer.concat(err).toString('utf8')
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'))
      else reject(new KubectlFailure(args, said === '' ? `exit code ${code ?? 'none'}` : said))
    })
    child.stdin.on('error', () => undefined) // it ended before it had read all; its exit code says why
    child.stdin.end(options.input ?? '')
  })
}

export const isReady = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

/** Waits until this many pods are ready, and no other is there beside them. */
export async function podsReady(
  kube: Kube,
  namespace: string,
  selector: string,
  count: number,
  deadlineMs: number,
): Promise<readonly Pod[]> {
  let pods: readonly Pod[] = []
  await until(
    async () => {
      pods = await kube.list<Pod>('pods', namespace, selector)
      return pods.length === count && pods.every(isReady)
    },
    { deadlineMs, everyMs: 500, what: `${count} ready pods of ${selector}` },
  )
  return pods
}
