import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { authorityPem, serverPem } from '@citypresence/chassis/testing/tls-fixture'
import type { KubeAccess } from './kube-access.ts'
import { accessByKubeconfig } from './kube-config.ts'

let folder: string
const opened: KubeAccess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kube-config-'))
})
afterEach(async () => {
  for (const access of opened.splice(0)) await access.close()
  rmSync(folder, { recursive: true })
})

const place = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

function kubeconfig(user: object, cluster: object = {}): string {
  const config = {
    'current-context': 'city',
    contexts: [{ name: 'city', context: { cluster: 'city', user: 'operator', namespace: 'city' } }],
    clusters: [{ name: 'city', cluster: { server: 'https://127.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'operator', user }],
  }
  return place('config', JSON.stringify(config))
}

const open = async (path: string): Promise<KubeAccess> => {
  const access = await accessByKubeconfig(path)
  opened.push(access)
  return access
}

it('[OA1] says who we are, and keeps its two agents for all calls', async () => {
  const access = await open(kubeconfig({ token: 'a-token' }))
  const first = await access.reach()
  expect(access.namespace).toBe('city')
  expect(first.server).toBe('https://127.0.0.1:6443')
  expect(first.headers).toEqual({ authorization: 'Bearer a-token' })
  expect(first.requests).not.toBe(first.watches)
  for (let call = 0; call < 50; call++) {
    const { requests, watches } = await access.reach()
    expect(requests).toBe(first.requests)
    expect(watches).toBe(first.watches)
  }
})

it('[OA1] an authority that was replaced is taken, on new connections', async () => {
  const file = place('ca.crt', authorityPem)
  const access = await open(kubeconfig({ token: 'a-token' }, { 'certificate-authority': file }))
  const first = await access.reach()
  place('ca.crt', serverPem)
  expect((await access.reach()).requests).not.toBe(first.requests)
})

it('[OA1] a token that was refused is read again', async () => {
  const tokenFile = place('token', 'old\n')
  const access = await open(kubeconfig({ 'auth-provider': { name: 'tokenFile', config: { tokenFile } } }))
  expect((await access.reach()).headers['authorization']).toBe('Bearer old')
  place('token', 'new\n')
  access.forget()
  expect((await access.reach()).headers['authorization']).toBe('Bearer new')
})

it('[OA1] what cannot be used is refused without a word of what stands in it', async () => {
  const secret = 'secret-that-nobody-may-read'
  const refused = { code: 'KubeconfigRefused', message: expect.not.stringContaining(secret) as string }
  for (const path of [
    place('config', `users: [{ token: ${secret}`),
    place('other', `current-context: ${secret}`),
    join(folder, 'none'),
  ])
    await expect(accessByKubeconfig(path)).rejects.toMatchObject(refused)
  const access = await open(kubeconfig({ 'client-certificate': join(folder, 'gone.crt'), 'client-key': secret }))
  await expect(access.reach()).rejects.toMatchObject({
    code: 'SecretUnreadable',
    message: expect.stringContaining('ENOENT') as string,
  })
  const proxied = await open(kubeconfig({ token: secret }, { 'proxy-url': 'socks5://127.0.0.1:1' }))
  await expect(proxied.reach()).rejects.toMatchObject(refused)
})
