// The API server as a door: a path goes in, an answer comes out. Who we are is known behind the door, and nowhere else.
import type { KubeAccess } from '../core/kubeconfig.ts'
import type { Clock } from './clock.ts'
import { createHttpClient, type HttpRequest, type HttpResponse } from './http-client.ts'
import { tokenOf } from './kube-access.ts'

export interface KubeDoor {
  /** Asks for JSON; what is sent is JSON where no other type is named. */
  request(path: string, request: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

export type KubeDoorOptions = {
  readonly access: KubeAccess
  readonly userAgent: string
  readonly clock?: Clock
}

export function openKubeDoor({ access, userAgent, clock }: KubeDoorOptions): KubeDoor {
  const http = createHttpClient({ userAgent, ca: access.ca, client: access.client, ...(clock && { clock }) })
  return {
    async request(path, request) {
      const token = tokenOf(access)
      const known = token === undefined ? {} : { authorization: `Bearer ${token}` }
      return await http.request(`${access.server}${path}`, withHeaders(request, known))
    },
    close: () => http.close(),
  }
}

/** As the API takes it, from who we are. */
export const withHeaders = (request: HttpRequest, known: Readonly<Record<string, string>>): HttpRequest => ({
  ...request,
  headers: {
    accept: 'application/json',
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...request.headers,
    ...known,
  },
})
