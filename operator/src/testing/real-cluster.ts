// Rounds on a real API server with every right: what the edge of the operator does, in a few lines, and every write counted.
import type { KubeAnswer, KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { CityError } from '@citypresence/chassis/errors'
import type { SecretFinding } from '../core/judge-city.ts'
import { isFields, type KubeObject, type ObjectRef } from '../core/kube-object.ts'
import type { CityEvent } from '../core/status.ts'
import type { Cluster } from '../reconcile.ts'

/** What a test city is made of, apart from kinds that are somebody else's. */
const watched = [
  ['v1', 'ConfigMap'],
  ['v1', 'ServiceAccount'],
  ['v1', 'Service'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['coordination.k8s.io/v1', 'Lease'],
  ['apps/v1', 'Deployment'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['networking.k8s.io/v1', 'Ingress'],
] as const

export function pathOf({ apiVersion, kind, namespace = '', name }: ObjectRef): string {
  const lower = kind.toLowerCase()
  const plural = lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : lower.endsWith('s') ? `${lower}es` : `${lower}s`
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`
  return `${root}/namespaces/${namespace}/${plural}${name === '' ? '' : `/${name}`}`
}

export const applyHeaders = { 'content-type': 'application/apply-patch+yaml' }

export class RealCluster implements Cluster {
  readonly server: KubeApiServer
  readonly namespace: string
  /** Of objects, whether they changed anything or not; statuses apart. */
  readonly applies: string[] = []
  statuses = 0
  readonly events: CityEvent[] = []
  private cached: readonly KubeObject[] = []

  constructor(server: KubeApiServer, namespace: string) {
    this.server = server
    this.namespace = namespace
  }

  /** The caches as they are after everything was told. */
  async refresh(): Promise<void> {
    const lists = await Promise.all(
      watched.map(async ([apiVersion, kind]) => {
        const { body } = await this.server.ask('GET', pathOf({ apiVersion, kind, namespace: this.namespace, name: '' }))
        return (body['items'] as KubeObject[]).map((one) => ({ ...one, apiVersion, kind }))
      }),
    )
    this.cached = lists.flat()
  }

  objectsOf(): readonly KubeObject[] {
    return this.cached.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] !== undefined)
  }

  async read(ref: ObjectRef): Promise<KubeObject | undefined> {
    const { status, body } = await this.server.ask('GET', pathOf(ref))
    return status === 404 ? undefined : (body as unknown as KubeObject)
  }

  async apply(object: KubeObject): Promise<KubeObject> {
    const { apiVersion, kind, metadata } = object
    this.applies.push(`${kind}/${metadata.name}`)
    const path = pathOf({ apiVersion, kind, name: metadata.name, namespace: this.namespace })
    return this.patched(`${path}?fieldManager=citypresence-operator&force=true&fieldValidation=Strict`, object)
  }

  async remove(ref: ObjectRef): Promise<void> {
    const body = { preconditions: { uid: ref.uid } }
    // Node says no length of a body that goes with a DELETE, and the server would take it for the next request.
    const length = String(JSON.stringify(body).length)
    await this.server.ask('DELETE', pathOf(ref), body, { 'content-length': length })
  }

  async secretKeys(namespace: string, name: string): Promise<SecretFinding['keys']> {
    const { status, body } = await this.server.ask('GET', pathOf({ apiVersion: 'v1', kind: 'Secret', namespace, name }))
    if (status === 404) return 'missing'
    return isFields(body['data']) ? Object.keys(body['data']) : []
  }

  async applyStatus(city: KubeObject, status: unknown): Promise<KubeObject> {
    this.statuses++
    const { apiVersion, kind, metadata } = city
    const { name, namespace = '' } = metadata
    const path = `${pathOf({ apiVersion, kind, namespace, name })}/status?fieldManager=citypresence-operator&force=true`
    return this.patched(path, { apiVersion, kind, metadata: { name, namespace }, status })
  }

  tell(_city: KubeObject, event: CityEvent): Promise<void> {
    this.events.push(event)
    return Promise.resolve()
  }

  private async patched(path: string, body: unknown): Promise<KubeObject> {
    const answer = await this.server.ask('PATCH', path, body, applyHeaders)
    if (answer.status > 201) throw new CityError('Unexpected', `${path}: ${why(answer)}`)
    return answer.body as unknown as KubeObject
  }
}

export const why = ({ status, body }: KubeAnswer): string =>
  `${status} ${typeof body['message'] === 'string' ? body['message'] : JSON.stringify(body)}`
