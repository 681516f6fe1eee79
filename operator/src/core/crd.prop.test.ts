// The CRD as an object; a real API server judges it in crd.real.test.ts.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { crdFiles } from '../print-crd.ts'
import { placesIn } from '../testing/schema-walk.ts'
import { cityPresence } from './city-presence.ts'
import { customResourceDefinition, printerColumns } from './crd.ts'

const house = join(import.meta.dirname, '../../..')

it('[API1] every file that holds the CRD says what the code says (`make crds` prints them)', () => {
  for (const { path, text } of crdFiles()) expect(readFileSync(join(house, path), 'utf8'), path).toBe(text)
  expect(parse(crdFiles()[0]?.text ?? '')).toEqual(JSON.parse(JSON.stringify(customResourceDefinition)))
})

/** The place in the schema that a simple JSONPath leads to. */
const schemaAt = (path: string) =>
  path
    .replace(/\[\?.*\]/, '.items')
    .split('.')
    .filter((part) => part !== '')
    .reduce<unknown>((at, part) => {
      const { properties, items } = at as { properties?: Record<string, unknown>; items?: unknown }
      return part === 'items' ? items : properties?.[part]
    }, cityPresence.openapi)

it('[API8] every column and every path of scale leads to a field there is', () => {
  const { scale } = customResourceDefinition.spec.versions[0].subresources
  const paths = [...printerColumns.map(({ jsonPath }) => jsonPath), ...Object.values(scale)]
  expect(paths.filter((path) => !path.startsWith('.metadata') && schemaAt(path) === undefined)).toEqual([])
})

it('[API2] nothing in it is undefined: YAML would say null, and mean something else', () => {
  fc.assert(
    fc.property(fc.constantFrom(...placesIn(cityPresence.openapi, undefined)), ({ schema }) => {
      expect(Object.values(schema)).not.toContain(undefined)
    }),
  )
})
