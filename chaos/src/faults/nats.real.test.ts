import { playShortFaults } from '../testing/play-short-faults.ts'

playShortFaults('NATS', 'NATS, three servers')
