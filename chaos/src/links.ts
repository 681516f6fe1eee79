// The ways between our services and NATS, each through a proxy of its own that can be told to fail.
import { startTcpProxy, type TcpProxy } from '@citypresence/sim/tcp-proxy'
import type { NatsServer } from '@citypresence/stack/nats-server'

export type Link = TcpProxy & { readonly url: string }

export type Links = {
  readonly leader: Link
  /** In the order of the gateways. */
  readonly gateways: readonly Link[]
  readonly all: readonly Link[]
  stop(): Promise<void>
}

export function linksOf({ links }: { readonly links: Links | undefined }): Links {
  if (links === undefined) throw new Error('this stage has no links that can be told to fail')
  return links
}

export async function startLinks(nats: NatsServer, gateways: number): Promise<Links> {
  const [leader, ...others] = await Promise.all([
    startLink(nats),
    ...Array.from({ length: gateways }, () => startLink(nats)),
  ])
  const all = [leader, ...others]
  return {
    leader,
    gateways: others,
    all,
    async stop() {
      await Promise.all(all.map((link) => link.stop()))
    },
  }
}

async function startLink(nats: NatsServer): Promise<Link> {
  const proxy = await startTcpProxy({ to: nats.port })
  return Object.assign(proxy, { url: `nats://127.0.0.1:${proxy.port}` })
}
