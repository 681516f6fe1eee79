// What the fence promises, asked of everything that a stream was heard to republish.
import { expect } from 'vitest'
import type { Epoch } from '@citypresence/wire/epoch'
import type { Heard } from './leased-city.ts'

/** After a claim nobody speaks under an older one. */
export function expectOneVoice(heard: readonly Heard[]): void {
  let voice: Epoch = { term: 0, epoch: 0 }
  for (const { sequence, epoch, subject } of heard) {
    if (subject === 'city.presence.epoch' && epoch !== undefined) {
      expect(epoch.term).toBeGreaterThan(voice.term)
      voice = epoch
    } else expect({ sequence, epoch }).toEqual({ sequence, epoch: voice })
  }
  expect(heard.map(({ sequence }) => sequence)).toEqual(heard.map((_, index) => (heard[0]?.sequence ?? 0) + index))
}
