// The history of everything that crosses a border, readable, newest first; protocol.test.ts holds the code to it.
//
// A seed client must keep working: keys are never taken away, renamed or given another type. What is new comes as an optional
// key that an older reader passes over, and gets a line here.

export type ProtocolVersion = {
  readonly version: number
  /** What came with it, for somebody who runs an older part beside a newer one. */
  readonly holds: readonly string[]
  /** Of all shapes, subjects, headers, paths and close codes; protocol.test.ts prints the one to write here. */
  readonly fingerprint: string
}

export const protocolHistory: readonly [ProtocolVersion, ...ProtocolVersion[]] = [
  {
    version: 4,
    holds: [
      'Room event: optional blind beside stale, where the homeserver keeps the room out of presence. Not for browsers.',
    ],
    fingerprint: '9cb99fbaa6c545805609aeeec3df094a08324b921b1dc23b3e2dd91897563c6c',
  },
  {
    version: 3,
    holds: [
      'Browser: a room may come with below, where a privacy floor is set: fewer people than that, counts 0. Who passes it over shows 0.',
    ],
    fingerprint: 'c624fc60bc466263d1c90e8cf960bd9ae055badfcb503ace2c108439d8c357e9',
  },
  {
    version: 2,
    holds: ['Epoch record: optional account, the NATS account of the leader; a gateway in the same one warns once.'],
    fingerprint: '3cf8110deb518928745a092a34d283233d3833d64e519670fe1cd3118505536c',
  },
  {
    version: 1,
    holds: [
      'NATS: city.presence.room.<slug>, city.presence.user.<token>, the epoch records, the beat; all published below ingest.',
      'NATS headers: Presence-Epoch as <term>.<epoch> on every message, traceparent on sampled ones.',
      'Room event: the keys of the first description; optional active, last_activity_ts, stale, removed.',
      'User event: the keys of the first description; optional busy.',
      'Browser: snapshot, room.presence and status; ping and pong as text; a close code and a duty for each reason to close.',
      'Room directory: an array of entries, or an object with rooms; each with a slug; optional Matrix room id and alias.',
    ],
    fingerprint: 'eaed3a65509d73f50c37929ddfb96c94d76ee2bac8c9364fb8d92a7ca7bce305',
  },
]
