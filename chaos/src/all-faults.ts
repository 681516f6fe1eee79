// The table of faults, in the order in which they are played.
import type { Fault } from './fault.ts'
import { gatewayFaults } from './faults/gateway.ts'
import { failoverFaults, leaderFaults, leaderStage } from './faults/leaders.ts'
import { machineFaults, machineStage } from './faults/machine.ts'
import { matrixFaults } from './faults/matrix.ts'
import { graceFaults } from './faults/grace.ts'
import { hostileFaults } from './faults/hostile.ts'
import { matrixPeopleFaults } from './faults/matrix-people.ts'
import { driftFaults, matrixStoryFaults, withoutDrift } from './faults/matrix-stories.ts'
import { natsFaults } from './faults/nats.ts'
import { natsClusterFaults } from './faults/nats-cluster.ts'
import { natsLinkFaults } from './faults/nats-links.ts'
import { natsRightFaults } from './faults/nats-rights.ts'
import { natsStreamFaults } from './faults/nats-stream.ts'
import { roomFaults } from './faults/rooms.ts'
import type { StageOptions } from './stage.ts'

export type Section = {
  readonly title: string
  readonly faults: readonly Fault[]
  /** Each section has a city of its own; how it differs from the usual one. */
  readonly stage?: StageOptions
}

export const sections: readonly Section[] = [
  {
    title: 'Matrix',
    faults: [...matrixFaults, ...matrixStoryFaults, ...matrixPeopleFaults, ...driftFaults].map(withoutDrift),
    stage: { matrixLink: true },
  },
  { title: 'Somebody goes offline for a moment', faults: graceFaults, stage: { offlineGraceMs: 3_000 } },
  { title: 'The map of rooms', faults: roomFaults },
  {
    title: 'NATS',
    faults: [...natsFaults, ...natsLinkFaults, ...natsRightFaults, ...natsStreamFaults],
    stage: { links: true },
  },
  { title: 'NATS, three servers', faults: natsClusterFaults, stage: { natsServers: 3 } },
  { title: 'Who leads, by a Lease', faults: leaderFaults, stage: leaderStage },
  {
    title: 'Who leads, with three nats-servers',
    faults: failoverFaults('d', 'long', {
      killed:
        'where a silent holder of ours is waited for as long as a stranger may be (10 s), all was well again only after 10.8 s',
      stopped: 'without letting go of the Lease at the stop browsers were marked: 6 marks',
    }),
    stage: { ...leaderStage, natsServers: 3 },
  },
  // The drain as in production, where faults look at who comes back when.
  { title: 'Gateways', faults: gatewayFaults, stage: { gatewayEnv: { DRAIN_MS: '20000' } } },
  { title: 'Strangers', faults: hostileFaults },
  { title: 'Clock and machine', faults: machineFaults, stage: machineStage },
]
