// What can happen to the names, passwords and rights under which our services come to NATS.
import { randomBytes } from 'node:crypto'
import type { NatsUser, NatsUsers, Withheld } from '@citypresence/stack/nats-config'
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { KeptService } from '../kept-service.ts'
import { linksOf } from '../links.ts'
import type { NatsRole, Stage } from '../stage.ts'
import {
  backBar,
  connectionsKept,
  dialsOf,
  lasting,
  missedIf,
  reasonsOf,
  seconds,
  unmarked,
  untilMarked,
} from './bars.ts'

const other = ({ user }: NatsUser): NatsUser => ({ user, pass: randomBytes(16).toString('hex') })

/** What the server knows now: a rotation stays. */
const usersNow = new WeakMap<Stage, NatsUsers>()
const usersOf = (stage: Stage): NatsUsers => {
  const { leader, gateway, admin, system } = stage.nats
  return usersNow.get(stage) ?? { leader, gateway, admin, system }
}

async function useUsers(stage: Stage, users: NatsUsers): Promise<void> {
  await stage.nats.reload({ users })
  usersNow.set(stage, users)
}

/** Until a service says that it is not ready and why, in these words. */
const untilUnready = (service: KeptService, words: RegExp): Promise<unknown> =>
  until(async () => words.test((await reasonsOf(service)).join('; ')), {
    deadlineMs: 15_000,
    what: `readiness to say ${words.source}`,
  })

/** At most one a second: while nobody may come in, nobody hammers. */
function calmDials(stage: Stage): () => void {
  const [check, beganAtMs] = [dialsOf(linksOf(stage).all), stage.recorder.nowMs()]
  return () => {
    const [dials, forMs] = [check(), stage.recorder.nowMs() - beganAtMs]
    missedIf(dials > forMs / 1_000 + 1, `${dials} tries of one process in ${seconds(forMs)}`)
  }
}

const revoked = (id: string, role: NatsRole, title: string, more: Pick<Fault, 'length' | 'guard'>): Fault => ({
  id,
  title,
  ...more,
  bar: 'marked; at most one try a second and process; the log and readiness say why; true again 10 s after they are given back',
  async run(stage) {
    const users = usersOf(stage)
    const checks = [connectionsKept(stage), calmDials(stage)]
    await useUsers(stage, { ...users, [role]: other(users[role]) })
    try {
      await untilMarked(stage, 10_000)
      if (role === 'leader') await untilUnready(stage.aggregator, /NatsUnauthorized/)
      else await untilTold(stage, 'NatsUnauthorized')
    } finally {
      await useUsers(stage, users)
    }
    const tookMs = await backBar(stage, 10_000)
    for (const check of checks) check()
    return `true again ${seconds(tookMs)} after they were given back`
  },
})

/** Gateways go on serving, marked; what is wrong stands in their logs and metrics. */
const untilTold = (stage: Stage, code: string): Promise<unknown> =>
  until(() => stage.gateways.every(({ now }) => now.log().includes(code)), {
    deadlineMs: 15_000,
    what: `every gateway to tell ${code}`,
  })

type RightOptions = {
  readonly id: string
  readonly title: string
  readonly withheld: Withheld
  /** What readiness of the leader says meanwhile; the gateways' log where it is theirs. */
  readonly told: 'NatsForbidden' | 'nothing'
} & Pick<Fault, 'length' | 'guard'>

const rightTaken = ({ id, title, length, withheld, told, guard }: RightOptions): Fault => ({
  id,
  title,
  bar: 'marked; it is told which right is missing; true again 10 s after it is given back, without a restart',
  length,
  ...(guard !== undefined && { guard }),
  async run(stage) {
    const kept = connectionsKept(stage)
    const restarts = stage.aggregator.restarts
    await stage.nats.reload({ withheld })
    try {
      await untilMarked(stage, 10_000)
      if (told !== 'nothing' && withheld.leader !== undefined) await untilUnready(stage.aggregator, /NatsForbidden/)
      else if (told !== 'nothing') await untilTold(stage, told)
    } finally {
      await stage.nats.reload({ withheld: {} })
    }
    const tookMs = await backBar(stage, 10_000)
    kept()
    missedIf(stage.aggregator.restarts > restarts, 'the leader was restarted')
    return `true again ${seconds(tookMs)} after it was given back`
  },
})

const read = '$JS.API.DIRECT.GET.CITY_PRESENCE'

export const natsRightFaults: readonly Fault[] = [
  {
    id: 'F19a',
    title: 'all passwords are rotated at NATS, the files follow three seconds later',
    bar: 'at most one try a second and process meanwhile; true again 10 s after the files',
    length: 'short',
    guard: 'without reading the password again at each dial every browser was still marked after 30 s',
    async run(stage) {
      const checks = [connectionsKept(stage), calmDials(stage)]
      const before = usersOf(stage)
      const users = { ...before, leader: other(before.leader), gateway: other(before.gateway) }
      await useUsers(stage, users)
      try {
        await lasting(3_000)
      } finally {
        for (const role of ['leader', 'gateway'] as const) stage.writeNatsPassword(role, users[role].pass)
      }
      const tookMs = await backBar(stage, 10_000)
      for (const check of checks) check()
      return `true again ${seconds(tookMs)} after the files`
    },
  },
  revoked('F19b', 'leader', "the leader's password is revoked", {
    length: 'short',
    guard: 'without the last word of NATS in readiness: it called itself ready for 15 s (the deadline)',
  }),
  revoked('F19c', 'gateway', "the gateways' password is revoked", {
    length: 'long',
    guard: 'where a refused password ends the dialling 4 browsers lost their connection',
  }),
  rightTaken({
    id: 'F19d',
    title: 'the leader loses the right to publish',
    length: 'long',
    guard: 'while a refused request was taken for one without an answer: readiness never said which right was missing',
    withheld: { leader: ['ingest.city.presence.>'] },
    told: 'NatsForbidden',
  }),
  rightTaken({
    id: 'F19e',
    title: 'the leader loses the right to hear answers',
    length: 'long',
    guard: 'where a right that is missing counts as a server that is away readiness never said which',
    withheld: { leader: ['_INBOX_aggregator.>'] },
    told: 'NatsForbidden',
  }),
  rightTaken({
    id: 'F19f',
    title: 'the gateways lose the right to hear the city',
    length: 'short',
    guard: 'without asking for the subscription again: every browser stayed marked until the gateways were restarted',
    withheld: { gateway: ['city.presence.>'] },
    told: 'NatsForbidden',
  }),
  {
    id: 'F19g',
    title: 'the gateways lose the right to read the stream',
    bar: 'who is up to date needs no mark; who comes back is marked, and true 10 s after it is given back',
    length: 'long',
    async run(stage) {
      const calm = unmarked(stage)
      await stage.nats.reload({ withheld: { gateway: [read] } })
      try {
        await lasting(2_000)
        calm()
        for (const link of linksOf(stage).gateways) link.resetAll()
        await untilMarked(stage, 15_000)
        await untilTold(stage, 'SnapshotFailed')
      } finally {
        await stage.nats.reload({ withheld: {} })
      }
      const tookMs = await backBar(stage, 10_000)
      return `true again ${seconds(tookMs)} after it was given back`
    },
  },
]
