// What only the owner of the machines can do: kill a process on a node, stop a node, take the API server away. On a kind cluster nodes are
// containers, and docker does it; on somebody's cluster nobody does, and scenarios say that they were not run.
import { bareEnv } from '@citypresence/stack/machine'
import { runProgram, type Pod } from './kube.ts'
import type { Settings } from './settings.ts'

export type Nodes = {
  /** SIGKILL to every process of the pod that carries this word in its command: what a crash or the OOM killer does. */
  kill(pod: Pod, command: string): Promise<void>
  /** The machine is switched off, without a word to anybody. */
  stop(node: string): Promise<void>
  start(node: string): Promise<void>
  /** The API server is taken away, and comes back. */
  stopApiServer(controlPlane: string): Promise<void>
  startApiServer(controlPlane: string): Promise<void>
  /** Memory of all nodes together, in MiB. */
  memoryMiB(nodes: readonly string[]): Promise<number>
}

const manifest = 'kube-apiserver.yaml'

/** Undefined where the nodes are not ours. */
export function nodesOf({ kindCluster, dockerHost }: Settings): Nodes | undefined {
  if (kindCluster === undefined) return undefined
  const env = { ...bareEnv(), ...(dockerHost !== undefined && { DOCKER_HOST: dockerHost }) }
  const docker = (...args: readonly string[]): Promise<string> =>
    runProgram('docker', args, { env, deadlineMs: 60_000 })
  const shell = (node: string, script: string): Promise<string> => docker('exec', node, 'sh', '-c', script)
  return {
    async kill(pod, command) {
      // A cgroup carries the uid of its pod, with - or with _ by the driver.
      const uid = (pod.metadata.uid ?? 'none').replaceAll('-', '[-_]')
      await shell(
        pod.spec.nodeName ?? '',
        `for p in /proc/[0-9]*; do grep -q 'pod${uid}' $p/cgroup 2>/dev/null && tr '\\0' ' ' <$p/cmdline | grep -q '${command}' && kill -9 \${p#/proc/}; done; true`,
      )
    },
    async stop(node) {
      await docker('kill', node)
    },
    async start(node) {
      await docker('start', node)
    },
    async stopApiServer(node) {
      // Without its manifest the kubelet does not start it again; it would end it politely within a minute, so it is killed.
      await shell(node, `mv /etc/kubernetes/manifests/${manifest} /etc/kubernetes/; pkill -9 -x kube-apiserver; true`)
    },
    async startApiServer(node) {
      await shell(node, `mv /etc/kubernetes/${manifest} /etc/kubernetes/manifests/`)
    },
    async memoryMiB(nodes) {
      const text = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', ...nodes)
      return text
        .trim()
        .split('\n')
        .reduce((sum, line) => sum + mebibytes(line), 0)
    },
  }
}

/** `534.2MiB / 23.4GiB` and `1.2GiB / …` in MiB. */
function mebibytes(line: string): number {
  const [, number = '0', unit = 'MiB'] = /^([\d.]+)(\wiB)/.exec(line) ?? []
  return Number(number) * (unit === 'GiB' ? 1024 : unit === 'KiB' ? 1 / 1024 : 1)
}
