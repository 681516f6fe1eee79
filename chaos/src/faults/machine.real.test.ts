import { playShortFaults } from '../testing/play-short-faults.ts'

playShortFaults('Clock and machine')
