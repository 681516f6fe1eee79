// Arbitrary messages of every kind that crosses a border, for properties: valid ones, and the ways to spoil one.
import fc from 'fast-check'
import { beat, type Beat } from '../beat.ts'
import { clientMessage, staleReasons, type ClientMessage, type RoomView } from '../client-messages.ts'
import type { Decoder } from '../decode.ts'
import { epochRecord, type EpochRecord } from '../epoch.ts'
import { roomDirectory } from '../room-directory.ts'
import { roomPresence, type RoomPresence } from '../room-presence.ts'
import type { RoomSlug } from '../subjects.ts'
import { userPresence, type UserPresence } from '../user-presence.ts'

export const anySlug: fc.Arbitrary<RoomSlug> = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/)
const anyCount = fc.oneof(fc.nat({ max: 5 }), fc.maxSafeNat())
/** Any UTF-16 at all: lone surrogates, control characters, dots and wildcards, names of Object.prototype. */
export const anyText = (lengthMax: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: lengthMax }),
    fc
      .array(fc.oneof(fc.constantFrom(0xd83d, 0xde00, 0xdfff, 0x2e, 0x2a, 0x3e, 0x3d, 0x20), fc.nat({ max: 0xffff })), {
        maxLength: lengthMax,
      })
      .map((units) => String.fromCharCode(...units)),
    fc.constantFrom('__proto__', 'constructor', 'toString').filter((name) => name.length <= lengthMax),
  )

const optional = <T, K extends string>(model: Record<K, fc.Arbitrary<T>>): fc.Arbitrary<Partial<Record<K, T>>> =>
  fc.record(model, { requiredKeys: [] })

export const anyRoomPresence: fc.Arbitrary<RoomPresence> = fc
  .tuple(
    fc.record({
      type: fc.constant('room.presence' as const),
      room_slug: anySlug,
      matrix_room_id: anyText(255),
      matrix_room_alias: fc.option(anyText(255)),
      online_count: anyCount,
      typing_count: anyCount,
      typing_users: fc.array(anyText(40), { maxLength: 5 }),
      last_event_ts: anyCount,
    }),
    optional({ active: fc.boolean(), stale: fc.boolean(), blind: fc.boolean(), removed: fc.boolean() }),
    optional({ last_activity_ts: anyCount }),
  )
  .map(([room, flags, times]) => ({ ...room, ...flags, ...times }))

export const anyView = (slug: fc.Arbitrary<RoomSlug> = anySlug): fc.Arbitrary<RoomView> =>
  fc
    .tuple(
      fc.record({ room_slug: slug, online_count: anyCount, typing_count: anyCount }),
      optional({ active: fc.boolean(), stale: fc.boolean(), removed: fc.boolean() }),
      optional({ below: fc.integer({ min: 1, max: 99 }) }),
    )
    .map(([room, flags, floor]) => ({ ...room, ...flags, ...floor }))

const anyClientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.array(anyView(), { maxLength: 5 }).map((rooms) => ({ type: 'snapshot' as const, rooms })),
  anyView().map((view) => ({ type: 'room.presence' as const, ...view })),
  fc
    .tuple(fc.boolean(), fc.option(fc.constantFrom(...staleReasons), { nil: undefined }))
    .map(([stale, reason]) => ({ type: 'status' as const, stale, ...(reason !== undefined && { reason }) })),
)

const anyBeat: fc.Arbitrary<Beat> = fc.record({
  complete: fc.boolean(),
  rooms: anyCount,
  source: fc.constantFrom('live' as const, 'stale' as const),
  source_age_ms: anyCount,
})
const anyEpochRecord: fc.Arbitrary<EpochRecord> = fc.record(
  { term: fc.integer({ min: 1 }), holder: anyText(253), city: anyText(253), account: anyText(253) },
  { requiredKeys: ['term', 'holder', 'city'] },
)
const anyUserPresence: fc.Arbitrary<UserPresence> = fc
  .tuple(
    fc.record({
      type: fc.constant('user.presence' as const),
      matrix_user_id: anyText(255),
      status: fc.constantFrom('online' as const, 'offline' as const, 'unavailable' as const),
      last_active_ts: anyCount,
    }),
    optional({ busy: fc.boolean() }),
  )
  .map(([user, flags]) => ({ ...user, ...flags }))

/** Entries whose slugs, ids and aliases differ, as a good city service answers them. */
export const anyDirectory = fc
  .uniqueArray(anySlug, { maxLength: 6 })
  .chain((slugs) =>
    fc.tuple(...slugs.map((slug) => fc.tuple(fc.constant(slug), fc.constantFrom('id', 'alias', 'both', 'none')))),
  )
  .map((rooms) =>
    rooms.map(([slug, form]) => ({
      slug,
      ...((form === 'id' || form === 'both') && { matrix_room_id: `!${slug}` }),
      ...((form === 'alias' || form === 'both') && { matrix_room_alias: `#${slug}:test.local` }),
    })),
  )

export type Kind = { readonly name: string; readonly decoder: Decoder<unknown>; readonly valid: fc.Arbitrary<unknown> }
export const kinds: readonly Kind[] = [
  { name: 'room event', decoder: roomPresence, valid: anyRoomPresence },
  { name: 'user event', decoder: userPresence, valid: anyUserPresence },
  { name: 'beat', decoder: beat, valid: anyBeat },
  { name: 'epoch record', decoder: epochRecord, valid: anyEpochRecord },
  { name: 'browser message', decoder: clientMessage, valid: anyClientMessage },
  { name: 'room directory', decoder: roomDirectory, valid: anyDirectory },
]

type Step = string | number
export type Place = readonly Step[]

/** Every place in a value that can be spoiled, the value itself apart. */
export function placesIn(value: unknown, at: Place = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return at.length === 0 ? [] : [at]
  const steps: Step[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  const below = steps.flatMap((step) => placesIn((value as Record<Step, unknown>)[step], [...at, step]))
  return at.length === 0 ? below : [at, ...below]
}

/** A copy with one place set to something else, or taken out. */
export function spoil(value: unknown, place: Place, put: { readonly value: unknown } | 'take-out'): unknown {
  const copy = structuredClone(value)
  let inner = copy as Record<Step, unknown>
  for (const step of place.slice(0, -1)) inner = inner[step] as Record<Step, unknown>
  const last = place.at(-1) ?? ''
  if (put !== 'take-out') inner[last] = put.value
  else if (Array.isArray(inner)) inner.splice(Number(last), 1)
  else Reflect.deleteProperty(inner, last)
  return copy
}

/** A copy in which every object has more keys than the contract knows. */
export function grow(value: unknown, extra: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(value)) return value.map((item) => grow(item, extra))
  if (typeof value !== 'object' || value === null) return value
  return { ...extra, ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, grow(inner, extra)])) }
}

/** As decoders write it: `rooms[3].room_slug`. */
export const pathOf = (place: Place): string =>
  place.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`),
    '',
  )
