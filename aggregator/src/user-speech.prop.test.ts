// Users as a stream would hold them, however often the leader changes and whatever is lost, against plain lists.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultPrefix, encodeUser, subjectsBelow } from '@citypresence/wire/subjects'
import type { UserPresence } from '@citypresence/wire/user-presence'
import { batchMax } from './core/batch.ts'
import { createCity } from './core/city.ts'
import { cityOptions, come, follow, go, is, respond } from './testing/cities.ts'
import { createUserSpeech, type UserSpeech } from './user-speech.ts'

const subjects = subjectsBelow(defaultPrefix)
const people = ['@a:test.local', '@b:test.local', '@c:test.local', '@d:elsewhere']
const who = fc.constantFrom(...people)
const states = ['online', 'unavailable', 'offline'] as const
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('come' as const), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('go' as const), who }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('is' as const), who, state: fc.constantFrom(...states) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('say' as const), stored: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('new process' as const) }) },
)

/** The stream: the newest word about each; an erased one expires. */
type Held = Map<string, UserPresence>
const bodies = (held: Held) =>
  [...held.values()].map((user) => ({
    subject: subjects.user(encodeUser(user.matrix_user_id, 'test.local') ?? ''),
    body: JSON.stringify(user),
  }))

function store(held: Held, { body, headers }: { body: string; headers: Readonly<Record<string, string>> }): void {
  const user = JSON.parse(body) as UserPresence
  if (headers['Nats-TTL'] === undefined) held.set(user.matrix_user_id, user)
  else held.delete(user.matrix_user_id)
}

it('[L57] whatever is lost and whoever leads: in the end the stream holds everybody who is there, and nobody else', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40, size: 'max' }), fc.subarray(people), (steps, before) => {
      const held: Held = new Map()
      // What a leader of long ago left there.
      for (const one of before)
        held.set(one, { type: 'user.presence', matrix_user_id: one, status: 'online', last_active_ts: 1 })
      const inRoom = new Set<string>()
      const state = new Map<string, (typeof states)[number]>()
      let nowMs = 1
      let epoch = 1
      const startUp = () => {
        const city = createCity({ ...cityOptions, userEvents: true, remoteUsers: true })
        // A first sync leaves out who is offline.
        const present = people.filter((one) => inRoom.has(one) && (state.get(one) ?? 'offline') !== 'offline')
        const facts = [...inRoom].map((one) => come('!r', one))
        respond(
          city,
          (nowMs += 1),
          follow('!r'),
          ...facts,
          ...present.map((one) => is(one, state.get(one) ?? 'offline')),
        )
        const speech = createUserSpeech({
          city,
          subjects,
          isKnown: () => true,
          areRoomsTold: () => true,
          untold: () => undefined,
        })
        begin(speech)
        return { city, speech }
      }
      const begin = (speech: UserSpeech): void => {
        speech.begin({ term: 1, epoch: (epoch += 1) })
        speech.takeStored(bodies(held))
      }
      const say = ({ speech }: { readonly speech: UserSpeech }, isStored: boolean): void => {
        speech.changed()
        const messages = speech.next(0)
        expect(messages.length).toBeLessThanOrEqual(batchMax)
        // Nobody twice in one batch.
        expect(new Set(messages.map(({ subject }) => subject)).size).toBe(messages.length)
        for (const message of messages) {
          expect(message.headers['Presence-Epoch']).toBe(`1.${epoch}`)
          if (isStored) store(held, message)
        }
        if (!isStored && messages.length > 0) begin(speech)
      }
      let process = startUp()
      for (const step of [...steps, { kind: 'say' as const, stored: true }]) {
        if (step.kind === 'come') {
          inRoom.add(step.who)
          respond(process.city, (nowMs += 1), come('!r', step.who))
        } else if (step.kind === 'go') {
          if (inRoom.delete(step.who)) state.delete(step.who)
          respond(process.city, (nowMs += 1), go('!r', step.who))
        } else if (step.kind === 'is') {
          // The homeserver tells of those in a room only.
          if (!inRoom.has(step.who)) continue
          state.set(step.who, step.state)
          respond(process.city, (nowMs += 1), is(step.who, step.state))
        } else if (step.kind === 'say') say(process, step.stored)
        else process = startUp()
      }
      for (const one of people) {
        const status = inRoom.has(one) ? (state.get(one) ?? 'offline') : undefined
        // Who is there and never came online need not be told of.
        if (status === undefined) expect(held.has(one)).toBe(false)
        else expect(held.get(one)?.status ?? 'offline').toBe(status)
      }
    }),
  )
})
