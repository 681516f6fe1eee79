// The link under any order of events, against rules counted by hand and a twin that knows no states.
import { closeCodes, comeBackAfter } from '@citypresence/wire/client-messages'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  answerTimeoutMs,
  createLink,
  later,
  nextDueAtMs,
  nudgeWithinMs,
  pingAfterMs,
  pingJitterMs,
  pongTimeoutMs,
  silenceMs,
  soon,
  stableAfterMs,
  statusOf,
  stepLink,
  tokenTimeoutMs,
  type Link,
  type LinkEffect,
  type LinkEvent,
} from './link.ts'

/** `apt`: instead of the event, the one that takes the link on from where it stands; so that stories get deep. */
type Told = { readonly event: LinkEvent; readonly apt: boolean; readonly afterMs: number; readonly random01: number }

const codes = [1000, 1001, 1005, 1006, 4999, ...Object.values(closeCodes).map(({ code }) => code)]
const anyEvent: fc.Arbitrary<LinkEvent> = fc.oneof(
  fc.constantFrom<LinkEvent>(
    { kind: 'start' },
    { kind: 'token' },
    { kind: 'no-token' },
    { kind: 'opened' },
    { kind: 'heard', snapshot: true },
    { kind: 'heard', snapshot: false },
    { kind: 'unusable' },
    { kind: 'nudge' },
  ),
  { weight: 3, arbitrary: fc.constant<LinkEvent>({ kind: 'tick' }) },
  fc.constantFrom(...codes).map((code): LinkEvent => ({ kind: 'closed', code })),
  fc
    .constantFrom(200, 401, 403, 429, 503, undefined)
    .map((httpStatus): LinkEvent => ({ kind: 'answered', httpStatus })),
)
const random01 = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const anyTold: fc.Arbitrary<Told> = fc.record({
  event: anyEvent,
  apt: fc.boolean(),
  afterMs: fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 30_000 })),
  random01,
})

type Entry = {
  readonly before: Link
  readonly after: Link
  readonly event: LinkEvent
  readonly effects: readonly LinkEffect[]
  readonly nowMs: number
}

function aptEvent(link: Link, other: LinkEvent): LinkEvent {
  if (link.phase === 'token') return { kind: 'token' }
  if (link.phase === 'opening') return { kind: 'opened' }
  if (link.phase === 'greeting') return { kind: 'heard', snapshot: true }
  return other
}

/** Runs a story, ticking at each due moment on the way as a good timer would. */
function play(story: readonly Told[], renewable: boolean): Entry[] {
  const entries: Entry[] = []
  let link = createLink()
  let nowMs = 0
  const feed = (event: LinkEvent, random: number): void => {
    const { link: after, effects } = stepLink(link, event, { nowMs, random01: random, renewable })
    entries.push({ before: link, after, event, effects, nowMs })
    link = after
  }
  feed({ kind: 'start' }, 0)
  for (const { event, apt, afterMs, random01: random } of story) {
    const untilMs = nowMs + afterMs
    for (let dueAtMs = nextDueAtMs(link); dueAtMs !== undefined && dueAtMs <= untilMs; dueAtMs = nextDueAtMs(link)) {
      nowMs = Math.max(nowMs, dueAtMs)
      feed({ kind: 'tick' }, random)
    }
    nowMs = untilMs
    feed(apt ? aptEvent(link, event) : event, random)
  }
  return entries
}

const stories = fc.array(anyTold, { maxLength: 80 })
const connectsOf = (entries: readonly Entry[]): number[] =>
  entries.filter(({ effects }) => effects.includes('ask-token')).map(({ nowMs }) => nowMs)

it('[B1] a stopped link stays stopped and does nothing; no other ever lacks a next moment once begun', () => {
  fc.assert(
    fc.property(stories, fc.boolean(), (story, renewable) => {
      for (const { before, after, effects } of play(story, renewable)) {
        if (before.phase === 'stopped') expect([after, effects]).toEqual([before, []])
        if (after.phase !== 'stopped') expect(nextDueAtMs(after)).toBeDefined()
      }
    }),
  )
})

