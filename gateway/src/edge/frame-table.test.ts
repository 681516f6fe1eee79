// Every case of the table of frames, on one gateway, each on a socket of its own: whole, and byte by byte where it is short.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { frameCases, type FrameCase } from '@citypresence/sim/hostile/frame-cases'
import { opcodes, RawPeer } from '@citypresence/sim/hostile/raw-peer'
import { stopAll } from '@citypresence/stack/stop-all'
import { until } from '@citypresence/stack/until'
import { startHall, tokenFor, type Hall } from '../testing/hall.ts'

let hall: Hall
beforeAll(async () => (hall = await startHall({ connectionsMax: 1_000 })))
afterAll(() => stopAll(hall))

const isPong = ({ opcode, payload }: { opcode: number; payload: Buffer }): boolean =>
  opcode === opcodes.pong || (opcode === opcodes.text && payload.toString() === 'pong')

/** Longer ones in single bytes meet the bound on pieces, which has a test of its own. */
const dripLengthMax = 60

async function play({ bytes, closes, pongs = 0 }: FrameCase, drip: boolean) {
  const peer = await new RawPeer(hall.port).enter(tokenFor())
  if (!drip) peer.write(bytes)
  else
    for (const byte of bytes) {
      peer.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
  if (closes !== undefined) await peer.shownOut()
  else await peer.until('its pongs', () => peer.frames.filter(isPong).length >= pongs)
  const seen = { closed: peer.closeCode, pongs: peer.frames.filter(isPong).length }
  peer.socket.destroy()
  return seen
}

it('[G32] the table holds more than 200 cases, from each section', () => {
  expect(frameCases.length).toBeGreaterThan(200)
  const sections = new Set(frameCases.map(({ name }) => name.split('.')[0]))
  expect([...sections]).toEqual(expect.arrayContaining(['1', '2', '3', '4', '5', '6', '7', '9', '10']))
})

it('[G32] each frame that Autobahn would send is answered as the protocol says, whole and byte by byte, and harms nobody', async () => {
  const good = hall.open()
  const wrong: string[] = []
  let played = 0
  const rest = frameCases.values()
  const row = async (): Promise<void> => {
    for (const one of rest)
      for (const drip of one.bytes.length <= dripLengthMax ? [false, true] : [false]) await judge(one, drip)
  }
  const judge = async (one: FrameCase, drip: boolean): Promise<void> => {
    played++
    const seen = await play(one, drip).catch((error: unknown) => String(error))
    const told = `${one.name}${drip ? ', byte by byte' : ''}: ${JSON.stringify(seen)}`
    if (typeof seen === 'string') wrong.push(told)
    else if (one.closes === undefined ? seen.closed !== undefined : !one.closes.includes(seen.closed ?? 0))
      wrong.push(told)
    else if (one.closes === undefined && seen.pongs !== (one.pongs ?? 0)) wrong.push(told)
  }
  await Promise.all(Array.from({ length: 8 }, row))
  expect(wrong).toEqual([])
  expect(played).toBeGreaterThan(frameCases.length)
  hall.room('after', 7)
  await until(() => good.shows('after') === 7, { deadlineMs: 10_000, what: 'the good one to be told' })
  expect(good.closed).toBeUndefined()
})
