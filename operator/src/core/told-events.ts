// What people are told of a city by Events: the same thing said again is counted on the Event that there is, and is written at most
// once a minute, so that a condition that flutters cannot fill anybody's list.
//
//   (city, reason, message) -> name of its Event, count so far -> write now? or remember
import type { KubeObject } from './kube-object.ts'

export type TellingOf = { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }

export type Said = {
  readonly count: number
  readonly firstMs: number
  /** When it was last written. */
  readonly writtenMs: number
}

/** By city, reason and message: what was said. */
export type ToldEvents = Map<string, Said>

// A thousand cities with a handful of things to say each. Whoever falls out begins to count anew.
const saidMax = 5_000
// The API server keeps an Event for an hour: what was said before that is said anew.
const rememberedMs = 3_600_000
const againMs = 60_000

/** Notes that it is said now; answers what is to be written, if anything. */
export function say(told: ToldEvents, key: string, nowMs: number): Said | undefined {
  const before = told.get(key)
  const isKnown = before !== undefined && nowMs - before.firstMs < rememberedMs
  const count = (isKnown ? before.count : 0) + 1
  const isWritten = !isKnown || nowMs - before.writtenMs >= againMs
  const said = {
    count,
    firstMs: isKnown ? before.firstMs : nowMs,
    writtenMs: isWritten ? nowMs : before.writtenMs,
  }
  // Last in the order of the map is who spoke last.
  told.delete(key)
  told.set(key, said)
  const [oldest] = told.keys()
  if (told.size > saidMax && oldest !== undefined) told.delete(oldest)
  return isWritten ? said : undefined
}

// The server takes 1,024 characters of a message.
const messageLengthMax = 1_000

/** @param suffix of the name: the same for what is counted together. */
export function eventFor(
  about: KubeObject,
  { type, reason, message }: TellingOf,
  said: Said,
  { suffix, component, wallMs, nowMs }: { suffix: string; component: string; wallMs: number; nowMs: number },
): KubeObject {
  const { name, namespace = 'default', uid } = about.metadata
  // Whole seconds: what the API takes here.
  const stamp = (ms: number): string => `${new Date(wallMs - (nowMs - ms)).toISOString().slice(0, 19)}Z`
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${suffix}`, namespace },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      namespace,
      ...(uid === undefined ? {} : { uid }),
    },
    type,
    reason,
    message: message.slice(0, messageLengthMax),
    source: { component },
    reportingComponent: component,
    reportingInstance: component,
    count: said.count,
    firstTimestamp: stamp(said.firstMs),
    lastTimestamp: stamp(nowMs),
  }
}