it('[B1] a tick at the due moment always moves the link: no timer turns on the spot', () => {
  fc.assert(
    fc.property(stories, fc.boolean(), (story, renewable) => {
      for (const { after, nowMs } of play(story, renewable)) {
        const dueAtMs = nextDueAtMs(after)
        if (dueAtMs === undefined) continue
        const at = { nowMs: Math.max(nowMs, dueAtMs), random01: 0, renewable }
        const moved = stepLink(after, { kind: 'tick' }, at).link
        expect(moved.phase !== after.phase || (nextDueAtMs(moved) ?? 0) > at.nowMs).toBe(true)
      }
    }),
  )
})

it('[B2] every effect belongs to what the link does: one thing in flight, and a token before each socket', () => {
  fc.assert(
    fc.property(stories, fc.boolean(), (story, renewable) => {
      for (const { before, after, effects } of play(story, renewable)) {
        if (effects.includes('ask-token')) expect(after.phase).toBe('token')
        if (effects.includes('open')) expect([before.phase, after.phase]).toEqual(['token', 'opening'])
        if (effects.includes('ask-why')) expect([before.phase, after.phase]).toEqual(['opening', 'asking'])
        if (effects.includes('ping')) expect([before.phase, after.phase]).toEqual(['live', 'live'])
        if (effects.includes('drop')) expect(['token', 'opening', 'greeting', 'asking', 'live']).toContain(before.phase)
      }
    }),
  )
})

it('[B3] only a snapshot on an open socket makes the link live', () => {
  fc.assert(
    fc.property(stories, fc.boolean(), (story, renewable) => {
      for (const { before, after, event } of play(story, renewable)) {
        if (after.phase !== 'live' || before.phase === 'live') continue
        expect(before.phase).toBe('greeting')
        expect(event).toEqual({ kind: 'heard', snapshot: true })
      }
    }),
  )
})

/** A link that is live at time 0, by the ordinary way. */
function liveLink(renewable: boolean): Link {
  const at = { nowMs: 0, random01: 0, renewable }
  const way: LinkEvent[] = [{ kind: 'start' }, { kind: 'token' }, { kind: 'opened' }, { kind: 'heard', snapshot: true }]
  return way.reduce((link, event) => stepLink(link, event, at).link, createLink())
}

it('[B4] after a close the link comes back as the table of close codes says', () => {
  const any = fc.integer({ min: 1000, max: 4999 })
  fc.assert(
    fc.property(fc.oneof(any, fc.constantFrom(...codes)), random01, fc.boolean(), (code, random, renewable) => {
      const nowMs = stableAfterMs + 1
      const { link } = stepLink(liveLink(renewable), { kind: 'closed', code }, { nowMs, random01: random, renewable })
      const waitMs = link.phase === 'waiting' ? link.dueAtMs - nowMs : undefined
      switch (comeBackAfter(code)) {
        case 'never':
          expect(link).toMatchObject({ phase: 'stopped', why: 'refused' })
          break
        case 'new-token':
          expect(link).toMatchObject(renewable ? { phase: 'token' } : { phase: 'stopped', why: 'session-ended' })
          break
        case 'soon':
          expect(waitMs).toBeGreaterThanOrEqual(soon.floorMs)
          expect(waitMs).toBeLessThanOrEqual(soon.floorMs + soon.baseMs)
          break
        case 'later':
          expect(waitMs).toBeGreaterThanOrEqual(later.baseMs / 2)
          expect(waitMs).toBeLessThanOrEqual(later.baseMs)
      }
    }),
  )
})

it('[B4] a link that held for ten seconds begins again with the shortest wait', () => {
  const at = { nowMs: stableAfterMs, random01: 0.999, renewable: false }
  const { link } = stepLink({ ...liveLink(false), tries: 9 }, { kind: 'closed', code: 1006 }, at)
  expect(nextDueAtMs(link)).toBeLessThanOrEqual(at.nowMs + soon.floorMs + soon.baseMs)
  const early = stepLink(
    { ...liveLink(false), tries: 9 },
    { kind: 'closed', code: 1006 },
    { ...at, nowMs: stableAfterMs - 1 },
  )
  expect(nextDueAtMs(early.link)).toBeGreaterThan(at.nowMs + soon.capMs - 100)
})

