// Who hears what in the double of a NATS server, in the order of publishing, always a turn later, as over a wire.
import { headers as createHeaders, type Msg, type MsgHdrs } from '@nats-io/transport-node'
import { matches, type Fields } from './store.ts'

export type Delivery = {
  readonly subject: string
  readonly body: string
  readonly headers?: Fields
  /** A status line instead of a message: 204 ends an answer, 404 and 503 are errors. */
  readonly status?: { readonly code: number; readonly text: string }
}
type Subscriber = { readonly pattern: string; readonly hear: (message: Msg) => void }
export type Subscribers = Set<Subscriber>

export function deliver(subscribers: Subscribers, delivery: Delivery): void {
  const message = toMessage(delivery)
  for (const subscriber of subscribers)
    if (matches(subscriber.pattern, delivery.subject))
      queueMicrotask(() => {
        if (subscribers.has(subscriber)) subscriber.hear(message)
      })
}

export const isHeard = (subscribers: Subscribers, subject: string): boolean =>
  [...subscribers].some(({ pattern }) => matches(pattern, subject))

/** As much of a message as our edges read. */
export function toMessage({ subject, body, headers, status }: Delivery): Msg {
  const data = new TextEncoder().encode(body)
  return {
    subject,
    data,
    sid: 0,
    headers: toHeaders(headers, status),
    string: () => body,
    json: () => JSON.parse(body) as unknown,
    respond: () => false,
    respondMessage: () => false,
  } as unknown as Msg
}

function toHeaders(fields: Fields | undefined, status: Delivery['status']): MsgHdrs | undefined {
  if (fields === undefined && status === undefined) return undefined
  const made = status === undefined ? createHeaders() : createHeaders(status.code, status.text)
  for (const [name, value] of Object.entries(fields ?? {})) made.set(name, value)
  return made
}
