// The name of the resource that operator and aggregator share, and under which each of them writes its part of it.
export const cityResource = {
  group: 'presence.daarion.city',
  version: 'v1alpha1',
  apiVersion: 'presence.daarion.city/v1alpha1',
  kind: 'CityPresence',
  plural: 'citypresences',
} as const

/** By server-side apply each writer owns what it named last; under one name they would take each other's fields away. */
export const fieldManagers = { operator: 'citypresence-operator', aggregator: 'citypresence-aggregator' } as const
