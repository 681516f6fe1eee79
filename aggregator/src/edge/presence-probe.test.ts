// The question whether the homeserver keeps presence at all.
import { startHomeserver } from '@citypresence/sim/homeserver'
import { expect, it, onTestFinished } from 'vitest'
import { createDaemon } from '../testing/matrix.ts'
import { probePresence } from './presence-probe.ts'

it('[M50] one PUT and one GET tell whether presence works; no answer tells nothing', async () => {
  const homeserver = await startHomeserver()
  const daemon = createDaemon({ url: homeserver.url, ...homeserver.account('presence_daemon') })
  onTestFinished(async () => {
    await daemon.stop()
    await homeserver.stop()
  })
  const { client, userId } = daemon
  expect(await probePresence(client, userId)).toEqual({ works: true })
  expect(homeserver.requests.map(({ method }) => method)).toEqual(['PUT', 'GET'])
  homeserver.stopTrackingPresence()
  expect(await probePresence(client, userId)).toEqual({ works: false })
  homeserver.fault({ path: /^\/presence/, fault: { kind: 'rate-limited', retryAfterMs: 9_991 } })
  expect(await probePresence(client, userId)).toMatchObject({ works: undefined, error: { code: 'MatrixRateLimited' } })
})
