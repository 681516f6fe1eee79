import { describe, expect, it } from 'vitest'
import { readPan } from './pan.ts'

/** As pan of Spin 6.5.2 prints it. */
const pan = (errors: number, first = '', last = ''): string => `${first}
(Spin Version 6.5.2 -- 6 December 2019)
	+ Compression

Full statespace search for:
	assertion violations	+
	invalid end states	- (disabled by -E flag)

State-vector 140 byte, depth reached 611, errors: ${errors}
  3600521 states, stored
 10730231 states, matched
 14330752 transitions (= stored+matched)

  250.818	actual memory usage for states (compression: 41.50%)
  282.781	total actual memory usage
${last}`

describe('the verdict of a verifier', () => {
  it('[V1] has held when it explored everything and nothing broke', () => {
    expect(readPan(pan(0))).toEqual({ outcome: 'held', states: 3_600_521, depth: 611, megabytes: 283 })
  })

  it.each([
    ['((knownMark[0]>>2)>=finishedBefore)&&((knownMark[1]>>2)>=finishedBefore)', 'an old room is shown'],
    ['(known[0]!=0)&&(known[1]!=0)', 'half a city is shown'],
    ['(known[0]==best)&&(known[1]==best)', 'a value of another voice is shown'],
    ['voiceNow>=known[1]', 'a room goes back to an older voice'],
    ['voice==highest', 'a deposed leader stores'],
    ['now.record>highest', 'a claim is no higher than one before'],
    ['now.last<=31', 'it never becomes well'],
    ['((listening&&complete)&& !(owing))', 'it does not become well'],
    ['((known[0]==now.voice[0])&&(knownAt[0]==now.at[0]))&&(knownMark[0]==now.mark[0])', 'it does not become well'],
    ['transitions<=7', '(transitions<=7)'],
  ])('[V1] has found %s: %s', (assertion, broken) => {
    const output = pan(1, `pan:1: assertion violated (${assertion}) (at depth 137)\npan: wrote city.pml.trail\n`)
    expect(readPan(output)).toMatchObject({ outcome: 'found', states: 3_600_521, broken })
  })

  it.each([
    ['a search cut by its depth', pan(0, 'error: max search depth too small')],
    ['a search cut by its memory', pan(0, 'pan: reached -DMEMLIM bound\nWarning: Search not completed')],
    ['a search that was ended', pan(0, 'Interrupted')],
    ['an error that is no assertion', pan(1)],
    ['silence', ''],
    ['a verifier that broke', 'Segmentation fault'],
  ])('[V1] is unfinished for %s, never held', (_, output) => {
    expect(readPan(output).outcome).toBe('unfinished')
  })
})
