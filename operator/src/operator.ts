// The operator put together, without settings and without an election: what it watches, what a round is, what is counted.
//
//   reflectors -> controller -> workers -> reconcile(round) -> cluster -> API server
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import type { CityError } from '@citypresence/chassis/errors'
import type { SampledLog } from '@citypresence/chassis/log'
import type { Telemetry } from '@citypresence/chassis/telemetry'
import { fieldManagers } from '@citypresence/wire/city-resource'
import { startController, type Controller, type Watched } from './controller.ts'
import type { Context } from './core/desired-objects/context.ts'
import { kinds, type KubeKind } from './core/kube-kinds.ts'
import type { ReflectorSettings } from './core/reflector.ts'
import { createWorkQueue, type WorkQueue } from './core/work-queue.ts'
import { createCluster } from './edge/cluster.ts'
import type { KubeApi } from './edge/kube-api.ts'
import { createKubeEvents } from './edge/kube-events.ts'
import { runReflector } from './edge/reflector.ts'
import { countByReadiness, longestSilences, type OperatorMetrics } from './metrics.ts'
import { createReconcile } from './reconcile.ts'
import type { Round } from './workers.ts'

export type OperatorOptions = {
  readonly api: KubeApi
  /** Empty: all of them. */
  readonly namespaces: readonly string[]
  readonly context: Omit<Context, 'cluster'>
  readonly clock: Clock
  readonly random: () => number
  readonly telemetry: Pick<Telemetry, 'startSpan'>
  readonly log: SampledLog
  readonly numbers: OperatorMetrics
  readonly countError: (error: unknown) => void
  readonly reflectorSettings?: Partial<ReflectorSettings>
}

export type Operator = Pick<Controller, 'isSynced' | 'isAlive' | 'lead' | 'cities' | 'objectsOf'> & {
  readonly queue: WorkQueue
  /** Writes down what is only known by looking: depth, age, silence. */
  measure(): void
  stop(): Promise<void>
}

/** All that the operator makes, and nothing else: what others made is not even read. */
const children: readonly KubeKind[] = [
  kinds.ConfigMap,
  kinds.ServiceAccount,
  kinds.Role,
  kinds.RoleBinding,
  kinds.Lease,
  kinds.Deployment,
  kinds.Service,
  kinds.PodDisruptionBudget,
  kinds.HorizontalPodAutoscaler,
  kinds.NetworkPolicy,
  kinds.Ingress,
  kinds.HTTPRoute,
  kinds.PodMonitor,
  kinds.PrometheusRule,
]
const labelSelector = `app.kubernetes.io/managed-by=${fieldManagers.operator}`

// Who installs a metrics server does not do it for us, nor often.
const customMetricsEveryMs = 300_000
const customMetricsGroups = ['custom.metrics.k8s.io/v1beta2', 'custom.metrics.k8s.io/v1beta1']

export function startOperator(options: OperatorOptions): Operator {
  const { api, clock, random, log, numbers, countError } = options
  const queue = createWorkQueue()
  const stopping = new AbortController()
  let customMetrics = false

  const cluster = createCluster({
    api,
    events: createKubeEvents({ api, clock, onError: countError }),
    objectsOf: (city) => controller.objectsOf(city),
  })
  const reconcile = createReconcile({
    clock,
    context: () => ({
      ...options.context,
      cluster: {
        httpRoute: has(kinds.HTTPRoute),
        podMonitor: has(kinds.PodMonitor),
        prometheusRule: has(kinds.PrometheusRule),
        customMetrics,
      },
    }),
    cluster,
  })
  const has = (kind: KubeKind): boolean =>
    controller.reflectors.some((one) => one.kind.kind === kind.kind && one.isPresent())

  const everywhere: readonly (string | undefined)[] = options.namespaces.length === 0 ? [undefined] : options.namespaces
  const watched = [kinds.CityPresence, ...children].flatMap((kind) =>
    everywhere.map((namespace): Watched => ({ kind, namespace })),
  )
  const controller = startController({
    watched,
    queue,
    clock,
    random,
    telemetry: options.telemetry,
    open: ({ kind, namespace }, hooks) =>
      runReflector({
        ...{ api, kind, clock, random, ...hooks },
        scope: { namespace, labelSelector: kind.kind === kinds.CityPresence.kind ? undefined : labelSelector },
        onError(error) {
          countError(error)
          log.warn(`watch ${error.code}`, { err: error, code: error.code, kind: kind.plural }, 'cannot be watched')
        },
        onRestart: (why) => numbers.watchRestarts.inc({ kind: kind.plural, why }),
        ...(options.reflectorSettings === undefined ? {} : { settings: options.reflectorSettings }),
      }),
    round: (city, end) => cluster.within(end, () => reconcile.round(city)),
    forget: (uid) => reconcile.forget(uid),
    onRound: (round) => tellRound(round, options),
  })

  let cancelLook: Cancel = () => undefined
  const lookForMetrics = async (): Promise<void> => {
    try {
      const served = await Promise.all(customMetricsGroups.map((group) => api.serves(group, stopping.signal)))
      customMetrics = served.includes(true)
    } catch (error) {
      if (!stopping.signal.aborted) countError(error)
    }
    if (!stopping.signal.aborted) cancelLook = clock.after(customMetricsEveryMs, () => void lookForMetrics())
  }
  void lookForMetrics()

  return {
    ...controller,
    queue,
    measure() {
      const nowMs = clock.monotonicMs()
      numbers.queueDepth.set(queue.depth(nowMs))
      numbers.queueOldestSeconds.set(queue.oldestMs(nowMs) / 1000)
      const cities = controller.cities()
      numbers.cities.set(cities.length)
      for (const [ready, count] of Object.entries(countByReadiness(cities)))
        numbers.citiesByReadiness.set({ ready }, count)
      for (const [kind, silentMs] of longestSilences(controller.reflectors))
        numbers.watchSilentSeconds.set({ kind }, silentMs / 1000)
    },
    async stop() {
      stopping.abort()
      cancelLook()
      await controller.stop()
    },
  }
}

function tellRound(
  { key, waitedMs, tookMs, error, retryMs }: Round,
  { numbers, log, countError }: OperatorOptions,
): void {
  numbers.queueWaitSeconds.observe(waitedMs / 1000)
  numbers.reconcileSeconds.observe({ result: error === undefined ? 'done' : 'failed' }, tookMs / 1000)
  if (error === undefined) return
  countError(error)
  const { code } = error as Partial<CityError>
  numbers.reconcileErrors.inc({ code: code ?? 'Unexpected' })
  log.warn(`round ${key}`, { err: error, city: key, retryMs: Math.round(retryMs) }, 'a round failed and is tried again')
}