it('[B4] each loss in a row doubles the ceiling up to its cap, like counting by hand', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.constantFrom(1006, 1013), (losses, code) => {
      const at = { nowMs: 0, random01: 0.999_999, renewable: false }
      let link = liveLink(false)
      for (let loss = 1; loss < losses; loss++) {
        link = stepLink(link, { kind: 'closed', code }, at).link
        if (link.phase === 'waiting') link = { ...liveLink(false), tries: link.tries }
      }
      const { link: waiting } = stepLink(link, { kind: 'closed', code }, at)
      const { baseMs, capMs } = code === 1013 ? later : soon
      let ceilingMs = baseMs
      for (let loss = 1; loss < losses; loss++) ceilingMs = Math.min(capMs, ceilingMs * 2)
      const waitMs = waiting.phase === 'waiting' ? waiting.dueAtMs : 0
      const floorMs = code === 1013 ? 0 : soon.floorMs
      expect(waitMs - floorMs).toBeGreaterThan(ceilingMs * 0.99)
      expect(waitMs - floorMs).toBeLessThanOrEqual(ceilingMs)
    }),
  )
})

it('[B5] connections are bounded: no more than one in 100 ms whatever happens, save the one a first refusal earns', () => {
  fc.assert(
    fc.property(stories, fc.boolean(), (story, renewable) => {
      const entries = play(story, renewable)
      const patient = entries.filter(
        ({ effects, before }) => effects.includes('ask-token') && before.phase === 'waiting',
      )
      for (const [index, { nowMs }] of patient.entries()) {
        const beforeMs = patient[index - 1]?.nowMs
        if (beforeMs !== undefined) expect(nowMs - beforeMs).toBeGreaterThanOrEqual(soon.floorMs)
      }
      if (!renewable) expect(connectsOf(entries).length).toBe(patient.length + 1)
    }),
  )
})

it('[B6] a silent link is pinged within 15 s and down at 20 s, never before the gateway had 5 s to answer', () => {
  fc.assert(
    fc.property(random01, fc.integer({ min: 0, max: 100_000 }), (random, lateMs) => {
      const live = stepLink(
        liveLink(false),
        { kind: 'heard', snapshot: false },
        { nowMs: 0, random01: random, renewable: false },
      )
      const pingAtMs = nextDueAtMs(live.link) ?? 0
      expect(pingAtMs).toBeLessThanOrEqual(pingAfterMs)
      expect(pingAtMs).toBeGreaterThanOrEqual(pingAfterMs - pingJitterMs)
      const pinged = stepLink(
        live.link,
        { kind: 'tick' },
        { nowMs: pingAtMs + lateMs, random01: random, renewable: false },
      )
      expect(pinged.effects).toEqual(['ping'])
      expect(nextDueAtMs(pinged.link)).toBe(Math.max(silenceMs, pingAtMs + lateMs + pongTimeoutMs))
    }),
  )
})

it('[B6] any frame answers a ping: the link is down only after silence', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 14_000 }), random01 }), { maxLength: 40 }),
      (gaps) => {
        let link = liveLink(false)
        let nowMs = 0
        for (const { afterMs, random01: random } of gaps) {
          nowMs += afterMs
          const at = { nowMs, random01: random, renewable: false }
          link = stepLink(stepLink(link, { kind: 'tick' }, at).link, { kind: 'heard', snapshot: false }, at).link
          expect(link.phase).toBe('live')
        }
        const at = { nowMs: nowMs + silenceMs + pongTimeoutMs, random01: 0, renewable: false }
        const pinged = stepLink(link, { kind: 'tick' }, at)
        expect(pinged.effects).toEqual(['ping'])
        const down = stepLink(pinged.link, { kind: 'tick' }, { ...at, nowMs: at.nowMs + pongTimeoutMs })
        expect([down.effects, down.link.phase]).toEqual([['drop'], 'waiting'])
      },
    ),
  )
})

it('[B7] a refused handshake is asked about; 401 ends the session, anything else waits with patience', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...codes),
      fc.constantFrom(200, 401, 403, 500, undefined),
      fc.boolean(),
      (code, httpStatus, renewable) => {
        const at = { nowMs: 5, random01: 0.5, renewable }
        let link = createLink()
        for (const kind of ['start', 'token'] as const) link = stepLink(link, { kind }, at).link
        const asked = stepLink(link, { kind: 'closed', code }, at)
        expect([asked.link.phase, asked.effects]).toEqual(['asking', ['ask-why']])
        const { link: answered } = stepLink(asked.link, { kind: 'answered', httpStatus }, at)
        if (httpStatus !== 401) expect(answered).toMatchObject({ phase: 'waiting', patient: true })
        else if (renewable) expect(answered.phase).toBe('token')
        else expect(answered).toMatchObject({ phase: 'stopped', why: 'session-ended' })
      },
    ),
  )
})

