import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLogger } from '../log.ts'
import { createLogOutput } from './log-output.ts'

it('[C26] a line is in the file before the call returns', () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-output-'))
  const path = join(folder, 'log')
  const fd = openSync(path, 'w')
  try {
    const log = createLogger({ service: 'test', level: 'info', destination: createLogOutput(fd, () => undefined) })
    log.info({ text: 'ä€😀'.repeat(2_000) }, 'whole')
    log.info('second')
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['whole', 'second'])
  } finally {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  }
})

it('[C26] a line that cannot be written is lost and told, and nothing is thrown', () => {
  // A descriptor that was never opened: every write fails, as on a full disk.
  const lost: unknown[] = []
  const log = createLogger({
    service: 'test',
    level: 'info',
    destination: createLogOutput(1_000_000, (error) => lost.push(error)),
  })
  log.info('one')
  log.fatal('two')
  expect(lost).toEqual([expect.objectContaining({ code: 'EBADF' }), expect.objectContaining({ code: 'EBADF' })])
})
