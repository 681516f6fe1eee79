// The settings of an election by a Lease.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readConfig, type Environment } from './config.ts'
import { leaseMistakes, leaseSettings, openKubeHome } from './kube-lease.ts'

function configOf(env: Environment) {
  const read = readConfig(leaseSettings, env, { read: () => '' })
  if (!read.ok) throw new Error(read.mistakes.join())
  return read.config
}
const inPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }

it('[E15] in a pod nothing has to be set: 6, 4 and 1 seconds on the Lease city-presence', () => {
  const config = configOf(inPod)
  expect(leaseMistakes(config)).toEqual([])
  expect(config).toMatchObject({
    leaseName: 'city-presence',
    leaseDurationMs: 6_000,
    renewDeadlineMs: 4_000,
    retryPeriodMs: 1_000,
  })
})

it('[E15] periods that contradict each other, and no way to the API, are mistakes that name the settings', () => {
  expect(leaseMistakes(configOf({}))[0]).toContain('KUBECONFIG and KUBERNETES_SERVICE_HOST')
  expect(leaseMistakes(configOf({ KUBECONFIG: '/a' }))).toEqual([])
  for (const env of [{ LEASE_DURATION_MS: '4000' }, { LEASE_RETRY_PERIOD_MS: '3400' }])
    expect(leaseMistakes(configOf({ ...inPod, ...env }))[0]).toContain('LEASE_RENEW_DEADLINE_MS')
})

it('[E15] a namespace that nobody names is told at start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kube-lease-'))
  const path = join(folder, 'config')
  writeFileSync(
    path,
    JSON.stringify({
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:9' } }],
      users: [{ name: 'x', user: {} }],
    }),
  )
  const start = () => openKubeHome(configOf({ KUBECONFIG: path }), 'test')
  expect(start).toThrow(
    expect.objectContaining({ code: 'BadConfig', message: expect.stringContaining('POD_NAMESPACE') as string }),
  )
  rmSync(folder, { recursive: true })
})