it('[B7] a second refusal in a row waits: a fresh token that is refused too must not spin', () => {
  const at = { nowMs: 0, random01: 0.5, renewable: true }
  let link = liveLink(true)
  link = stepLink(link, { kind: 'closed', code: 4401 }, at).link
  expect(link.phase).toBe('token')
  for (const kind of ['token', 'opened'] as const) link = stepLink(link, { kind }, at).link
  link = stepLink(link, { kind: 'closed', code: 4401 }, at).link
  expect(link).toMatchObject({ phase: 'waiting', patient: true, refusals: 2 })
})

it('[B7] each expiry of a link that held is a first refusal again', () => {
  const at = { nowMs: stableAfterMs, random01: 0.5, renewable: true }
  const { link } = stepLink({ ...liveLink(true), refusals: 1 }, { kind: 'closed', code: 4401 }, at)
  expect(link).toMatchObject({ phase: 'token', refusals: 1 })
})

it('[B8] what never answers is given up in bounded time', () => {
  const at = { nowMs: 0, random01: 0, renewable: true }
  const token = stepLink(createLink(), { kind: 'start' }, at).link
  const opening = stepLink(token, { kind: 'token' }, at).link
  const greeting = stepLink(opening, { kind: 'opened' }, at).link
  const asking = stepLink(opening, { kind: 'closed', code: 1006 }, at).link
  for (const [link, limitMs] of [
    [token, tokenTimeoutMs],
    [opening, answerTimeoutMs],
    [greeting, answerTimeoutMs],
    [asking, answerTimeoutMs],
  ] as const) {
    expect(stepLink(link, { kind: 'tick' }, { ...at, nowMs: limitMs - 1 }).effects).toEqual([])
    const given = stepLink(link, { kind: 'tick' }, { ...at, nowMs: limitMs })
    expect(given.effects).toEqual(['drop'])
    expect(given.link).toMatchObject({ phase: 'waiting', patient: true })
  }
})

it('[B9] a nudge shortens an impatient wait to a second at most, leaves a patient one, and asks a live link at once', () => {
  fc.assert(
    fc.property(fc.constantFrom(1006, 1013), fc.integer({ min: 1, max: 20 }), random01, (code, tries, random) => {
      const at = { nowMs: 0, random01: 0.9, renewable: false }
      const { link } = stepLink({ ...liveLink(false), tries }, { kind: 'closed', code }, at)
      const before = nextDueAtMs(link) ?? 0
      const after = nextDueAtMs(stepLink(link, { kind: 'nudge' }, { ...at, random01: random }).link) ?? 0
      if (code === 1013) expect(after).toBe(before)
      else expect(after).toBe(Math.min(before, soon.floorMs + Math.floor(random * nudgeWithinMs)))
    }),
  )
  const asked = stepLink(liveLink(false), { kind: 'nudge' }, { nowMs: 3_000, random01: 0, renewable: false })
  expect(asked.effects).toEqual(['ping'])
  expect(nextDueAtMs(asked.link)).toBe(3_000 + pongTimeoutMs)
})

it('[B10] a page is told connecting until something fails, live only while live, down while it is tried again', () => {
  fc.assert(
    fc.property(stories, fc.boolean(), (story, renewable) => {
      let failed = false
      for (const { before, after } of play(story, renewable)) {
        failed ||= (before.phase === 'live' && after.phase !== 'live') || after.phase === 'waiting'
        const status = statusOf(after)
        if (after.phase === 'live' || after.phase === 'stopped') expect(status).toBe(after.phase)
        else if (failed) expect(status).toBe('down')
      }
    }),
  )
  expect(statusOf(createLink())).toBe('connecting')
})

it('[B1] an address or token that no socket takes ends it, unless another token can be had', () => {
  const at = { nowMs: 0, random01: 0.5, renewable: false }
  const begun = stepLink(stepLink(createLink(), { kind: 'start' }, at).link, { kind: 'token' }, at).link
  expect(stepLink(begun, { kind: 'unusable' }, at).link).toMatchObject({ phase: 'stopped', why: 'unusable' })
  expect(stepLink(begun, { kind: 'unusable' }, { ...at, renewable: true }).link).toMatchObject({ phase: 'waiting' })
})
