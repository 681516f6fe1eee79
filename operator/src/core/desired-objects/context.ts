// What the builders know beside the city: the settings of the operator, and what the cluster has.
import type { Sight } from '../sight.ts'

/** Kinds that a cluster may lack, and what serves the numbers of an autoscaler. */
export type ClusterHas = {
  readonly httpRoute: boolean
  readonly podMonitor: boolean
  readonly prometheusRule: boolean
  /** custom.metrics.k8s.io: an autoscaler may go by connections. */
  readonly customMetrics: boolean
}

export type Context = {
  /** From the operator's own settings: who may write a city shall not choose what runs. */
  readonly images: { readonly aggregator: string; readonly gateway: string }
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  /** Names of Secrets in the namespace of each city. */
  readonly imagePullSecrets: readonly string[]
  readonly operatorVersion: string
  /** marked: the name of every Secret has to contain `citypresence`. */
  readonly secretNames: 'marked' | 'any'
  /** Hosts that cities may ask: homeservers, city services, key addresses. Undefined: any. */
  readonly allowedHosts: readonly string[] | undefined
  /** Where the API server listens, behind its Service or before it: a policy sees the one or the other. */
  readonly apiServerPorts: readonly number[]
  readonly cluster: ClusterHas
  readonly sight: Sight
}
