// A real nats-server keeps the contract that the double keeps; where one of them changes, this is where it shows.
import { connect } from '@nats-io/transport-node'
import { startNats } from '@citypresence/stack/nats-server'
import { presenceStreamContract } from './presence-stream.contract.ts'

presenceStreamContract('a real nats-server', async () => {
  const nats = await startNats({ accounts: 'two' })
  const connectAs = ({ user, pass }: { user: string; pass: string }) =>
    connect({ servers: nats.url, user, pass, inboxPrefix: `_INBOX_${user}` })
  const [leader, admin] = [await connectAs(nats.leader), await connectAs(nats.admin)]
  return {
    leader,
    admin,
    async stop() {
      await leader.close()
      await admin.close()
      await nats.stop()
    },
  }
})
