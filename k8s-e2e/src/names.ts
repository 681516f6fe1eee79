// How things are called on the cluster, and by which labels they are found.
export const namespace = 'citypresence-e2e'
export const release = 'city'
export const cityName = 'first'
/** What the chart calls the operator, and begins the names of its NATS with. */
export const operatorName = `${release}-city-presence`
export const natsName = `${operatorName}-nats`

const component = (instance: string, name: string): string =>
  `app.kubernetes.io/instance=${instance},app.kubernetes.io/component=${name}`
export const gatewaySelector = component(cityName, 'gateway')
export const aggregatorSelector = component(cityName, 'aggregator')
export const operatorSelector = component(release, 'operator')
export const natsSelector = component(release, 'nats')
