// The operator: looks after every CityPresence it may see. `node operator/src/main.ts --help` lists the settings.
//
//   config -> admin port -> API server -> watches -> election (one of several works) -> rounds
//
// Stopped in reverse: no round runs any more before the Lease is let go.
import { randomBytes } from 'node:crypto'
import { describeConfig, loadConfig } from '@citypresence/chassis/config'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { CityError } from '@citypresence/chassis/errors'
import { namespaceFor, startLeaseElection } from '@citypresence/chassis/kube-lease'
import { runService } from '@citypresence/chassis/lifecycle'
import { createLogger, createSampledLog } from '@citypresence/chassis/log'
import { createMetrics } from '@citypresence/chassis/metrics'
import { startServiceAdmin } from '@citypresence/chassis/service-admin'
import packageJson from '../package.json' with { type: 'json' }
import { mistakesOf, settings } from './config.ts'
import { keepLease } from './edge/own-lease.ts'
import { openKubeApi } from './edge/kube-api.ts'
import { accessInCluster, leaseDoor } from './edge/kube-access.ts'
import { accessByKubeconfig } from './edge/kube-config.ts'
import { whileLeading } from './edge/led-api.ts'
import { readSight } from './edge/read-sight.ts'
import { createOperatorMetrics } from './metrics.ts'
import { startOperator, type Operator } from './operator.ts'

const config = loadConfig(settings, process, { service: 'operator', check: mistakesOf })
const metrics = createMetrics('operator')
const countError = (error: unknown): void => void metrics.countError(error)
const log = createLogger({ service: 'operator', level: config.logLevel, pod: config.podName, onLost: countError })
const told = createSampledLog(log)
const numbers = createOperatorMetrics(metrics)
const { version } = packageJson

await runService({
  log,
  process,
  stopDeadlineMs: config.stopDeadlineMs,
  onError: countError,
  start: async (parts) => {
    log.info({ settings: describeConfig(settings, config) }, 'operator starts')
    const now: { operator?: Operator; leads: boolean } = { leads: false }
    const telemetry = await startServiceAdmin(parts, {
      service: 'operator',
      config,
      metrics,
      log,
      reasons: () => (now.operator?.isSynced() === true ? [] : ['WatchesNotSynced']),
      alive: () => now.operator?.isAlive() ?? true,
      measure: () => now.operator?.measure(),
      role: () => ({ role: now.leads ? 'leader' : 'standby' }),
    })
    const { kubeconfig, kubeHost = '', kubePort, accountFolder } = config
    const access =
      kubeconfig === undefined
        ? accessInCluster(kubeHost, kubePort, accountFolder)
        : await accessByKubeconfig(kubeconfig)
    const namespace = namespaceFor(config, access.namespace)
    const userAgent = `citypresence-operator/${version}`
    const perS = config.apiRequestsPerS
    const onCall = (verb: string, code: string): void => numbers.apiCalls.inc({ verb, code })
    const api = await parts.start(
      'api',
      () => openKubeApi({ access, userAgent, clock: systemClock, onCall, rate: { perS, burst: 2 * perS } }),
      {
        stop: (one) => one.close(),
      },
    )
    const status = { name: config.leaseName }
    const lease = keepLease({
      api,
      namespace,
      name: config.leaseName,
      clock: systemClock,
      signal: parts.signal,
      onError: countError,
    })
    metrics.masterStatus.set(status, 0)
    const election = await parts.start(
      'election',
      () =>
        startLeaseElection(
          config,
          { door: leaseDoor(access, { userAgent, clock: systemClock }), namespace },
          {
            me: `${config.podUid ?? config.podName ?? 'operator'}_${randomBytes(6).toString('hex')}`,
            // Two at once do each other no harm, and none is wanted: what an operator writes is not fenced.
            fenced: false,
            random: Math.random,
            log: told,
            onError(error) {
              countError(error)
              if (error.code === 'LeaseMissing') lease.make()
            },
            onLeads() {
              metrics.masterStatus.set(status, 1)
              now.leads = true
              now.operator?.lead()
            },
            onLost(why) {
              metrics.masterStatus.set(status, 0)
              now.leads = false
              parts.end(new CityError('LeadershipLost', why))
            },
          },
        ),
      { drain: (one) => one.leave() },
    )
    now.operator = await parts.start(
      'operator',
      () =>
        startOperator({
          api: whileLeading(api, () => election.leads()),
          namespaces: config.watchNamespaces,
          context: {
            images: { aggregator: config.aggregatorImage, gateway: config.gatewayImage },
            imagePullPolicy: config.imagePullPolicy,
            imagePullSecrets: config.imagePullSecrets,
            operatorVersion: version,
            secretNames: config.secretNames,
            allowedHosts: config.allowedHosts,
            apiServerPorts: config.apiServerPorts,
            sight: readSight(),
          },
          clock: systemClock,
          random: Math.random,
          telemetry,
          log: told,
          numbers,
          countError,
        }),
      { drain: (one) => one.stop() },
    )
    if (now.leads) now.operator.lead()
  },
})
