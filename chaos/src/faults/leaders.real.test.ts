import { playShortFaults } from '../testing/play-short-faults.ts'

playShortFaults('Who leads, by a Lease', 'Who leads, with three nats-servers')
