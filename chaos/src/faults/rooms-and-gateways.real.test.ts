// The short faults of the map of rooms and of the gateways, on real processes.
import { playShortFaults } from '../testing/play-short-faults.ts'

playShortFaults('The map of rooms', 'Gateways')
