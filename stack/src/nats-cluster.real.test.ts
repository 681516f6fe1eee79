import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterEach, expect, it } from 'vitest'
import { startNatsCluster } from './nats-cluster.ts'
import { startNats, type NatsServer } from './nats-server.ts'
import type { NatsUser } from './nats-config.ts'
import { until } from './until.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function open(servers: string[], { user, pass }: NatsUser): Promise<NatsConnection> {
  const connection = await connect({ servers, user, pass, inboxPrefix: `_INBOX_${user}`, ignoreAuthErrorAbort: true })
  stops.push(() => connection.close())
  return connection
}

type StreamInfo = { config: { num_replicas: number }; cluster: { leader?: string; replicas: { current: boolean }[] } }

it('[S29] three servers are one: a stream of three copies outlives the server that led it', async () => {
  const cluster = await startNatsCluster({ size: 3 })
  stops.push(() => cluster.stop())
  const admin = await open(cluster.url.split(','), cluster.servers[0]?.admin ?? { user: '', pass: '' })
  const ask = async (subject: string, body: unknown): Promise<StreamInfo> => {
    const answer = await admin.request(subject, JSON.stringify(body), { timeout: 2_000 })
    const info = answer.json<StreamInfo & { error?: { description: string } }>()
    if (info.error !== undefined) throw new Error(info.error.description)
    return info
  }
  await ask('$JS.API.STREAM.CREATE.T', { name: 'T', subjects: ['t'], storage: 'file', num_replicas: 3 })
  const info = (): Promise<StreamInfo> => ask('$JS.API.STREAM.INFO.T', {})
  const led = await until(async () => (await info()).cluster.leader, { deadlineMs: 20_000, what: 'a leader' })
  await admin.request('t', 'one', { timeout: 5_000 })
  await cluster.named(led).kill()
  const next = await until(
    async () => {
      const { leader } = (await info()).cluster
      return leader === led ? undefined : leader
    },
    { deadlineMs: 30_000, what: 'another leader' },
  )
  expect(next).not.toBe(led)
  await cluster.named(led).restart()
  await until(async () => (await info()).cluster.replicas.every(({ current }) => current), {
    deadlineMs: 30_000,
    what: 'the one that was away to have caught up',
  })
  expect((await info()).config.num_replicas).toBe(3)
})

it('[S30] rights and passwords change while the server runs', async () => {
  const nats: NatsServer = await startNats()
  stops.push(() => nats.stop())
  const gateway = await open([nats.url], nats.gateway)
  const refusals: string[] = []
  const ends: string[] = []
  const hear = (): void => {
    gateway.subscribe('city.presence.>', {
      callback: (error) => {
        if (error !== null) refusals.push(error.message)
      },
    })
  }
  hear()
  await gateway.flush()
  await nats.reload({ withheld: { gateway: ['city.presence.>'] } })
  await until(() => refusals.length > 0, { deadlineMs: 5_000, what: 'the refusal' })
  await nats.reload({ withheld: {} })
  hear()
  await gateway.flush()
  expect(refusals).toHaveLength(1)
  void (async () => {
    for await (const { type } of gateway.status()) ends.push(type)
  })()
  const { leader, gateway: old, admin, system } = nats
  await nats.reload({ users: { leader, admin, system, gateway: { ...old, pass: 'another' } } })
  await until(() => ends.includes('disconnect'), { deadlineMs: 5_000, what: 'the old password to be thrown out' })
  await (await open([nats.url], { ...old, pass: 'another' })).flush()
})
