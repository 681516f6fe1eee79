// Who is one too many, and whose token no longer counts, at the door and inside, on real sockets.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@citypresence/chassis/edge/clock'
import { decode, type Cidr } from '@citypresence/chassis/config'
import { rawExchange, upgradeRequest } from '@citypresence/sim/hostile/raw-request'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { makeToken } from '@citypresence/stack/tokens'
import { until } from '@citypresence/stack/until'
import { afterEach, expect, it } from 'vitest'
import { secret, startHall, tokenFor, type Hall } from '../testing/hall.ts'
import { createAddressOf } from './peer-address.ts'
import { followRevocations } from './revocation-file.ts'

let hall: Hall
const stops: (() => unknown)[] = []
const start = async (...options: Parameters<typeof startHall>): Promise<Hall> => (hall = await startHall(...options))
afterEach(async () => {
  await hall.stop()
  for (const stop of stops.splice(0)) stop()
})

const soon = (what: string, condition: () => boolean) => until(condition, { deadlineMs: 15_000, what })
const path = '/ws/city/presence'
const hasEnded = (text: string): boolean => text.includes('\r\n\r\n')

const loopback: readonly Cidr[] = (() => {
  const read = decode.cidrs('127.0.0.0/8')
  return read.ok ? read.value : []
})()

it('[G34] a household that has all its places is told 429 and when to come back; a forged header finds no other place', async () => {
  await start({ addressOf: createAddressOf(loopback), perAddressMax: 3 })
  const from = (forwarded: string) => hall.open(undefined, { headers: { 'x-forwarded-for': forwarded } })
  const family = ['198.51.100.7', 'forged, 198.51.100.7', '1.2.3.4, 198.51.100.7'].map(from)
  await soon('the family to be in', () => family.every((one) => one.isOpen))
  for (const forwarded of ['198.51.100.7', '203.0.113.1, 198.51.100.7']) {
    const request = upgradeRequest(`${path}?token=${tokenFor()}`, ['Host: x', `X-Forwarded-For: ${forwarded}`])
    expect(await rawExchange(hall.port, request, hasEnded)).toMatch(/^HTTP\/1.1 429 [^]*Retry-After: \d/)
  }
  // Neither another household nor a place that is free again is refused.
  const neighbour = from('203.0.113.1')
  await soon('the neighbour to be in', () => neighbour.isOpen)
  family[0]?.socket.terminate()
  await soon('a place to be free', () => hall.gateway.size() === 3)
  const back = from('198.51.100.7')
  await soon('the next of the family to be in', () => back.isOpen)
  expect(await hall.written()).toMatch(/errors_total\{code="TooManyOfAddress"\} 2$/m)
})

it('[G34] strangers without a token cannot hold the places of a household: each is given back with its refusal', async () => {
  await start({ addressOf: createAddressOf(loopback), perAddressMax: 2 })
  for (let knock = 0; knock < 20; knock++)
    expect(await rawExchange(hall.port, upgradeRequest(path), hasEnded)).toMatch(/^HTTP\/1.1 (401|429) /)
  const viewer = hall.open()
  await soon('who has one to be in', () => viewer.isOpen || viewer.refused !== undefined)
  expect(viewer.refused).toBeUndefined()
})

it('[G34] a subject that has all its places is told 429, by whatever token; who has no subject is not counted', async () => {
  await start({ perSubjectMax: 2 })
  const of = (subject: string | undefined, id: number) =>
    makeToken({ secret, claims: { sub: subject, jti: String(id) } })
  const mine = [1, 2].map((id) => hall.open(of('ada', id)))
  await soon('both to be in', () => mine.every((one) => one.isOpen))
  const refused = hall.open(of('ada', 3))
  await soon('the third to be told', () => refused.refused !== undefined)
  expect(refused.refused).toBe(429)
  expect(await hall.written()).toMatch(/errors_total\{code="TooManyOfSubject"\} 1$/m)
  const others = [hall.open(of('boris', 4)), ...[5, 6, 7].map((id) => hall.open(of(undefined, id)))]
  await soon('the others to be in', () => others.every((one) => one.isOpen))
  for (const one of mine) one.socket.terminate()
  await soon('the places to be free', () => hall.gateway.size() === 4)
  const again = hall.open(of('ada', 8))
  await soon('ada to be in again', () => again.isOpen)
})

