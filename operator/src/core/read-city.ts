// What the API server gives as a CityPresence, with every default and within every limit of the schema, or a sentence about what is
// wrong. The server has judged it already; but the CRD that it judged by may be an older one, or somebody may have loosened it.
import { accept, refuse, type Result } from '@citypresence/chassis/core/result'
import { cityPresence, type CityPresence } from './city-presence.ts'
import type { KubeObject } from './kube-object.ts'
import { problemsOf, withDefaults } from './read-object.ts'

const schema = cityPresence.openapi.properties?.['spec'] ?? {}

export function readCity(object: KubeObject): Result<CityPresence> {
  const spec = withDefaults(schema, object['spec'] ?? {})
  const [problem] = problemsOf(schema, spec, 'spec')
  // Every field was looked at by the schema that the type is made from.
  return problem === undefined
    ? accept({ ...object, spec } as unknown as CityPresence)
    : refuse(`${problem.path} ${problem.says}`)
}
