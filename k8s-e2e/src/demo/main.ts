// `make kind-demo`: a city on the cluster of `make e2e-up`, with people who come and go, and the address at which to look at it. Ctrl-C ends the
// people; the cluster stays until `make e2e-down`.
import { aggregatorSelector, cityName, namespace } from '../names.ts'
import { keepTurning } from '../lives.ts'
import { Truth } from '../truth.ts'
import { cityStands } from '../world.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)

say('Installing the chart and a city (usually 30 to 90 s) ...')
const world = await cityStands()
const truth = new Truth(world)
await truth.empty()
const lives = keepTurning(world, truth)
say(`
The city is open: ${await world.gatewayUrl()}/city#token=${world.token}

Look at it:       export KUBECONFIG=${world.settings.kubeconfig}
                  kubectl get cpres --namespace ${namespace} --output wide
                  kubectl delete pods --namespace ${namespace} --selector ${aggregatorSelector}    # and see that nobody outside sees it
                  kubectl scale cpres/${cityName} --namespace ${namespace} --replicas=3

Ctrl-C ends the people; make e2e-down the cluster.`)
await new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
})
await lives.stop()
