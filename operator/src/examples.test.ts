// Cities as somebody writes them, and all that comes of them, as files that can be read: operator/examples. Another line in one of
// them is a change of what runs in clusters; `vitest -u` writes them anew.
import { expect, it } from 'vitest'
import type { WrittenCityPresence } from './core/city-presence.ts'
import { desiredObjects } from './core/desired.ts'
import { firstCity } from './core/example-city.ts'
import { readSight } from './edge/read-sight.ts'
import { yamlText } from './edge/yaml-text.ts'
import { cityOf, contextOf } from './testing/cities.ts'
import { fullCity, otherCity } from './testing/full-city.ts'

// A dashboard is thirty thousand characters, which nobody reads here: sight/dashboards has them.
const bare = { title: 'CityPresence / City', uid: 'citypresence-city', templating: { list: [] }, panels: [] }
const sight = { ...readSight(), dashboards: [{ name: 'citypresence-city.json', text: JSON.stringify(bare) }] }

const contexts = {
  first: contextOf({ sight }),
  full: contextOf({ sight, secretNames: 'any', cluster: { ...contextOf().cluster, customMetrics: true } }),
  other: contextOf({ sight, secretNames: 'any', imagePullSecrets: ['registry'] }),
}

const documents = (all: readonly unknown[]): string => all.map((one) => yamlText(one)).join('---\n')

const cities: readonly (readonly [keyof typeof contexts, WrittenCityPresence])[] = [
  ['first', firstCity],
  ['full', fullCity],
  ['other', otherCity],
]

it.each(cities)('[OD18] the city %s and all that is made of it', async (name, written) => {
  const city = cityOf(written.spec, { name: written.metadata.name })
  const { autoscaling, replicas } = city.spec.gateway
  const objects = desiredObjects(city, contexts[name], autoscaling?.minReplicas ?? replicas)
  await expect(documents([written])).toMatchFileSnapshot(`../examples/${name}.yaml`)
  await expect(documents(objects)).toMatchFileSnapshot(`../examples/${name}.rendered.yaml`)
})
