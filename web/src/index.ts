// What a frontend team gets.
export { useGlobalPresence, type UseGlobalPresenceOptions } from './use-global-presence.ts'
export {
  createPresenceClient,
  type PresenceClient,
  type PresenceClientOptions,
  type TokenSource,
} from './presence-client.ts'
export type {
  GlobalPresence,
  PresenceStaleReason,
  PresenceStatus,
  PresenceStopReason,
  RoomPresenceUI,
} from './core/global-presence.ts'
