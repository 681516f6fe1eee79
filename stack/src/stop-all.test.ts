import { expect, it } from 'vitest'
import { stopAll } from './stop-all.ts'

it('[S44] all that was started is stopped, in order, whatever was not started or cannot be stopped', async () => {
  const stopped: string[] = []
  const part = (name: string) => ({ stop: () => Promise.resolve(stopped.push(name)) })
  const broken = { close: () => Promise.reject(new Error('broken')) }
  await stopAll(part('a'), undefined, { remove: () => stopped.push('folder') }, part('b'))
  expect(stopped).toEqual(['a', 'folder', 'b'])
  await expect(stopAll(broken, part('c'))).rejects.toThrow('broken')
  await expect(stopAll(broken, broken, part('d'))).rejects.toBeInstanceOf(AggregateError)
  expect(stopped.slice(3)).toEqual(['c', 'd'])
})
