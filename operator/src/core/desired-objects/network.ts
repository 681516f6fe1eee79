// How browsers reach the gateways: a Service, and an Ingress or HTTPRoute in front of it.
import { snapshotPath, socketPath } from '@citypresence/wire/client-messages'
import type { CityPresence, CitySpec } from '../city-presence.ts'
import type { KubeObject } from '../kube-object.ts'
import type { Context } from './context.ts'
import { childOf, nameOf, selectorOf } from './metadata.ts'

const pagePath = '/city'

const servicePort = 80

export const gatewayService = (city: CityPresence): KubeObject =>
  childOf(city, {
    apiVersion: 'v1',
    kind: 'Service',
    name: nameOf(city, 'gateway'),
    component: 'gateway',
    spec: {
      type: 'ClusterIP',
      selector: selectorOf(city, 'gateway'),
      ports: [
        {
          name: 'socket',
          port: servicePort,
          targetPort: 'socket',
          protocol: 'TCP',
          // Whoever routes to it upgrades.
          appProtocol: 'kubernetes.io/ws',
        },
      ],
    },
  })

const pathsOf = ({ gateway }: CitySpec): readonly { readonly path: string; readonly isWhole: boolean }[] => [
  { path: socketPath, isWhole: true },
  { path: snapshotPath, isWhole: true },
  ...(gateway.page === 'Enabled' ? [{ path: pagePath, isWhole: false }] : []),
]

export function ingress(city: CityPresence): KubeObject | undefined {
  const wish = city.spec.gateway.exposure?.ingress
  if (wish === undefined) return undefined
  const backend = { service: { name: nameOf(city, 'gateway'), port: { name: 'socket' } } }
  const paths = pathsOf(city.spec).map(({ path, isWhole }) => ({
    path,
    pathType: isWhole ? 'Exact' : 'Prefix',
    backend,
  }))
  return childOf(city, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    name: nameOf(city, 'gateway'),
    component: 'gateway',
    annotations: wish.annotations,
    spec: {
      ...(wish.className !== undefined && { ingressClassName: wish.className }),
      ...(wish.tlsSecretName !== undefined && { tls: [{ hosts: [wish.host], secretName: wish.tlsSecretName }] }),
      rules: [{ host: wish.host, http: { paths } }],
    },
  })
}

/** No timeout of the route: it would cut sockets. */
export function httpRoute(city: CityPresence, { cluster }: Context): KubeObject | undefined {
  const wish = city.spec.gateway.exposure?.httpRoute
  if (wish === undefined || !cluster.httpRoute) return undefined
  const matches = pathsOf(city.spec).map(({ path, isWhole }) => ({
    path: { type: isWhole ? 'Exact' : 'PathPrefix', value: path },
  }))
  return childOf(city, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    name: nameOf(city, 'gateway'),
    component: 'gateway',
    spec: {
      parentRefs: wish.parentRefs,
      hostnames: wish.hostnames,
      rules: [{ matches, backendRefs: [{ name: nameOf(city, 'gateway'), port: servicePort }] }],
    },
  })
}

/** Where browsers connect; undefined where nothing leads in from outside. */
export function socketUrl(city: CityPresence): string | undefined {
  const { ingress: byIngress, httpRoute: byRoute } = city.spec.gateway.exposure ?? {}
  const host = byIngress?.host ?? byRoute?.hostnames[0]
  if (host === undefined) return undefined
  // A route says nothing of TLS: its Gateway has it, as everybody who is sane does.
  const isPlain = byIngress !== undefined && byIngress.tlsSecretName === undefined
  return `${isPlain ? 'ws' : 'wss'}://${host}${socketPath}`
}
