// Every NATS subject, built and parsed here only.
//
//   ingest.city.presence.room.<slug>  --stream transform-->  city.presence.room.<slug>   (what is stored and heard)
//
// A token made from foreign text goes through one injective encoder: no two texts share a token, and no token holds a dot, a
// wildcard, a space or a control character, so that nobody's name can reach another subject.
import { matching, type Infer } from './decode.ts'

// 63 like a DNS label: a slug is also a Kubernetes label value and a file name.
const slugPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/
/** A room's name in the city. */
export const roomSlug = matching(
  'a slug (a-z, 0-9, _ and -, at most 63, beginning with a letter or digit)',
  slugPattern,
)
export type RoomSlug = Infer<typeof roomSlug>
export const isRoomSlug = (text: string): text is RoomSlug => slugPattern.test(text)

// A server drops a connection that sends a subject of more than 4,096 bytes; 200 leaves room for any prefix and stays readable.
export const tokenLengthMax = 200

const isPlain = (unit: number): boolean =>
  (unit >= 0x30 && unit <= 0x39) ||
  (unit >= 0x41 && unit <= 0x5a) ||
  (unit >= 0x61 && unit <= 0x7a) ||
  unit === 0x5f ||
  unit === 0x2d

/** The bytes of a code point in UTF-8, lone surrogates included (as WTF-8 has them), so that two of them never collide. */
function utf8Of(point: number): number[] {
  if (point < 0x80) return [point]
  if (point < 0x800) return [0xc0 | (point >> 6), 0x80 | (point & 63)]
  if (point < 0x10000) return [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)]
  return [0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)]
}

/**
 * Text as one subject token: letters, digits, `_` and `-` stay, any other byte becomes `=hh`.
 * Undefined where that is empty or longer than `tokenLengthMax`: such a name gets no subject.
 */
export function encodeToken(text: string): string | undefined {
  if (text.length === 0 || text.length > tokenLengthMax) return undefined
  let token = ''
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    token += isPlain(point)
      ? character
      : utf8Of(point).reduce((hex, byte) => `${hex}=${byte.toString(16).padStart(2, '0')}`, '')
    if (token.length > tokenLengthMax) return undefined
  }
  return token
}

/** The token of a Matrix user: the localpart for a user of the home server, `localpart:server` in one token for any other. */
export function encodeUser(userId: string, homeServer: string): string | undefined {
  const colon = userId.indexOf(':')
  if (!userId.startsWith('@') || colon < 2) return undefined
  const isLocal = userId.slice(colon + 1) === homeServer
  return encodeToken(isLocal ? userId.slice(1, colon) : userId.slice(1))
}

export type ParsedSubject =
  | { readonly kind: 'epoch' }
  | { readonly kind: 'user-epoch' }
  | { readonly kind: 'beat' }
  | { readonly kind: 'room'; readonly slug: RoomSlug }
  | { readonly kind: 'user'; readonly token: string }

const tokenPattern = /^[A-Za-z0-9_=-]{1,200}$/

/** The subjects below one prefix (`city.presence` unless set otherwise). */
export function subjectsBelow(prefix: string) {
  const parse = (subject: string): ParsedSubject | undefined => {
    if (!subject.startsWith(`${prefix}.`)) return undefined
    const [kind = '', token, ...rest] = subject.slice(prefix.length + 1).split('.')
    if (rest.length > 0) return undefined
    if (token === undefined) return parseSingle(kind)
    if (kind === 'room' && isRoomSlug(token)) return { kind, slug: token }
    if (kind === 'user' && tokenPattern.test(token)) return { kind, token }
    return undefined
  }
  return {
    prefix,
    all: `${prefix}.>`,
    epoch: `${prefix}.epoch`,
    userEpoch: `${prefix}.uepoch`,
    beat: `${prefix}.beat`,
    rooms: `${prefix}.room.>`,
    users: `${prefix}.user.>`,
    room: (slug: RoomSlug): string => `${prefix}.room.${slug}`,
    user: (token: string): string => `${prefix}.user.${token}`,
    /** Where a message has to be published for it to be stored as `subject`. */
    ingest: (subject: string): string => `ingest.${subject}`,
    parse,
  }
}
export type Subjects = ReturnType<typeof subjectsBelow>

function parseSingle(kind: string): ParsedSubject | undefined {
  if (kind === 'epoch' || kind === 'beat') return { kind }
  return kind === 'uepoch' ? { kind: 'user-epoch' } : undefined
}

/** The name of the streams and the prefix, unless a setting says otherwise. */
export const defaultPrefix = 'city.presence'
export const roomStream = 'CITY_PRESENCE'
export const userStream = 'CITY_PRESENCE_USERS'
