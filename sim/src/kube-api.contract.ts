// What an operator relies on at the API server, as one suite for the double and for a real kube-apiserver; its edge runs on both as it is.
// Each test has a namespace of its own.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { kinds } from '@citypresence/operator/core/kube-kinds'
import { controllerOf, refOf, type KubeObject } from '@citypresence/operator/core/kube-object'
import type { WatchEvent } from '@citypresence/operator/core/watch-event'
import { openKubeApi, type KubeApi, type KubeApiOptions } from '@citypresence/operator/edge/kube-api'
import type { KubeAccess } from '@citypresence/operator/edge/kube-access'
import { createKubeEvents } from '@citypresence/operator/edge/kube-events'
import { until } from '@citypresence/stack/until'

export type ApiUnderTest = {
  readonly access: KubeAccess
  readonly namespace: string
  /** Somebody else writes, without server-side apply. */
  scribble(object: KubeObject): Promise<unknown>
  /** A version from which nothing can be watched any more. */
  forgottenVersion(): Promise<string>
  stop(): Promise<void>
}

const deadlineMs = 10_000

export function kubeApiContract(
  server: string,
  start: () => Promise<{ next(): Promise<ApiUnderTest>; stop(): Promise<void> }>,
): void {
  describe(`objects on ${server}`, () => {
    let all: Awaited<ReturnType<typeof start>>
    let under: ApiUnderTest
    let api: KubeApi
    beforeAll(async () => {
      all = await start()
    })
    afterAll(() => all.stop())
    beforeEach(async () => {
      under = await all.next()
      api = open()
      return async () => {
        await api.close()
        await under.stop()
      }
    })

    const open = (options: Partial<KubeApiOptions> = {}): KubeApi =>
      openKubeApi({
        access: under.access,
        userAgent: 'test',
        clock: systemClock,
        onCall: () => undefined,
        fieldValidation: 'Strict',
        rate: { perS: 1_000, burst: 1_000 },
        ...options,
      })
    const configMap = (
      name: string,
      data: Record<string, string>,
      labels: Record<string, string> = {},
    ): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: under.namespace, labels },
      data,
    })
    const deployment = (spec: object = {}): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'gateway', namespace: under.namespace },
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: {
          metadata: { labels: { app: 'a' } },
          spec: { containers: [{ name: 'gateway', image: 'gateway:1' }] },
        },
        ...spec,
      },
    })
    const scope = (labelSelector?: string) => ({ namespace: under.namespace, labelSelector })

    it('[OT1] an apply makes it, the same again changes no version, and only what is wanted is counted', async () => {
      expect(await api.get(refOf(deployment()))).toBeUndefined()
      const made = await api.apply(deployment({ replicas: 2 }))
      expect(made.metadata.generation).toBe(1)
      expect(await api.apply(deployment({ replicas: 2 }))).toEqual(made)
      const labelled = await api.apply({
        ...deployment({ replicas: 2 }),
        metadata: { ...deployment().metadata, labels: { a: 'b' } },
      })
      expect(labelled.metadata).toMatchObject({ generation: 1, labels: { a: 'b' } })
      expect(labelled.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion)
      const scaled = await api.apply(deployment({ replicas: 3 }))
      expect(scaled.metadata).toMatchObject({ generation: 2, uid: made.metadata.uid })
      expect(scaled.metadata.labels ?? {}).not.toHaveProperty('a')
      expect(await api.get(refOf(deployment()))).toEqual(scaled)
    })

    it("[OT1] what is left out goes, what is others' stays, and what is wanted is taken from them", async () => {
      await api.apply(configMap('rooms', { ours: '1', both: '1' }))
      const live = await api.get(refOf(configMap('rooms', {})))
      if (live === undefined) throw new Error('it was not made')
      await under.scribble({ ...live, data: { ours: '1', both: 'theirs', theirs: '1' } })
      const taken = await api.apply(configMap('rooms', { ours: '1', both: '2' }))
      expect(taken['data']).toEqual({ ours: '1', both: '2', theirs: '1' })
      const left = await api.apply(configMap('rooms', { both: '2' }))
      expect(left['data']).toEqual({ both: '2', theirs: '1' })
      const managers = left.metadata.managedFields?.map(
        ({ manager, operation }) => `${String(manager)} ${String(operation)}`,
      )
      expect(managers).toContain('citypresence-operator Apply')
    })

    it('[OT2] with a uid only that very object is changed or deleted, and none is made', async () => {
      const made = await api.apply(configMap('rooms', { a: '1' }))
      const foreign = {
        ...configMap('rooms', { a: '2' }),
        metadata: { ...configMap('rooms', {}).metadata, uid: 'another-uid' },
      }
      // A uid cannot be changed: to the server this is no conflict, but nonsense.
      await expect(api.apply(foreign)).rejects.toMatchObject({ code: 'KubeRefused', failure: { status: 422 } })
      await expect(api.delete({ ...refOf(made), uid: 'another-uid' })).rejects.toMatchObject({ code: 'KubeConflict' })
      expect((await api.get(refOf(made)))?.['data']).toEqual({ a: '1' })
      await expect(api.create(configMap('rooms', {}))).rejects.toMatchObject({
        code: 'KubeConflict',
        failure: { reason: 'AlreadyExists' },
      })
      const uid = made.metadata.uid ?? ''
      expect(await api.delete({ ...refOf(made), uid })).toBe(true)
      expect(await api.delete({ ...refOf(made), uid })).toBe(false)
      await expect(api.apply({ ...foreign, metadata: { ...foreign.metadata, uid } })).rejects.toMatchObject({
        code: 'KubeConflict',
      })
      expect(await api.get(refOf(made))).toBeUndefined()
      expect((await api.create(configMap('rooms', { a: '3' }))).metadata.uid).not.toBe(uid)
    })

    it('[OT1] a status is a part of its own: its writer changes nothing that is wanted, and the other way round', async () => {
      const made = await api.apply(deployment({ replicas: 2 }))
      const status = { observedGeneration: 1, replicas: 2 }
      const told = await api.applyStatus({ ...deployment(), spec: undefined, status })
      expect(told['status']).toMatchObject(status)
      expect(told.metadata.generation).toBe(made.metadata.generation)
      const scaled = await api.apply(deployment({ replicas: 3 }))
      expect(scaled['status']).toMatchObject(status)
      await expect(
        api.applyStatus({
          ...deployment(),
          metadata: { name: 'none', namespace: under.namespace },
          spec: undefined,
          status,
        }),
      ).rejects.toMatchObject({ code: 'KubeMissing' })
    })

    it('[OT3] a list comes whole, whatever the size of its pages, and is selected by label', async () => {
      const names = ['a', 'b', 'c', 'd', 'e']
      for (const name of names) await api.apply(configMap(name, {}, { half: name < 'c' ? 'first' : 'second' }))
      const paged = open({ pageSize: 2 })
      const listed = await paged.list(kinds.ConfigMap, scope('half'))
      expect(listed.objects.map(({ metadata }) => metadata.name)).toEqual(names)
      expect(listed.objects[0]).toMatchObject({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace: under.namespace },
      })
      const first = await api.list(kinds.ConfigMap, scope('half=first'))
      expect(first.objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
    })

    /** What a watch tells until it ends. */
    function watch(version: string, labelSelector: string, timeoutS: number) {
      const told: WatchEvent[] = []
      const stop = new AbortController()
      let active = 0
      const ended = api.watch(kinds.ConfigMap, scope(labelSelector), {
        version,
        timeoutS,
        onEvent: (event) => told.push(event),
        onActivity: () => active++,
        signal: stop.signal,
      })
      ended.catch(() => undefined)
      return { told, ended, stop: () => stop.abort(), active: () => active }
    }
    const short = (event: WatchEvent): string =>
      'object' in event
        ? `${event.type} ${event.object.metadata.name} ${JSON.stringify(event.object['data'])}`
        : event.type

    it('[OT3] a watch goes on from a list: each change once and in order; what leaves the selection is told as gone', async () => {
      await api.apply(configMap('old', { n: '0' }, { watched: 'yes' }))
      const { version } = await api.list(kinds.ConfigMap, scope('watched=yes'))
      const made = await api.apply(configMap('new', { n: '€' }, { watched: 'yes' }))
      const one = watch(version, 'watched=yes', 30)
      await until(() => one.told.length >= 1, { deadlineMs, what: 'what happened before the watch' })
      await api.apply(configMap('new', { n: '2' }, { watched: 'yes' }))
      await api.apply(configMap('other', {}, { watched: 'no' }))
      await api.apply(configMap('old', { n: '0' }, {}))
      await api.delete({ ...refOf(made), uid: made.metadata.uid ?? '' })
      await until(() => one.told.length >= 4, { deadlineMs, what: 'four changes' })
      expect(one.told.map(short)).toEqual([
        'ADDED new {"n":"€"}',
        'MODIFIED new {"n":"2"}',
        'DELETED old {"n":"0"}',
        'DELETED new {"n":"2"}',
      ])
      expect(one.active()).toBeGreaterThan(0)
      one.stop()
      await expect(one.ended).rejects.toMatchObject({ code: 'Aborted' })
    })

    it('[OT2] a kind that nobody has installed is missing, and so is its group', async () => {
      await expect(api.list(kinds.PodMonitor, scope())).rejects.toMatchObject({ code: 'KubeMissing' })
      expect(await api.serves('monitoring.coreos.com/v1')).toBe(false)
    })

    it('[OT4] what is told twice is one Event with a count', async () => {
      const errors: unknown[] = []
      const about = await api.apply(configMap('rooms', {}))
      const telling = { type: 'Warning', reason: 'SecretNotFound', message: 'there is no Secret' } as const
      // Another process, which remembers nothing.
      for (let process = 0; process < 2; process++)
        await createKubeEvents({ api, clock: systemClock, onError: (error) => errors.push(error) }).tell(about, telling)
      expect(errors).toEqual([])
      const { objects } = await api.list(kinds.Event, scope())
      expect(objects).toHaveLength(1)
      expect(objects[0]).toMatchObject({
        reason: 'SecretNotFound',
        type: 'Warning',
        involvedObject: { name: 'rooms', uid: about.metadata.uid },
      })
      expect(controllerOf(about)).toBeUndefined()
    })

    it('[OT3] the server ends a watch when it was asked to; a version that is forgotten is told as gone', async () => {
      const { version } = await api.list(kinds.ConfigMap, scope('watched=yes'))
      await watch(version, 'watched=yes', 1).ended
      const forgotten = await under.forgottenVersion()
      await expect(watch(forgotten, 'watched=yes', 5).ended).rejects.toMatchObject({ code: 'KubeGone' })
    })
  })
}
