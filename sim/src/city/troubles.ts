// What goes wrong in a simulated city. Each trouble begins, lasts, and is over; what it broke is whole again then.
import type { LeaderPod } from './leader-pod.ts'
import type { SimCity } from './sim-city.ts'

export type Trouble = {
  readonly name: string
  /** Begins it; the answer ends it. */
  readonly begin: (city: SimCity) => () => void
  /** Between how many milliseconds it lasts. */
  readonly lastsMs: readonly [number, number]
  /** Polls break or run out: who types all the time may be forgotten. */
  readonly breaksPolls?: true
  /** The stream begins anew, or goes back. */
  readonly losesStream?: true
  /** Happens to a Lease, or to the way to it. */
  readonly needsLease?: true
}

const nothing = (): void => undefined

/** Their ways to the API are in this state until it is over. */
function apiOf(pods: readonly (LeaderPod | undefined)[], state: 'refused' | 'silent'): () => void {
  for (const pod of pods) pod?.api?.set(state)
  return () => {
    for (const pod of pods) pod?.api?.set('open')
  }
}

// What somebody may write into it: nothing, nonsense, a stranger for an hour, transitions far ahead.
const scribbles: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { holderIdentity: 7, leaseDurationSeconds: -1, leaseTransitions: 'many' },
  { holderIdentity: 'a stranger', leaseDurationSeconds: 3_600, leaseTransitions: 0 },
  { holderIdentity: '', leaseTransitions: 40 },
]

/** Everybody loses the server for as long as its disk is exchanged. */
function whileDown(city: SimCity, change: () => void): () => void {
  for (const { connection } of city.everybody()) city.nats.cut(connection)
  change()
  return () => {
    for (const { connection } of city.everybody()) city.nats.join(connection)
  }
}

// The codes of a server in trouble: busy, a gap in a batch, too many batches, a stream that is gone.
const refusalCodes = [10_164, 10_176, 10_210, 10_059]

export const troubles: readonly Trouble[] = [
  {
    name: 'an aggregator is killed',
    begin: (city) => {
      city.killLeader(city.anyLeader())
      return nothing
    },
    lastsMs: [0, 2_000],
  },
  {
    name: 'the leader is killed',
    begin: (city) => {
      city.killLeader(city.leading() ?? city.anyLeader())
      return nothing
    },
    lastsMs: [0, 2_000],
  },
  {
    name: 'the leader stands still',
    breaksPolls: true,
    begin(city) {
      const pod = city.leading() ?? city.anyLeader()
      pod?.process.freeze()
      return () => pod?.process.thaw()
    },
    lastsMs: [50, 20_000],
  },
  {
    name: 'the leader is cut from NATS',
    begin(city) {
      const pod = city.leading() ?? city.anyLeader()
      if (pod !== undefined) city.nats.cut(pod.connection)
      return () => (pod === undefined ? undefined : city.nats.join(pod.connection))
    },
    lastsMs: [50, 15_000],
  },
  {
    name: 'Matrix refuses the leader',
    breaksPolls: true,
    begin(city) {
      const pod = city.leading() ?? city.anyLeader()
      pod?.matrix.set('refused')
      return () => pod?.matrix.set('open')
    },
    lastsMs: [50, 20_000],
  },
  {
    name: 'Matrix is silent to all',
    breaksPolls: true,
    begin(city) {
      const pods = city.leaders()
      for (const { matrix } of pods) matrix.set('silent')
      return () => {
        for (const { matrix } of pods) matrix.set('open')
      }
    },
    lastsMs: [50, 15_000],
  },
  {
    name: 'nats-server stands still',
    begin(city) {
      city.nats.pause()
      return () => city.nats.resume()
    },
    lastsMs: [50, 10_000],
  },
  {
    name: 'answers of nats-server are lost',
    begin(city) {
      city.nats.loseAnswers(1 + Math.floor(city.random() * 3))
      return () => city.nats.loseAnswers(0)
    },
    lastsMs: [500, 3_000],
  },
  {
    name: 'nats-server refuses writes',
    begin(city) {
      const code = refusalCodes[Math.floor(city.random() * refusalCodes.length)] ?? 10_164
      city.nats.refuseWrites(1 + Math.floor(city.random() * 3), code)
      return nothing
    },
    lastsMs: [500, 3_000],
  },
  {
    name: 'the store is taken back',
    losesStream: true,
    begin(city) {
      const putBack = city.backUp
      return putBack === undefined
        ? nothing
        : whileDown(city, () => {
            putBack()
            city.recorder.note({ kind: 'rolled-back' })
          })
    },
    lastsMs: [20, 2_000],
  },
  {
    name: 'the stream is deleted',
    losesStream: true,
    begin(city) {
      city.deleteStream()
      return nothing
    },
    lastsMs: [0, 1_000],
  },
  {
    name: 'a gateway is killed',
    begin(city) {
      city.killGateway(Math.floor(city.random() * city.gateways().length))
      return nothing
    },
    lastsMs: [0, 2_000],
  },
  {
    name: 'a gateway is cut from NATS',
    begin(city) {
      const pods = city.gateways()
      const pod = pods[Math.floor(city.random() * pods.length)]
      if (pod !== undefined) city.nats.cut(pod.connection)
      return () => (pod === undefined ? undefined : city.nats.join(pod.connection))
    },
    lastsMs: [50, 12_000],
  },
  {
    name: 'a browser does not read',
    begin(city) {
      const witness = city.witnesses[Math.floor(city.random() * city.witnesses.length)]
      // Longer, and the mark of a silent leader would come late to this one, by its own fault.
      witness?.stopReading(100 + city.random() * 800)
      return nothing
    },
    lastsMs: [0, 5_000],
  },
  {
    name: 'the leader is told to stop',
    needsLease: true,
    begin(city) {
      city.stopLeader(city.leading())
      return nothing
    },
    lastsMs: [0, 2_000],
  },
  {
    name: 'the API server is away',
    needsLease: true,
    begin: (city) => apiOf(city.leaders(), 'refused'),
    lastsMs: [50, 20_000],
  },
  {
    name: 'the API server is silent',
    needsLease: true,
    begin: (city) => apiOf(city.leaders(), 'silent'),
    lastsMs: [50, 20_000],
  },
  {
    name: 'the leader is cut from the API server',
    needsLease: true,
    begin: (city) => apiOf([city.leading() ?? city.anyLeader()], 'refused'),
    lastsMs: [50, 20_000],
  },
  {
    name: 'the Lease is deleted',
    needsLease: true,
    begin(city) {
      city.lease?.remove()
      return () => city.lease?.make()
    },
    lastsMs: [0, 8_000],
  },
  {
    name: 'somebody scribbles on the Lease',
    needsLease: true,
    begin(city) {
      city.lease?.scribble(scribbles[Math.floor(city.random() * scribbles.length)] ?? {})
      return nothing
    },
    lastsMs: [0, 2_000],
  },
]
