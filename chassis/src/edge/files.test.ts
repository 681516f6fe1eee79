import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type FakeClock, createFakeClock } from '../testing/fake-clock.ts'
import type { Cancel } from './clock.ts'
import { watchFile } from './files.ts'

let folder: string
let clock: FakeClock
let changes: number
let stop: Cancel | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'citypresence-files-'))
  clock = createFakeClock()
  changes = 0
})
afterEach(() => {
  stop?.()
  rmSync(folder, { recursive: true })
})

const watch = (path: string) => (stop = watchFile(path, () => changes++, { everyMs: 1_000, clock }))

it('[C17] a changed content is told once, an unchanged one never, a touched one neither', async () => {
  const path = join(folder, 'rooms.json')
  writeFileSync(path, 'one')
  watch(path)
  await clock.advance(5_000)
  expect(changes).toBe(0)
  writeFileSync(path, 'two!')
  await clock.advance(5_000)
  expect(changes).toBe(1)
  writeFileSync(path, 'two!')
  await clock.advance(5_000)
  expect(changes).toBe(1)
})

it('[C17] the swap of a symbolic link above the file, as Kubernetes does it, is a change', async () => {
  const version = (name: string, content: string) => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'token'), content)
  }
  version('v1', 'first')
  symlinkSync('v1', join(folder, '..data'))
  symlinkSync('..data/token', join(folder, 'token'))
  watch(join(folder, 'token'))
  version('v2', 'other')
  symlinkSync('v2', join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  await clock.advance(1_000)
  expect(changes).toBe(1)
})

it('[C17] a file that is gone for a while is not news, one that comes later is', async () => {
  const path = join(folder, 'late')
  watch(path)
  await clock.advance(2_000)
  expect(changes).toBe(0)
  writeFileSync(path, 'here')
  await clock.advance(1_000)
  expect(changes).toBe(1)
  unlinkSync(path)
  await clock.advance(2_000)
  writeFileSync(path, 'here')
  await clock.advance(2_000)
  expect(changes).toBe(1)
})

it('[C17] after the stop nothing is looked at, also when it is stopped by the change itself', async () => {
  const path = join(folder, 'file')
  writeFileSync(path, 'one')
  const stopWatching = watchFile(
    path,
    () => {
      changes++
      stopWatching()
    },
    { everyMs: 1_000, clock },
  )
  writeFileSync(path, 'three')
  await clock.advance(1_000)
  expect([changes, clock.pendingTimers()]).toEqual([1, 0])
})
