// How the API is reached, from files as the kubelet and kubectl lay them out.
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { accessByKubeconfig, accessInCluster, tokenOf } from './kube-access.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'kube-access-'))))
afterEach(() => rmSync(folder, { recursive: true }))
const place = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

it('[E14] in a pod the mounted account says who and where, and a new token is used at once', () => {
  place('namespace', 'city\n')
  place('token', 'first\n')
  const access = accessInCluster('10.96.0.1', 443, folder)
  expect(access).toMatchObject({ server: 'https://10.96.0.1:443', namespace: 'city', ca: { file: `${folder}/ca.crt` } })
  expect(accessInCluster('fd00::1', 443, folder).server).toBe('https://[fd00::1]:443')
  expect(tokenOf(access)).toBe('first')
  place('token', 'second')
  expect(tokenOf(access)).toBe('second')
  unlinkSync(join(folder, 'token'))
  expect(() => tokenOf(access)).toThrow(expect.objectContaining({ code: 'SecretUnreadable' }))
})

const yaml = `
current-context: here
contexts: [{name: here, context: {cluster: c, user: u, namespace: n}}]
clusters:
  - {name: c, cluster: {server: "https://h:6443", certificate-authority: ca.crt}}
users:
  - name: u
    user: {tokenFile: token, client-certificate: /abs/a.crt, client-key: a.key}
`

it('[E14] a kubeconfig is read as YAML, and its paths are beside it', () => {
  const access = accessByKubeconfig(place('config', yaml))
  place('token', 'of the file')
  expect(access).toMatchObject({
    ca: { file: join(folder, 'ca.crt') },
    client: { cert: { file: '/abs/a.crt' }, key: { file: join(folder, 'a.key') } },
  })
  expect(tokenOf(access)).toBe('of the file')
})

it('[E14] a kubeconfig that is missing, too large, no YAML or no kubeconfig is refused, and nothing of it is quoted', () => {
  const secret = 'eyJhbGciOi.a-secret'
  const paths = [
    join(folder, 'nowhere'),
    place('large', `# ${'x'.repeat(1024 * 1024)}`),
    place('broken', `token: "${secret}\n  - : [`),
    place('bomb', `a: &a [x]\n${Array.from({ length: 200 }, (_, index) => `b${index}: *a`).join('\n')}`),
    place('other', `token: ${secret}`),
  ]
  for (const path of paths) {
    const refused = (() => {
      try {
        return accessByKubeconfig(path)
      } catch (error) {
        return error
      }
    })()
    expect(refused).toMatchObject({ code: 'KubeconfigRefused' })
    expect(JSON.stringify(refused, Object.getOwnPropertyNames(refused))).not.toContain(secret)
  }
})
