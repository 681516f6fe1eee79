// A line of a watch: an object that came, changed or went, a bookmark (so far all is told), or the end with its reason.
import { accept, refuse, type Result } from '@citypresence/chassis/core/result'
import { readFailure, type KubeFailure } from './kube-failure.ts'
import { isFields, readObject, type KubeObject, type ObjectRef } from './kube-object.ts'

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly version: string }
  | { readonly type: 'ERROR'; readonly failure: KubeFailure }

export function readWatchEvent(line: string, kind: Pick<ObjectRef, 'apiVersion' | 'kind'>): Result<WatchEvent> {
  const json = parse(line)
  if (!isFields(json)) return refuse('is no object')
  const { type, object } = json
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const read = readObject(object, kind)
      return read.ok ? accept({ type, object: read.value }) : read
    }
    case 'BOOKMARK': {
      const version =
        isFields(object) && isFields(object['metadata']) ? object['metadata']['resourceVersion'] : undefined
      return typeof version === 'string' && version !== '' ? accept({ type, version }) : refuse('has no version')
    }
    case 'ERROR': {
      const code = isFields(object) ? object['code'] : undefined
      return accept({ type, failure: readFailure(typeof code === 'number' ? code : 500, undefined, object) })
    }
    default:
      return refuse('is of no known type')
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}
