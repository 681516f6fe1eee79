// The table of faults, in the order in which they are played.
import type { Fault } from './fault.ts'
import { gatewayFaults } from './faults/gateway.ts'
import { matrixFaults } from './faults/matrix.ts'
import { natsFaults } from './faults/nats.ts'
import { natsLinkFaults } from './faults/nats-links.ts'
import { roomFaults } from './faults/rooms.ts'
import type { StageOptions } from './stage.ts'

export type Section = { readonly title: string; readonly faults: readonly Fault[]; readonly stage?: StageOptions }

/** Each section has a city of its own. */
export const sections: readonly Section[] = [
  { title: 'Matrix', faults: matrixFaults },
  { title: 'The map of rooms', faults: roomFaults },
  { title: 'NATS', faults: [...natsFaults, ...natsLinkFaults], stage: { links: true } },
  { title: 'Gateways', faults: gatewayFaults },
]
