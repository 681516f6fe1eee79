// The double keeps the contract that a real Synapse keeps.
import { until } from '@citypresence/stack/until'
import { homeserverContract } from './homeserver.contract.ts'
import { startHomeserver } from './homeserver.ts'

homeserverContract('the double', async () => {
  const homeserver = await startHomeserver()
  let blind: readonly string[] = []
  // A pooled connection may learn of its end only when it is used.
  const restart = async (): Promise<void> => {
    homeserver.restart()
    await until(async () => (await fetch(`${homeserver.url}/_matrix/client/versions`)).ok, {
      deadlineMs: 5_000,
      what: 'the double',
    })
  }
  return {
    url: homeserver.url,
    serverName: homeserver.serverName,
    account: (localpart) => Promise.resolve(homeserver.account(localpart)),
    logIn(userId) {
      homeserver.script.deviceListChanged(userId)
      return Promise.resolve()
    },
    restart,
    restartWithPresence(isOn) {
      if (isOn) homeserver.trackPresence()
      else homeserver.stopTrackingPresence()
      return restart()
    },
    restartBlindIn(roomIds) {
      for (const roomId of blind) homeserver.script.blind(roomId, roomIds.includes(roomId))
      for (const roomId of roomIds) homeserver.script.blind(roomId, true)
      blind = roomIds
      return restart()
    },
    limitJoins() {
      homeserver.limitJoins({ burst: 1, perSecond: 0.1 })
      return Promise.resolve()
    },
    stop: () => homeserver.stop(),
  }
})
