// The custom resource CityPresence: the one source of its type, of the CRD (`make crds`) and of docs/CITYPRESENCE.md
// (`make docs`). Every field ends in a setting of the aggregator or the gateway (docs/SETTINGS.md) or in an object the operator
// makes; what no setting can do has no field.
//
//   here -> print-crd -> crds/citypresences.yaml -> kubectl apply -> API server: defaults, limits, rules -> CityPresence here
import { cityResource } from '@citypresence/wire/city-resource'
import type { podFields } from './city-fields.ts'
import { aggregator, gateway, observability, publishing } from './city-services.ts'
import { matrix, nats, rooms } from './city-sources.ts'
import { cityStatus } from './city-status.ts'
import { choice, defaulted, objectOf, optional, required, type Complete, type Written } from './schema.ts'

export const { group, version, apiVersion, kind, plural } = cityResource

const spec = objectOf('The city as it should be.', {
  managementState: defaulted(
    choice('Unmanaged: the operator watches and tells the status, and writes nothing else.', 'Managed', 'Unmanaged'),
    'Managed',
  ),
  matrix: required(matrix),
  rooms: required(rooms),
  nats: required(nats),
  publishing: defaulted(publishing, {}),
  aggregator: defaulted(aggregator, {}),
  gateway: required(gateway),
  observability: defaulted(observability, {}),
  networkPolicy: defaulted(
    choice('Whether NetworkPolicies are made that let through only what the city needs.', 'Disabled', 'Managed'),
    'Disabled',
  ),
})

// The longest name made of it is <name>-aggregator-<hash>-<hash>, which fits into the 63 characters of a label up to here.
const nameLengthMax = 40

export const cityPresence = objectOf(
  'A city whose rooms show how many people are in them: live, and true.',
  { spec: required(spec), status: optional(cityStatus) },
  [
    {
      rule: `self.metadata.name.size() <= ${nameLengthMax}`,
      message: `the name may have at most ${nameLengthMax} characters, because the names of pods and Services are made of it`,
    },
    {
      rule: `self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
      message:
        'the name may have small letters, digits and -, and begins with a letter, because the names of Services are made of it',
    },
  ],
)

type Metadata = {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly generation: number
  readonly resourceVersion: string
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}
type Typed = { readonly apiVersion: typeof apiVersion; readonly kind: typeof kind }

export type CitySpec = Complete<typeof spec>
export type CityStatus = Complete<typeof cityStatus>
/** As the API server gives it: every default is there. */
export type CityPresence = Typed & {
  readonly metadata: Metadata
  readonly spec: CitySpec
  readonly status?: CityStatus
}
/** As somebody writes it. */
export type WrittenCityPresence = Typed & {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: Written<typeof spec>
}

export type PodSettings = Pick<CitySpec['aggregator'], keyof typeof podFields>
