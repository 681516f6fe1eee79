// The leader frozen and woken, twenty times, on a real kube-apiserver and a real nats-server. The Lease runs out after a second here, so
// that a cycle takes two: the periods of production are in the table of faults (`make chaos FAULTS=F2b CYCLES=500`).
import { stopAll } from '@citypresence/stack/stop-all'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startLeasedCity, type LeasedCity } from './testing/leased-city.ts'
import { expectOneVoice } from './testing/one-voice.ts'

const cycles = 20
let city: LeasedCity
beforeAll(async () => {
  city = await startLeasedCity({
    env: { LEASE_DURATION_MS: '1000', LEASE_RENEW_DEADLINE_MS: '700', LEASE_RETRY_PERIOD_MS: '200' },
  })
  for (let pods = 0; pods < 3; pods++) await city.startPod()
})
afterAll(() => stopAll(city))

it(
  '[E23] frozen and woken, twenty times, it stores nothing under its old voice, and ends as deposed',
  { timeout: 300_000 },
  async () => {
    let coming: Promise<unknown> = Promise.resolve()
    for (let cycle = 0; cycle < cycles; cycle++) {
      await city.standby()
      const { pod, term } = await city.leader()
      pod.pause()
      await city.leader(term)
      pod.resume()
      expect(await pod.exited).toEqual({ code: 3, signal: null })
      // Somebody takes its place; the third stands by meanwhile.
      await coming
      coming = city.startPod()
      await city.change()
      expectOneVoice(city.heard)
    }
    await coming
  },
)
