// The real API server as the launchers start it: rights, Leases, restarts.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startKubeApiServer, type KubeApiServer } from './kube-apiserver.ts'
import { makeLeaseHome } from './kube-lease.ts'
import { stopAll } from './stop-all.ts'
import { until } from './until.ts'

let server: KubeApiServer
beforeAll(async () => {
  server = await startKubeApiServer()
})
afterAll(() => stopAll(server))

const versionOf = async (): Promise<unknown> => (await server.ask('GET', '/version')).body['gitVersion']

it('[S41] kube-apiserver is the pinned version, with its rights on', async () => {
  expect(await versionOf()).toBe('v1.34.4')
  const stranger = await fetch(`${server.url}/api/v1/namespaces`).catch((error: unknown) => error)
  expect(stranger).toBeInstanceOf(Error) // an authority that nobody else trusts
})

it('[S41] a Lease can be made, scribbled on and deleted by the harness, and an aggregator has a token', async () => {
  const home = await makeLeaseHome(server)
  expect(await home.readLease()).toBeUndefined()
  await home.makeLease()
  await home.scribble({ holderIdentity: 'somebody', leaseDurationSeconds: 5 })
  expect((await home.readLease())?.spec).toMatchObject({ holderIdentity: 'somebody' })
  await expect(home.scribble({ leaseDurationSeconds: 0 })).rejects.toThrow('422')
  expect(home.token.split('.')).toHaveLength(3)
  await home.deleteLease()
  expect(await home.readLease()).toBeUndefined()
})

it('[S41] killed and started again it has the same port and the same objects', async () => {
  const home = await makeLeaseHome(server)
  await home.makeLease({ holderIdentity: 'kept', leaseDurationSeconds: 5 })
  await server.kill()
  await expect(server.ask('GET', '/version')).rejects.toThrow()
  await server.restart()
  await until(async () => (await home.readLease())?.spec['holderIdentity'] === 'kept', {
    deadlineMs: 10_000,
    what: 'the Lease to be there again',
  })
})
