import { playShortFaults } from '../testing/play-short-faults.ts'

playShortFaults('Matrix', 'Somebody goes offline for a moment')
