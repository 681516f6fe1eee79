// The resource on a real API server: installs its CRD, and asks about cities in a namespace.
import type { KubeAnswer, KubeApiServer } from '@citypresence/stack/kube-apiserver'
import { until } from '@citypresence/stack/until'
import { group, plural, version } from '../core/city-presence.ts'
import { crdName, customResourceDefinition } from '../core/crd.ts'

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
export const citiesPath = `/apis/${group}/${version}/namespaces/default/${plural}`

export async function installCrd(server: KubeApiServer): Promise<void> {
  const made = await server.ask('POST', crds, customResourceDefinition)
  if (made.status !== 201) throw new Error(`the CRD was refused: ${String(made.body['message'])}`)
  // Established a moment before it is served.
  await until(async () => (await server.ask('GET', citiesPath)).status === 200, { deadlineMs: 20_000, what: crdName })
}

export type Cause = { readonly field: string; readonly message: string; readonly reason: string }

/** Why an object was refused, field by field. */
export function causesOf({ body }: KubeAnswer): readonly Cause[] {
  const details = body['details'] as { readonly causes?: readonly Partial<Cause>[] } | undefined
  return (details?.causes ?? []).map(({ field = '', message = '', reason = '' }) => ({ field, message, reason }))
}
