import { playShortFaults } from '../testing/play-short-faults.ts'

playShortFaults('Who leads, by a Lease')
