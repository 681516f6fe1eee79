import { playShortFaults } from '../testing/play-short-faults.ts'

playShortFaults('The map of rooms', 'Gateways')
