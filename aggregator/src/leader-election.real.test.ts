// Two aggregators and one voice, on a real kube-apiserver and a real nats-server: killed, told to stop, cut from the API, and
// with a Lease that is deleted, scribbled on or held by a stranger.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiVersion, group, plural, type CityStatus } from '@citypresence/operator/core/city-presence'
import { firstCity } from '@citypresence/operator/core/example-city'
import { installCrd } from '@citypresence/operator/testing/api-of'
import { aggregatorRules } from '@citypresence/stack/kube-lease'
import { stopAll } from '@citypresence/stack/stop-all'
import { until } from '@citypresence/stack/until'
import { startLeasedCity, type LeasedCity, type Pod } from './testing/leased-city.ts'
import { expectOneVoice } from './testing/one-voice.ts'

const deadlineMs = 45_000
let city: LeasedCity
beforeAll(async () => {
  city = await startLeasedCity({ env: { CITY_PRESENCE_NAME: 'first' } })
  await makeCityPresence()
  await city.startPod()
  await city.leader()
})
afterAll(() => stopAll(city))

/** The resource that the operator would have, and the right on its status that it would give. */
async function makeCityPresence(): Promise<void> {
  const { kube, home } = city
  await installCrd(kube)
  const { namespace } = home
  const made = await kube.ask('POST', citiesIn(namespace), { ...firstCity, metadata: { name: 'first', namespace } })
  expect(made.status).toBe(201)
  const status = {
    apiGroups: [group],
    resources: [`${plural}/status`],
    resourceNames: ['first'],
    verbs: ['get', 'patch'],
  }
  await kube.ask('PUT', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/aggregator`, {
    metadata: { name: 'aggregator' },
    rules: [...aggregatorRules(home.name), status],
  })
}
const citiesIn = (namespace: string): string => `/apis/${apiVersion}/namespaces/${namespace}/${plural}`

/** What the status says once this pod has told it. */
const toldBy = ({ uid }: Pod) =>
  until(
    async () => {
      const { body } = await city.kube.ask('GET', `${citiesIn(city.home.namespace)}/first`)
      const { aggregator, conditions, rooms } = (body['status'] ?? {}) as CityStatus
      const reasons = conditions?.map(({ type, reason }) => `${type} ${reason}`) ?? []
      const isTold =
        aggregator?.leader?.startsWith(`${uid}_`) === true && reasons.includes('StreamReady StreamWritable')
      return isTold ? { reasons: reasons.sort(), rooms } : undefined
    },
    { deadlineMs, what: `the status of the leader ${uid}` },
  )

const readyz = async (pod: Pod) => {
  const answer = await fetch(`${pod.adminUrl}/readyz`)
  return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) }
}
const statusIn = async (pod: Pod): Promise<string | undefined> =>
  /^leader_election_master_status\{name="city-presence"\} (\d)$/m.exec(await pod.metrics())?.[1]

/** Each transition opens a thousand terms. */
const transitionsOf = (term: number): number => Math.floor(term / 1_000)

const beatsOf = (term: number): number =>
  city.heard.filter(({ subject, epoch }) => subject === 'city.presence.beat' && epoch?.term === term).length
/** So long that every lease has run out: the leader beats once a second. */
const untilItWentOn = (term: number, beats = 9): Promise<unknown> => {
  const from = beatsOf(term)
  return until(() => beatsOf(term) >= from + beats, { deadlineMs, what: `${beats} more beats of term ${term}` })
}

describe('two aggregators by a Lease', () => {
  it('[E20] one leads and holds the Lease, the other is ready too, and both say which they are', async () => {
    const [{ pod: leading, term }, waiting] = [await city.leader(), await city.standby()]
    expect(await readyz(leading)).toEqual({ status: 200, ready: true, reasons: [], role: 'leader', term })
    expect(await readyz(waiting)).toEqual({ status: 200, ready: true, reasons: [], role: 'standby' })
    expect([await statusIn(leading), await statusIn(waiting)]).toEqual(['1', '0'])
    const spec = (await city.home.readLease())?.spec
    expect(spec).toMatchObject({ leaseTransitions: transitionsOf(term), leaseDurationSeconds: 6 })
    expect(spec?.['holderIdentity']).toMatch(new RegExp(`^${leading.uid}_`))
    expectOneVoice(city.heard)
  })

  it('[LS7] the process that leads tells in the status who it is and what it knows', async () => {
    const { pod } = await city.leader()
    expect(await toldBy(pod)).toEqual({
      reasons: ['MatrixSynced Synced', 'RoomsResolved AllResolved', 'StreamReady StreamWritable'],
      rooms: { count: 1, unresolved: 0, online: 1 },
    })
  })

  it('[E21] killed, it is followed by the standby under a higher term, with all that changed meanwhile', async () => {
    await city.standby()
    const { pod, term } = await city.leader()
    await pod.kill()
    const { epoch } = await city.change()
    expect(epoch?.term).toBeGreaterThan(term)
    await city.leader(term)
    expectOneVoice(city.heard)
  })

  it('[LS7] the next one writes over it', async () => {
    const { pod } = await city.leader()
    expect((await toldBy(pod)).rooms).toMatchObject({ count: 1 })
  })

  it('[E22] told to stop, it lets the Lease go after its last acknowledged write, and nobody waits for it to run out', async () => {
    await city.standby()
    const { pod, term } = await city.leader()
    const exit = await pod.stop()
    expect(exit).toEqual({ code: 0, signal: null })
    const order = pod
      .logLines()
      .flatMap(({ msg, part, released }) =>
        msg === 'has left the election'
          ? [`released ${String(released)}`]
          : part === 'voices: drain'
            ? ['last write']
            : [],
      )
    expect(order).toEqual(['last write', 'released true'])
    await city.leader(term)
    expectOneVoice(city.heard)
  })

  it('[E24] with the API server gone the leader goes on, and nobody else begins; with it back the Lease is renewed', async () => {
    const [{ term }, waiting] = [await city.leader(), await city.standby()]
    await city.kube.kill()
    await untilItWentOn(term)
    expect((await city.change()).epoch?.term).toBe(term)
    expect((await readyz(waiting)).status).toBe(200)
    await city.kube.restart()
    const before = (await city.home.readLease())?.spec
    await until(async () => (await city.home.readLease())?.spec['renewTime'] !== before?.['renewTime'], {
      deadlineMs,
      what: 'a renewal',
    })
    expect((await city.home.readLease())?.spec).toMatchObject({
      holderIdentity: before?.['holderIdentity'],
      leaseTransitions: transitionsOf(term),
    })
    await untilItWentOn(term, 3)
    expectOneVoice(city.heard)
  })

  it('[E25] cut from the API alone, the leader goes on until another has claimed, and then ends', async () => {
    await city.standby()
    const { pod, term } = await city.leader()
    await pod.api.become({ kind: 'refuse' })
    const next = await city.leader(term)
    expect(await pod.exited).toEqual({ code: 3, signal: null })
    expect(next.pod).not.toBe(pod)
    expectOneVoice(city.heard)
  })

  it('[E26] a Lease that is deleted costs nothing, and made again it is taken by who leads, under the same term', async () => {
    await city.standby()
    const { pod, term } = await city.leader()
    await city.home.deleteLease()
    await untilItWentOn(term)
    await city.home.makeLease()
    await until(async () => String((await city.home.readLease())?.spec['holderIdentity']).startsWith(`${pod.uid}_`), {
      deadlineMs,
      what: 'the leader to hold the Lease again',
    })
    expect((await city.home.readLease())?.spec).toMatchObject({ leaseTransitions: transitionsOf(term) })
    await untilItWentOn(term, 3)
    expectOneVoice(city.heard)
  })

  it('[E26] a Lease that is emptied or scribbled on is repaired by who leads', async () => {
    const { pod, term } = await city.leader()
    for (const spec of [
      {},
      { leaseTransitions: 0, leaseDurationSeconds: 2 ** 31 - 1, renewTime: '9999-01-01T00:00:00.000000Z' },
    ]) {
      await city.home.scribble(spec)
      await until(async () => String((await city.home.readLease())?.spec['holderIdentity']).startsWith(`${pod.uid}_`), {
        deadlineMs,
        what: 'the repair',
      })
      expect((await city.home.readLease())?.spec).toMatchObject({
        leaseTransitions: transitionsOf(term),
        leaseDurationSeconds: 6,
      })
    }
    await untilItWentOn(term, 3)
    expectOneVoice(city.heard)
  })

  it('[E26] a stranger in the Lease ends the leader; he is waited for, and then one leads above all that was', async () => {
    await city.standby()
    const { pod, term } = await city.leader()
    await city.home.scribble({ holderIdentity: 'a stranger', leaseDurationSeconds: 3_600, leaseTransitions: 0 })
    expect(await pod.exited).toEqual({ code: 3, signal: null })
    await city.leader(term)
    expectOneVoice(city.heard)
  })

  it(
    '[E28] a leader cut from NATS hands over, and with both cut nobody takes what he cannot use',
    { timeout: 180_000 },
    async () => {
      const waiting = await city.standby()
      const { pod, term } = await city.leader()
      await pod.link.become({ kind: 'refuse' })
      expect(await pod.exited).toEqual({ code: 3, signal: null })
      expect(pod.log()).toContain('HandedOver')
      const next = await city.leader(term)
      expect(next.pod).toBe(waiting)
      expectOneVoice(city.heard)

      const other = await city.standby()
      for (const one of [next.pod, other]) await one.link.become({ kind: 'refuse' })
      expect(await next.pod.exited).toEqual({ code: 3, signal: null })
      const released = (await city.home.readLease())?.spec
      expect(released).toMatchObject({ holderIdentity: '' })
      // Free for longer than any lease, and left alone all the while.
      const freeUntilMs = performance.now() + 8_000
      while (performance.now() < freeUntilMs) expect((await city.home.readLease())?.spec).toEqual(released)
      await other.link.become({ kind: 'pass' })
      expect((await city.leader(next.term)).pod).toBe(other)
      expectOneVoice(city.heard)
    },
  )
})
