// The rights as written in the configuration: what the gateway's account may touch is listed here a second time, so that
// widening it is a decision seen in two places.
import { expect, it } from 'vitest'
import { natsConfig, type NatsConfigInput } from './nats-config.ts'

const user = (name: string) => ({ user: name, pass: `pass "${name}" $HOME` })
const input: NatsConfigInput = {
  serverName: 'n1',
  port: 4222,
  monitorPort: 8222,
  storeDir: '/tmp/a store',
  accounts: 'two',
  users: { leader: user('aggregator'), gateway: user('gateway'), admin: user('admin'), system: user('system') },
  jetstream: true,
}

it('[S8] the gateway may publish one subject and hear two', () => {
  const edge = natsConfig(input).split('EDGE {')[1] ?? ''
  const rights =
    'publish: { allow: ["$JS.API.DIRECT.GET.CITY_PRESENCE"] }, subscribe: { allow: ["city.presence.>", "_INBOX_gateway.>"] }'
  expect(edge).toContain(rights)
  expect(edge.match(/publish:/g)).toHaveLength(1)
  const imported = [...edge.matchAll(/subject: "([^"]+)"/g)].map(([, subject]) => subject)
  const heard = [
    'city.presence.room.>',
    'city.presence.epoch',
    'city.presence.beat',
    '$JS.API.DIRECT.GET.CITY_PRESENCE',
  ]
  expect(imported).toEqual(heard)
  expect(edge).not.toContain('USERS')
})

it('[S8] exactly what EDGE imports is exported to it', () => {
  const text = natsConfig(input)
  const names = (part: string, pattern: RegExp): (string | undefined)[] =>
    [...part.matchAll(pattern)].map(([, name]) => name)
  const exported = names(text, /\{ (?:stream|service): "([^"]+)"/g)
  const imported = names(text.split('EDGE {')[1] ?? '', /subject: "([^"]+)"/g)
  expect(exported).toEqual(imported)
})

it('[S8] names and passwords are quoted, so that none of them is taken for a variable', () => {
  expect(natsConfig(input)).toContain(String.raw`password: "pass \"gateway\" $HOME"`)
  expect(natsConfig({ ...input, syncInterval: 'always' })).toContain('sync_interval: "always"')
  expect(natsConfig({ ...input, jetstream: false })).not.toContain('jetstream')
  expect(natsConfig({ ...input, accounts: 'open' })).not.toContain('accounts')
})

it("[S30] what is withheld stands in nobody's list, and an empty list allows nothing", () => {
  const text = natsConfig({ ...input, withheld: { gateway: ['$JS.API.DIRECT.GET.CITY_PRESENCE', '_INBOX_gateway.>'] } })
  const edge = text.split('EDGE {')[1] ?? ''
  expect(edge).toContain('publish: { deny: ">" }, subscribe: { allow: ["city.presence.>"] }')
  expect(text.split('EDGE {')[0]).toContain('"$JS.API.DIRECT.GET.CITY_PRESENCE"')
})

it('[S29] a server of a cluster listens for the others and knows where they are', () => {
  const text = natsConfig({ ...input, cluster: { name: 'city', port: 6222, routePorts: [6223, 6224] } })
  expect(text).toContain(
    'cluster { name: "city", listen: "127.0.0.1:6222", routes: ["nats-route://127.0.0.1:6223", "nats-route://127.0.0.1:6224"] }',
  )
})
