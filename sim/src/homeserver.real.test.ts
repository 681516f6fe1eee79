// A real Synapse keeps the contract that the double keeps; where one of them changes, this is where it shows.
import { createMatrixClient, loginUser, registerUser } from '@citypresence/stack/matrix-client'
import { startSynapse } from '@citypresence/stack/synapse'
import { homeserverContract } from './homeserver.contract.ts'

homeserverContract('Synapse', async () => {
  const synapse = await startSynapse()
  const { url, serverName, registrationSecret } = synapse
  return {
    url,
    serverName,
    account: async (localpart) => {
      const account = await registerUser({ url, registrationSecret, localpart })
      // A registration is a session whose person is offline until he says otherwise.
      return createMatrixClient(url, account)
    },
    logIn: async (userId) => {
      await loginUser(url, userId.slice(1).split(':')[0] ?? '')
    },
    restart: () => synapse.restart(),
    restartWithPresence: (isOn) => synapse.restart({ presenceEnabled: isOn }),
    restartBlindIn: (roomIds) => synapse.restart({ extra: { exclude_rooms_from_presence: roomIds } }),
    limitJoins: () =>
      synapse.restart({
        extra: {
          rc_joins: { local: { per_second: 0.1, burst_count: 1 }, remote: { per_second: 0.1, burst_count: 1 } },
        },
      }),
    stop: () => synapse.stop(),
  }
})
