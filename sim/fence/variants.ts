// What Spin is asked about the model: the protocol under several kinds of trouble, which has to hold, and the protocol with one
// rule taken away, which has to be found wrong. The names are those of city.pml.
export type Setting =
  | 'FENCE'
  | 'FENCED'
  | 'COMPARES'
  | 'ACK_CHECK'
  | 'LOOKS_AGAIN'
  | 'NEW_TERM'
  | 'SPACE'
  | 'REMEMBERS'
  | 'RAISES'
  | 'WHOLE'
  | 'COUNTS'
  | 'JOINS'
  | 'MEMORY'
  | 'TAKES'
  | 'LOST'
  | 'GAPS'
  | 'COPIES'
  | 'ROLLBACKS'
  | 'RECREATIONS'
  | 'EMPTIED'
  | 'CLOCK'
  | 'OUTAGE'
  | 'SWEEPS'
  | 'STEADY'
  | 'QUEUE'
  | 'JUDGED'

export type Variant = {
  readonly id: string
  readonly title: string
  readonly expected: 'held' | 'found'
  readonly settings: Readonly<Partial<Record<Setting, number>>>
}

// A gateway that hears each message as it is stored: where what is on its way is not the point, this saves most of the states.
const atOnce = { QUEUE: 0, SWEEPS: 0 }
const judged = { ...atOnce, STEADY: 0, JUDGED: 1 }
const rolledBack = { ...judged, COPIES: 1, ROLLBACKS: 1 }

const held = (id: string, title: string, settings: Variant['settings']): Variant => ({
  id,
  title,
  expected: 'held',
  settings,
})
const broken = (id: string, title: string, settings: Variant['settings']): Variant => ({
  id,
  title,
  expected: 'found',
  settings,
})

export const variants: readonly Variant[] = [
  held('acks', 'the protocol; an acknowledgement is lost or a batch comes late', { LOST: 1 }),
  held('gaps', 'the protocol; a message or the connection is lost', { GAPS: 1 }),
  held('lag', 'the protocol; snapshots of a follower that lags', { COPIES: 1 }),
  held('outage', 'the protocol; the API server stays away, an acknowledgement is lost', {
    ...judged,
    LOST: 1,
    OUTAGE: 1,
  }),
  held('rollback', 'the protocol; the store rolls back, to before or after a claim', rolledBack),
  held('rollback-acks', 'the protocol; the store rolls back, an acknowledgement is lost', {
    ...rolledBack,
    LOST: 1,
    TAKES: 2,
  }),
  held('recreation', 'the protocol; the stream is made again', { ...judged, RECREATIONS: 1 }),
  held('emptied', 'the protocol; the Lease loses its transitions, the stream is made again', {
    ...judged,
    RECREATIONS: 1,
    EMPTIED: 1,
  }),
  broken('no-fence', 'no fence', { ...atOnce, FENCE: 0 }),
  broken('filter-only', 'no fence, the gateway filters by term', { ...atOnce, FENCE: 1 }),
  broken('room-compare-and-set', 'each room compares and sets, no fence', { ...atOnce, FENCE: 2 }),
  broken('no-term-check', 'a claim does not look at the recorded term', { ...atOnce, FENCE: 3 }),
  broken('unfenced-writes', 'claims as in the protocol, and every write is taken', { ...atOnce, FENCED: 0 }),
  broken('blind-claim', 'a claim is taken whatever the record is by then', { ...atOnce, COMPARES: 0 }),
  broken('no-ack-check', 'an acknowledgement may begin anywhere', { ...rolledBack, ACK_CHECK: 0 }),
  broken('never-looks-again', 'a leader without doubt never reads the record again', { ...rolledBack, LOOKS_AGAIN: 0 }),
  broken('same-term', 'who claims again keeps its term', { ...rolledBack, NEW_TERM: 0 }),
  broken('plain-terms', 'a term is the transitions of the Lease', { ...rolledBack, LOST: 1, TAKES: 2, SPACE: 1 }),
  broken('forgotten-claim', 'a claim that was never answered does not count', {
    ...rolledBack,
    LOST: 1,
    TAKES: 2,
    REMEMBERS: 0,
  }),
  broken('claims-before-raising', 'a claim past its terms does not wait for the Lease', { ...rolledBack, RAISES: 0 }),
  broken('no-clock', 'who takes an emptied Lease counts from nothing', {
    ...judged,
    RECREATIONS: 1,
    EMPTIED: 1,
    CLOCK: 0,
  }),
  broken('half-said', 'the leader says "complete" after half of the rooms', { ...atOnce, WHOLE: 0 }),
  broken('half-believed', 'the gateway does not count the rooms', { ...atOnce, COUNTS: 0 }),
  broken('no-join', 'any snapshot joins', { QUEUE: 0, COPIES: 1, JOINS: 0 }),
  broken('no-memory', 'the gateway follows whoever speaks last', { ...rolledBack, MEMORY: 0 }),
]

/** As arguments of Spin. */
export const definesOf = ({ settings }: Variant): string[] =>
  Object.entries(settings).map(([name, value]) => `-D${name}=${String(value)}`)
