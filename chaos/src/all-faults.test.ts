import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { sections } from './all-faults.ts'

it('[K50] every section of the table that has short faults is played by one test file', () => {
  const files = globSync('faults/*.real.test.ts', { cwd: import.meta.dirname })
  const played = files.flatMap((file) =>
    [...readFileSync(`${import.meta.dirname}/${file}`, 'utf8').matchAll(/'([^']+)'(?=[,)])/g)].map(
      ([, title]) => title,
    ),
  )
  const short = sections.filter(({ faults }) => faults.some(({ length }) => length === 'short'))
  expect(played.toSorted()).toEqual(short.map(({ title }) => title).toSorted())
})

it('[K50] every fault has an id of its own', () => {
  const ids = sections.flatMap(({ faults }) => faults.map(({ id }) => id))
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})
