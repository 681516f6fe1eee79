// The cities that fixtures are made of.
import { expect, it } from 'vitest'
import { cityShape } from './city-shape.ts'

it.each(['small', 'demo'] as const)('[S3] in the %s city everybody has rooms of the city, none twice', (size) => {
  const { rooms, residents, daemonRooms } = cityShape(size)
  const slugs = rooms.map(({ slug }) => slug)
  expect(new Set(residents.map(({ localpart }) => localpart)).size).toBe(residents.length)
  for (const { rooms: homes } of residents) {
    expect(homes.length).toBeGreaterThanOrEqual(2)
    expect(new Set(homes).size).toBe(homes.length)
    expect(slugs).toEqual(expect.arrayContaining([...homes]))
  }
  for (const slug of slugs) expect(residents.some(({ rooms: homes }) => homes.includes(slug))).toBe(true)
  expect(slugs).toEqual(expect.arrayContaining([...daemonRooms]))
})

it('[S3] slugs are of the form that the wire allows', () => {
  for (const { slug } of cityShape('demo').rooms) expect(slug).toMatch(/^[a-z0-9][a-z0-9_-]{0,62}$/)
})

it('[S3] the daemon lives everywhere in the demo, and everywhere but in one room of the small city', () => {
  expect(cityShape('demo').daemonRooms).toHaveLength(12)
  expect(cityShape('small').daemonRooms).toHaveLength(3)
  expect(cityShape('demo').residents).toHaveLength(40)
})
