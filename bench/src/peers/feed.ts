// What the peers written in Node share: they hear the rooms from the same nats-server as our gateway, know the newest of each for
// who connects, check the same token, and say on which port they listen. What they do with a change is their own file.
import { connect } from '@nats-io/transport-node'
import jsonwebtoken from 'jsonwebtoken'

type View = { readonly room_slug: string; readonly online_count: number; readonly typing_count: number }

const [url = '', user = '', pass = '', secret = ''] = process.argv.slice(2)
// Who started it is gone.
process.stdin.on('end', () => process.exit(0)).resume()
const newest = new Map<string, View>()

/** Calls back for each change with what browsers are told. */
export async function hearRooms(heard: (view: View) => void): Promise<void> {
  const connection = await connect({ servers: url, user, pass, inboxPrefix: '_INBOX_gateway' })
  connection.subscribe('city.presence.room.>', {
    callback(_error, message) {
      const { room_slug, online_count, typing_count } = message.json<View>()
      const view = { room_slug, online_count, typing_count }
      newest.set(room_slug, view)
      heard(view)
    },
  })
  await connection.flush()
}

export const snapshotText = (): string => JSON.stringify({ type: 'snapshot', rooms: [...newest.values()] })

export const updateText = (view: View): string => JSON.stringify({ type: 'room.presence', ...view })

/** As `jsonwebtoken` has it in its own examples. */
export function isWelcome(requestUrl: string | undefined): boolean {
  const token = new URL(requestUrl ?? '/', 'http://bench').searchParams.get('token') ?? ''
  try {
    jsonwebtoken.verify(token, secret, { algorithms: ['HS256'] })
    return true
  } catch {
    return false
  }
}

export const listening = (port: number): void => void process.stdout.write(`${JSON.stringify({ port })}\n`)
