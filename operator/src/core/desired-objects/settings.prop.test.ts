// The settings that a city becomes are judged by those who take them: the services themselves.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mistakesOf as aggregatorMistakes, settings as aggregatorTable } from '@citypresence/aggregator/config'
import { readConfig, type FileReader, type SettingsTable } from '@citypresence/chassis/config'
import { mistakesOf as gatewayMistakes, settings as gatewayTable } from '@citypresence/gateway/config'
import { roomDirectory } from '@citypresence/wire/room-directory'
import { anyCity, cityOf, smallSpec } from '../../testing/cities.ts'
import { secretFiles } from './secrets.ts'
import { roomsMap, settingsOf } from './settings.ts'

// What the kubelet mounts, by the setting that names the path.
const contents: Readonly<Record<string, string>> = {
  'nats-creds': '-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\nSUx',
  'nats-nkey-seed': `SU${'A'.repeat(56)}`,
}
const files: FileReader = {
  read: (path) => contents[path.split('/').at(-2) ?? ''] ?? 'a secret of thirty-two bytes, or a file',
}
const inPod = { POD_NAME: 'p', POD_NAMESPACE: 'n', POD_UID: 'u', KUBERNETES_SERVICE_HOST: '10.96.0.1' }

it('[OD2] every city gives settings that the services take, without a mistake and without a name that they do not know', () => {
  const namesIn = (table: SettingsTable): Set<string> =>
    new Set(Object.values(table).flatMap(({ env, secret }) => [env, ...(secret === true ? [`${env}_FILE`] : [])]))
  const known = { aggregator: namesIn(aggregatorTable), gateway: namesIn(gatewayTable) }
  fc.assert(
    fc.property(anyCity, (city) => {
      const aggregator = settingsOf(city, 'aggregator')
      const read = readConfig(aggregatorTable, { ...aggregator, ...inPod }, files)
      expect(read.ok ? aggregatorMistakes(read.config) : read.mistakes).toEqual([])
      const gateway = settingsOf(city, 'gateway')
      const readGateway = readConfig(gatewayTable, { ...gateway, POD_NAME: 'p' }, files)
      expect(readGateway.ok ? gatewayMistakes(readGateway.config) : readGateway.mistakes).toEqual([])
      expect(Object.keys(aggregator).filter((name) => !known.aggregator.has(name))).toEqual([])
      expect(Object.keys(gateway).filter((name) => !known.gateway.has(name))).toEqual([])
    }),
  )
})

it('[OD3] no secret is in the settings: only paths, each of one key, in a volume of its own', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      for (const component of ['aggregator', 'gateway'] as const) {
        const own = secretFiles(city).filter((file) => file.component === component)
        const paths = own.map(({ setting }) => settingsOf(city, component)[setting])
        expect(new Set(paths).size).toBe(own.length)
        for (const path of paths) expect(path).toMatch(/^\/var\/run\/citypresence\/[a-z-]+\/value$/)
      }
    }),
  )
})

it('[OD4] rooms that stand in the spec are a file that the aggregator reads as the rooms of a city service', () => {
  fc.assert(
    fc.property(anyCity, (city) => {
      const { inline } = city.spec.rooms
      const map = roomsMap(city)
      expect(map === undefined).toBe(inline === undefined)
      if (map === undefined) return
      const data = map['data'] as Record<string, string>
      const decoded = roomDirectory.decode(JSON.parse(data['rooms.json'] ?? ''))
      if (!decoded.ok) throw new Error(decoded.error.expected)
      expect(decoded.value.map(({ slug }) => slug)).toEqual(inline?.map(({ slug }) => slug))
    }),
  )
})

it('[OD2] fields end in the settings that they are about', () => {
  const city = cityOf({
    ...smallSpec,
    publishing: { roomMinPeriodMilliseconds: 500, offlineGraceSeconds: 20, activity: 'Disabled' },
    aggregator: { leaderElection: { leaseDurationSeconds: 9 }, standby: 'Waits' },
    observability: { tracing: { otlpEndpoint: 'http://otel:4318', samplingPercent: 5 }, logLevel: 'Debug' },
  })
  expect(settingsOf(city, 'aggregator')).toMatchObject({
    CITY_SERVICE_INTERNAL_URL: 'http://city-service:7001',
    ROOM_PRESENCE_THROTTLE_MS: '500',
    OFFLINE_GRACE_MS: '20000',
    ACTIVITY: 'off',
    LEASE_DURATION_MS: '9000',
    STANDBY: 'waits',
    TRACE_SAMPLE_RATIO: '0.05',
    LOG_LEVEL: 'debug',
    CITY_ID: city.metadata.uid,
    LEASE_NAME: 'daarion-aggregator',
  })
  expect(settingsOf(city, 'gateway')).toMatchObject({ DRAIN_MS: '60000', CONNECTIONS_MAX: '10000', PAGE: 'off' })
})
