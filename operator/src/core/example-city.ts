// A first city, with nothing in it that has to be: shown in the docs and by the chart, and tried on a real API server.
import { apiVersion, kind, type WrittenCityPresence } from './city-presence.ts'

export const firstCity: WrittenCityPresence = {
  apiVersion,
  kind,
  metadata: { name: 'first' },
  spec: {
    matrix: {
      homeserverURL: 'https://matrix.example.org',
      userID: '@presence_daemon:example.org',
      accessTokenSecretRef: { name: 'citypresence-matrix' },
    },
    rooms: { inline: [{ slug: 'general', matrixRoomAlias: '#general:example.org' }] },
    nats: {
      servers: ['nats://nats.nats.svc:4222'],
      userPasswordSecretRef: { name: 'citypresence-nats' },
      gateway: { userPasswordSecretRef: { name: 'citypresence-nats-gateway' } },
    },
    gateway: { auth: { jwtSecretRef: { name: 'citypresence-jwt' } } },
  },
}
