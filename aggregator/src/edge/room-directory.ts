// Where the map of the city comes from: the city service over HTTP, or a file in the same shape.
//
//   read() -> JSON, undecoded: core/room-map judges it        watch() -> tells when it is worth reading before its time
import { readFile, stat } from 'node:fs/promises'
import type { Cancel, Clock } from '@citypresence/chassis/edge/clock'
import { watchFile } from '@citypresence/chassis/edge/files'
import type { HttpClient } from '@citypresence/chassis/edge/http-client'
import { CityError } from '@citypresence/chassis/errors'
import type { Secret } from '@citypresence/chassis/secret'

export interface RoomDirectory {
  /** Throws RoomDirectoryUnreadable, with the reason as its cause. */
  read(signal: AbortSignal): Promise<unknown>
  /** Calls back when the directory has another content. */
  watch(onChange: () => void): Cancel
}

export type HttpDirectoryOptions = {
  readonly http: HttpClient
  /** CITY_SERVICE_INTERNAL_URL: the service, or the list itself where the address has a path. */
  readonly serviceUrl: string
  readonly token?: Secret | undefined
  readonly timeoutMs?: number
}

const defaultPath = '/internal/city/rooms'
/** A list of rooms takes a service milliseconds; ten seconds is a service that hangs. */
const timeoutMsDefault = 10_000
/** 10,000 rooms with names of the greatest length. */
const directoryBytesMax = 8 * 1024 * 1024

export function httpDirectory({
  http,
  serviceUrl,
  token,
  timeoutMs = timeoutMsDefault,
}: HttpDirectoryOptions): RoomDirectory {
  const { origin, pathname, search } = new URL(serviceUrl)
  const path = pathname === '/' ? defaultPath : `${pathname}${search}`
  const url = `${origin}${path}`
  const shown = path.split('?', 1)[0] ?? ''
  return {
    watch: () => () => undefined,
    async read(signal) {
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token.read()}` }
      const answer = await http
        .request(url, {
          headers: { accept: 'application/json', ...authorization },
          timeoutMs,
          maxBytes: directoryBytesMax,
          signal,
        })
        .catch((cause: unknown) => {
          throw unreadable(cause instanceof Error ? cause.message : shown, cause)
        })
      if (answer.status !== 200) {
        const refusal = new CityError('HttpRefused', `GET ${shown}: answered with status ${answer.status}`)
        throw unreadable(refusal.message, refusal)
      }
      return parse(Buffer.from(answer.body).toString('utf8'), `GET ${shown}`)
    },
  }
}

export type FileDirectoryOptions = { readonly file: string; readonly clock?: Clock }

export function fileDirectory({ file, clock }: FileDirectoryOptions): RoomDirectory {
  return {
    watch: (onChange) => watchFile(file, onChange, clock === undefined ? {} : { clock }),
    async read() {
      const text = await readSmall(file).catch((cause: unknown) => {
        throw unreadable(`${file}: cannot be read`, cause)
      })
      return parse(text, file)
    },
  }
}

async function readSmall(file: string): Promise<string> {
  const { size } = await stat(file)
  if (size > directoryBytesMax) throw new Error(`more than ${directoryBytesMax} bytes`)
  return await readFile(file, 'utf8')
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the text.
    throw unreadable(`${where}: this is no JSON`)
  }
}

const unreadable = (message: string, cause?: unknown): CityError =>
  new CityError('RoomDirectoryUnreadable', message, cause === undefined ? {} : { cause })
