// The readers against a gateway of this house that is fed by hand: what they count is what was sent. The same for both programs.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startHall, tokenFor, type Hall } from '@citypresence/gateway/testing/hall'
import { until } from '@citypresence/stack/until'
import { roomNow } from './room.ts'
import { startSink, type Sink } from './sink.ts'

let hall: Hall
let sink: Sink | undefined

beforeEach(async () => {
  hall = await startHall()
  hall.gateway.feed.status({ stale: false })
})
afterEach(async () => {
  await sink?.stop()
  await hall.stop()
})

const say = (room: number): void =>
  hall.gateway.feed.changed(
    [{ room_slug: roomNow(room).room_slug, online_count: roomNow(room).online_count, typing_count: 0 }],
    {},
  )
const start = (isPlain: boolean, more: { sampleEvery?: number; token?: string } = {}): Sink =>
  (sink = startSink({
    port: hall.port,
    path: `/ws/city/presence?token=${more.token ?? tokenFor()}`,
    sampleEvery: 1,
    isPlain,
    ...more,
  }))

async function heard(reader: Sink, messages: number) {
  let last = await reader.snap()
  await until(async () => (last = await reader.snap()).messages >= messages, {
    deadlineMs: 10_000,
    what: `${messages} messages`,
  })
  return last
}

for (const isPlain of [false, true]) {
  const name = isPlain ? 'in plain Node' : 'in C'

  it(`[BN6] ${name}: each message is counted at each reader, with its age; what came before is no part of it`, async () => {
    say(1)
    const reader = start(isPlain)
    expect(reader.isPlain).toBe(isPlain)
    expect(await reader.connect(7)).toMatchObject({ open: 7, failed: 0 })
    const { messages: told } = await heard(reader, 14)
    say(3)
    expect((await heard(reader, told + 7)).ages.n).toBe(0)
    await reader.mark()
    const { messages: before } = await heard(reader, 21)
    // A snapshot, a word on staleness and a change each.
    expect(before).toBe(21)
    say(1)
    say(2)
    const after = await heard(reader, before + 14)
    expect([after.messages - before, after.open, after.closed, after.regressions]).toEqual([14, 7, 0, 0])
    expect(after.sampledMessages).toBeGreaterThanOrEqual(14)
    expect(after.frames).toBeGreaterThanOrEqual(after.messages)
  })

  it(`[BN6] ${name}: who is not let in has failed; the others are in`, async () => {
    const reader = start(isPlain, { token: tokenFor(-10) })
    expect(await reader.connect(3)).toMatchObject({ open: 0, failed: 3 })
  })

  it(`[BN6] ${name}: who is stopped hears nothing, and after it reads on is found to be current`, async () => {
    const reader = start(isPlain)
    await reader.connect(4)
    expect(await reader.hold('stop', 2, 1)).toEqual({ held: 2 })
    const { messages: before } = await reader.snap()
    say(3)
    await heard(reader, before + 2)
    expect((await reader.snap()).messages - before).toBe(2)
    expect(await reader.resume()).toEqual({ resumed: 2 })
    await heard(reader, before + 4)
    // What they missed is older than their coming back, and counts for nothing.
    expect(await reader.recover()).toMatchObject({ recovered: 0, missing: 2 })
    say(3)
    await heard(reader, before + 8)
    expect(await reader.recover()).toMatchObject({ recovered: 2, missing: 0 })
  })
}