it('[G35] who is put on the list is shown out with 4403 and not let in again; a broken list changes nothing', async () => {
  const folder = makeTemporaryFolder('revoked')
  stops.push(() => folder.remove())
  const file = join(folder.path, 'revoked')
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  write('# nobody yet\n')
  const problems: unknown[] = []
  const revocations = followRevocations({ file, clock: systemClock, onProblem: (error) => problems.push(error) })
  stops.push(revocations.stop)
  await start({ isRevoked: revocations.isRevoked })
  hall.room('energy', 3)
  const of = (subject: string, tokenId: string) => makeToken({ secret, claims: { sub: subject, jti: tokenId } })
  const [ada, boris, chidi] = [hall.open(of('ada', 'a1')), hall.open(of('boris', 'b1')), hall.open(of('chidi', 'c1'))]
  await soon('all to be in', () => hall.gateway.size() === 3)
  write('sub:ada\njti:b1\n')
  await soon('the two to be shown out', () => ada.closed !== undefined && boris.closed !== undefined)
  expect([ada.closed, boris.closed]).toEqual([
    { code: 4403, reason: 'forbidden' },
    { code: 4403, reason: 'forbidden' },
  ])
  write('sub:ada\njti:b1\nand now for something else\n')
  await soon('the broken list to be told', () => problems.length > 0)
  rmSync(file)
  mkdirSync(file)
  for (const token of [of('ada', 'a2'), of('boris', 'b1')]) {
    const request = `GET /api/city/presence?token=${token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
    for (const one of [upgradeRequest(`${path}?token=${token}`), request]) {
      const answer = await rawExchange(hall.port, one, hasEnded)
      expect(answer).toMatch(/^HTTP\/1.1 401 /)
      expect(answer).not.toMatch(/101|energy/)
    }
  }
  const other = hall.open(of('boris', 'b2'))
  await soon('another token of boris to do', () => other.isOpen)
  expect(chidi.closed).toBeUndefined()
  expect(String(problems[0])).not.toMatch(/something else|ada/)
  const written = await hall.written()
  expect(written).toMatch(/closes_total\{code="4403"\} 2$/m)
  expect(written).toMatch(/errors_total\{code="TokenRevoked"\} 4$/m)
  for (const name of ['ada', 'boris', 'chidi']) expect(written).not.toMatch(new RegExp(`\\b${name}\\b`))
})

it('[G35] without a good list at the start nothing starts', () => {
  const folder = makeTemporaryFolder('revoked')
  stops.push(() => folder.remove())
  const file = join(folder.path, 'revoked')
  const follow = () => followRevocations({ file, clock: systemClock, onProblem: () => undefined })
  expect(follow).toThrow(/cannot be read/)
  writeFileSync(file, 'ada')
  expect(follow).toThrow(/line 1 is neither/)
})

it('[G36] with a floor of 3 neither socket nor REST ever tells of one or two, and their coming is no news', async () => {
  await start({ privacyFloor: 3 })
  hall.room('few', 1)
  hall.room('many', 3)
  const viewer = hall.open()
  await soon('it to be in', () => viewer.isOpen)
  const few = { room_slug: 'few', online_count: 0, typing_count: 0, below: 3 }
  const many = { room_slug: 'many', online_count: 3, typing_count: 0 }
  expect(viewer.messages[0]).toEqual({ type: 'snapshot', rooms: [few, many] })
  for (const online of [0, 2, 1]) hall.room('few', online)
  hall.room('many', 2)
  await soon('the other to be told', () => viewer.shows('many') === 0)
  hall.room('few', 4)
  await soon('it to be told above the floor', () => viewer.shows('few') === 4)
  expect(viewer.messages.slice(2)).toEqual([
    { type: 'room.presence', ...many, online_count: 0, below: 3 },
    { type: 'room.presence', room_slug: 'few', online_count: 4, typing_count: 0 },
  ])
  // A city that is learnt whole goes the same way.
  hall.gateway.feed.replaced([{ room_slug: 'few', online_count: 2, typing_count: 1, active: true }, many])
  await soon('the whole city', () => viewer.messages.length === 6)
  expect(viewer.messages.slice(4)).toEqual(expect.arrayContaining([{ type: 'room.presence', ...few }]))
  const bearer = { authorization: `Bearer ${tokenFor()}` }
  const answer = await fetch(`${hall.url}/api/city/presence`, { headers: bearer })
  expect(JSON.stringify(await answer.json())).not.toMatch(/"online_count":[12]\b/)
})
