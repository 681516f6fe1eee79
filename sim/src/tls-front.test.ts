import { once } from 'node:events'
import { createServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAuthority } from '@citypresence/stack/certificates'
import { afterEach, expect, it } from 'vitest'
import { startTlsFront, type TlsFront } from './tls-front.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const ours = createAuthority('ours')
const theirs = createAuthority('theirs')
const forLocalhost = ours.forServer(['127.0.0.1'], ['localhost'])

async function start(): Promise<TlsFront> {
  const server = createServer((_, response) => response.end('well')).listen(0, '127.0.0.1')
  stops.push(() => new Promise((resolve) => server.close(resolve)))
  await once(server, 'listening')
  const front = await startTlsFront({ to: (server.address() as AddressInfo).port, certificate: forLocalhost })
  stops.push(() => front.stop())
  return front
}

const ask = (front: TlsFront): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: front.port, ca: ours.certPem, agent: false }, (response) => {
      let text = ''
      response.on('data', (bytes) => (text += String(bytes)))
      response.on('end', () => resolve(text))
    })
    asked.on('error', reject)
    asked.end()
  })

it('[D13] what stands behind it is reached by who knows its authority, and by nobody while another certificate is shown', async () => {
  const front = await start()
  expect(await ask(front)).toBe('well')
  front.show(theirs.forServer(['127.0.0.1'], ['localhost']))
  await expect(ask(front)).rejects.toThrow()
  front.show(ours.forServer([], ['elsewhere.test']))
  await expect(ask(front)).rejects.toThrow(/127\.0\.0\.1|altnames/)
  front.show(forLocalhost)
  expect(await ask(front)).toBe('well')
})
