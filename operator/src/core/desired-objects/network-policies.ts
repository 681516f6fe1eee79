// Who may speak with whom: from outside to the sockets, from anywhere to the admin ports, and outwards only where the settings lead.
// A policy knows addresses and ports, no names: so the ports of the servers that are named are what is let through.
import type { CityPresence, CitySpec } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import type { Context } from './context.ts'
import { childOf, nameOf, selectorOf, type Component } from './metadata.ts'
import { ports } from './settings.ts'

type Port = { readonly port: number; readonly protocol: 'TCP' | 'UDP' }

export function networkPolicy(
  city: CityPresence,
  component: Component,
  { apiServerPorts }: Pick<Context, 'apiServerPorts'>,
): KubeObject | undefined {
  if (city.spec.networkPolicy === 'Disabled') return undefined
  const listening = component === 'aggregator' ? [ports.aggregatorAdmin] : [ports.socket, ports.gatewayAdmin]
  return childOf(city, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    name: nameOf(city, component),
    component,
    spec: {
      podSelector: { matchLabels: selectorOf(city, component) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports: listening.map(tcp) }],
      egress: [{ ports: [...names, ...wayOut(city.spec, component, apiServerPorts).map(tcp)] }],
    },
  })
}

const tcp = (port: number): Port => ({ port, protocol: 'TCP' })
/** DNS. */
const names: readonly Port[] = [
  { port: 53, protocol: 'UDP' },
  { port: 53, protocol: 'TCP' },
]
const portsByScheme: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80, 'nats:': 4222, 'tls:': 4222 }

/** The ports of all addresses in the settings of this part, each once, in order. */
function wayOut(
  { matrix, rooms, nats, gateway, observability }: CitySpec,
  component: Component,
  apiServerPorts: readonly number[],
): number[] {
  const own = component === 'aggregator' ? [matrix.homeserverURL, rooms.http?.url] : [gateway.auth.jwks?.url]
  const addresses = [...nats.servers, observability.tracing?.otlpEndpoint, ...own]
  const asked = addresses.flatMap((address) => (address === undefined ? [] : portOf(address)))
  return [...new Set([...asked, ...(component === 'aggregator' ? apiServerPorts : [])])].sort((a, b) => a - b)
}

function portOf(address: string): number[] {
  if (!URL.canParse(address)) return []
  const { port, protocol } = new URL(address)
  const known = port === '' ? portsByScheme[protocol] : Number(port)
  return known === undefined ? [] : [known]
}
