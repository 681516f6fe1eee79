// A kubeconfig for the double, as a file: it speaks plain HTTP, which client-node takes only where it may skip TLS.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function writeKubeconfig(
  folder: string,
  { url, token, namespace = 'city' }: { url: string; token: string; namespace?: string },
): string {
  const path = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'double',
    contexts: [{ name: 'double', context: { cluster: 'double', user: 'operator', namespace } }],
    clusters: [{ name: 'double', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'operator', user: { token } }],
  }
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  return path
}
