import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, cityOf, smallSpec } from '../../testing/cities.ts'
import { networkPolicy } from './network-policies.ts'

const apiServerPorts = [443, 6443]
type Spec = { policyTypes: string[]; ingress: { ports: Port[] }[]; egress: { ports: Port[] }[] }
type Port = { port: number; protocol: string }

const portsOf = (policies: { ports: Port[] }[]): string[] =>
  policies.flatMap(({ ports }) => ports.map(({ port, protocol }) => `${port}/${protocol}`))

it('[OD14] where policies are asked for both parts have one, for both directions, and none names a port twice', () => {
  fc.assert(
    fc.property(anyCity, fc.constantFrom('aggregator' as const, 'gateway' as const), (city, component) => {
      const policy = networkPolicy(city, component, { apiServerPorts })
      expect(policy === undefined).toBe(city.spec.networkPolicy === 'Disabled')
      if (policy === undefined) return
      const { policyTypes, egress } = policy['spec'] as Spec
      expect(policyTypes).toEqual(['Ingress', 'Egress'])
      const ports = portsOf(egress)
      expect(new Set(ports).size).toBe(ports.length)
      expect(ports.slice(0, 2)).toEqual(['53/UDP', '53/TCP'])
    }),
  )
})

it('[OD14] outwards lead the ports of the servers that are named, and for the aggregator the API', () => {
  const city = cityOf({
    ...smallSpec,
    nats: { servers: ['nats://a', 'tls://b:4443'] },
    observability: { tracing: { otlpEndpoint: 'http://otel:4318' } },
    networkPolicy: 'Managed',
  })
  const wayOut = (component: 'aggregator' | 'gateway') =>
    portsOf((networkPolicy(city, component, { apiServerPorts })?.['spec'] as Spec).egress).slice(2)
  expect(wayOut('aggregator')).toEqual(['443/TCP', '4222/TCP', '4318/TCP', '4443/TCP', '6443/TCP', '7001/TCP'])
  expect(wayOut('gateway')).toEqual(['4222/TCP', '4318/TCP', '4443/TCP'])
  const elsewhere = networkPolicy(city, 'aggregator', { apiServerPorts: [16443] })
  expect(portsOf((elsewhere?.['spec'] as Spec).egress)).toContain('16443/TCP')
  expect(portsOf((elsewhere?.['spec'] as Spec).egress)).not.toContain('6443/TCP')
})
