// The CityPresence of the scenarios, as docs/KUBERNETES.md writes it. Its times are short where a scenario waits for them.
import type { CityPeople } from '@citypresence/stack/city-fixture'
import type { KubeThing } from './kube.ts'
import { cityName, namespace, natsName, release } from './names.ts'
import { synapseName } from './synapse.ts'

/** A pod leaves a node that fell silent after ten seconds instead of five minutes. */
const tolerations = ['not-ready', 'unreachable'].map((what) => ({
  key: `node.kubernetes.io/${what}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 10,
}))

/** For so long the gateway closes its sockets, one after the other, when it is told to go. */
export const closePeriodSeconds = 10
export const preStopSleepSeconds = 5

export function cityObject(people: CityPeople, name = cityName): KubeThing {
  return {
    apiVersion: 'presence.daarion.city/v1alpha1',
    kind: 'CityPresence',
    metadata: { name },
    spec: {
      matrix: {
        homeserverURL: `http://${synapseName}.${namespace}.svc:8008`,
        transport: 'AllowPlaintext',
        userID: people.daemon.userId,
        accessTokenSecretRef: { name: 'citypresence-matrix' },
      },
      rooms: {
        inline: people.rooms.map(({ slug, roomId, alias }) => ({ slug, matrixRoomID: roomId, matrixRoomAlias: alias })),
      },
      nats: {
        servers: [`nats://${natsName}.${namespace}.svc:4222`],
        userPasswordSecretRef: { name: `${release}-citypresence-nats-aggregator` },
        gateway: { userPasswordSecretRef: { name: `${release}-citypresence-nats-gateway` } },
      },
      publishing: { roomMinPeriodMilliseconds: 300 },
      aggregator: { replicas: 2, tolerations },
      gateway: {
        replicas: 2,
        tolerations,
        auth: { jwtSecretRef: { name: 'citypresence-jwt' } },
        drain: { preStopSleepSeconds, closePeriodSeconds },
        page: 'Enabled',
      },
    },
  }
}
