import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCity, contextOf } from '../../testing/cities.ts'
import { gatewayService, httpRoute, ingress, socketUrl } from './network.ts'

it('[OD13] the Service says that it speaks WebSocket; a way in leads to it, by at most one of Ingress and HTTPRoute', () => {
  fc.assert(
    fc.property(anyCity, fc.boolean(), (city, hasRoutes) => {
      const context = contextOf({ cluster: { ...contextOf().cluster, httpRoute: hasRoutes } })
      const { ports } = gatewayService(city)['spec'] as { ports: object[] }
      expect(ports).toMatchObject([{ appProtocol: 'kubernetes.io/ws', targetPort: 'socket' }])
      const { exposure } = city.spec.gateway
      const ways = [ingress(city), httpRoute(city, context)].filter((one) => one !== undefined)
      expect(ways).toHaveLength(exposure === undefined || (exposure.httpRoute !== undefined && !hasRoutes) ? 0 : 1)
      for (const way of ways) {
        const text = JSON.stringify(way)
        for (const path of ['/ws/city/presence', '/api/city/presence']) expect(text).toContain(path)
        expect(text.includes('"/city"')).toBe(city.spec.gateway.page === 'Enabled')
        expect(text).not.toContain('timeout')
      }
      expect(socketUrl(city)).toBe(
        exposure === undefined
          ? undefined
          : `${exposure.ingress !== undefined && exposure.ingress.tlsSecretName === undefined ? 'ws' : 'wss'}://rt.city.example/ws/city/presence`,
      )
    }),
  )
})
