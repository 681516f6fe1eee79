import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { authorityPem, serverPem } from '@citypresence/chassis/testing/tls-fixture'
import { accessInCluster, leaseDoor, openKubeAccess, type KubeAccess } from './kube-access.ts'

let folder: string
let access: KubeAccess
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kube-access-'))
})
afterEach(async () => {
  await access.close()
  rmSync(folder, { recursive: true })
})

const mount = (files: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

it('[OA1] in a pod the mounted account says who we are; a new token is used at once, another authority on new connections', async () => {
  mount({ token: 'first\n', namespace: 'city\n', 'ca.crt': authorityPem })
  access = accessInCluster('10.96.0.1', 443, folder)
  const first = await access.reach()
  expect(access.namespace).toBe('city')
  expect(first).toMatchObject({ server: 'https://10.96.0.1:443', headers: { authorization: 'Bearer first' } })
  expect(new Set([first.requests, first.watches, first.lease]).size).toBe(3)
  mount({ token: 'second' })
  const second = await access.reach()
  expect(second).toMatchObject({ headers: { authorization: 'Bearer second' } })
  expect(second.requests).toBe(first.requests)
  mount({ 'ca.crt': serverPem })
  expect((await access.reach()).requests).not.toBe(first.requests)
  rmSync(join(folder, 'ca.crt'))
  await expect(access.reach()).rejects.toMatchObject({ code: 'SecretUnreadable' })
})

it('[OA1] the election asks as the same account, on connections of its own; a token that was refused is read again', async () => {
  const seen: (string | undefined)[] = []
  const server: Server = createServer(({ headers, url }, response) => {
    seen.push(`${url} ${headers.authorization}`)
    response.writeHead(headers.authorization === 'Bearer new' ? 200 : 401, { 'content-type': 'application/json' })
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let token = 'old'
  access = openKubeAccess({
    namespace: 'city',
    identify: () => ({
      server: `http://127.0.0.1:${port}`,
      headers: { authorization: `Bearer ${token}` },
      tls: {},
    }),
    forget: () => void (token = 'new'),
  })
  const door = leaseDoor(access, { userAgent: 'test', clock: systemClock })
  const limits = { timeoutMs: 5_000, maxBytes: 1_000 }
  expect((await door.request('/lease', limits)).status).toBe(401)
  expect((await door.request('/lease', limits)).status).toBe(200)
  expect(seen).toEqual(['/lease Bearer old', '/lease Bearer new'])
  await door.close()
  server.closeAllConnections()
  server.close()
})
