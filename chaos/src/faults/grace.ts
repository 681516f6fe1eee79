// OFFLINE_GRACE_MS: who goes offline counts a little longer, who leaves a room does not.
import { until } from '@citypresence/stack/until'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'
import { lasting, lateIf, missedIf, seconds, untilTrue } from './bars.ts'

const graceMs = 3_000

const shownIn = (stage: Stage, slug: string): (number | undefined)[] =>
  stage.witnesses.map(({ rooms }) => rooms.get(slug)?.online_count)

/** One room with one person of it online, shown everywhere; what is shown, and who it is. */
async function someoneOnline(stage: Stage): Promise<{ slug: string; person: string; count: number }> {
  const [slug = ''] = stage.town.slugs
  const [person = ''] = stage.town.membersOf(slug)
  stage.town.online(person)
  await untilTrue(stage, 10_000)
  return { slug, person, count: stage.town.truth().get(slug)?.online ?? 0 }
}

export const graceFaults: readonly Fault[] = [
  {
    id: 'F27b',
    title: 'somebody flaps: offline for a second, five times',
    bar: 'no browser hears of it',
    length: 'short',
    guard: 'without the grace shown were 0 and 1',
    still: true,
    async run(stage) {
      const { slug, person, count } = await someoneOnline(stage)
      const seen = new Set<number | undefined>()
      for (let time = 0; time < 5; time++) {
        stage.town.offline(person)
        await lasting(1_000)
        for (const shown of shownIn(stage, slug)) seen.add(shown)
        stage.town.online(person)
        await lasting(300)
        for (const shown of shownIn(stage, slug)) seen.add(shown)
      }
      missedIf(seen.size !== 1 || !seen.has(count), `shown were ${[...seen].join(', ')}`)
      return `${count} all the time`
    },
  },
  {
    id: 'F27c',
    title: 'somebody goes offline, and stays so',
    bar: 'counts for the three seconds of the grace and at most 1 s more',
    length: 'short',
    guard: 'without the grace gone already after 0.0 s',
    still: true,
    async run(stage) {
      const { slug, person, count } = await someoneOnline(stage)
      const beganAtMs = stage.recorder.nowMs()
      stage.town.offline(person)
      await until(() => shownIn(stage, slug).some((shown) => shown !== count), {
        deadlineMs: 10_000,
        what: 'the first to see it',
        everyMs: 5,
      })
      const firstMs = stage.recorder.nowMs() - beganAtMs
      await untilTrue(stage, 10_000)
      const lastMs = stage.recorder.nowMs() - beganAtMs
      missedIf(firstMs < graceMs - 100, `gone already after ${seconds(firstMs)}`)
      lateIf(stage, lastMs, graceMs + 1_000, `gone only after ${seconds(lastMs)}`)
      return `gone after ${seconds(firstMs)} to ${seconds(lastMs)}`
    },
  },
  {
    id: 'F27d',
    title: 'somebody leaves a room',
    bar: 'gone at once: within 1 s',
    length: 'short',
    guard: 'without the leaves that the sync tells browsers were still wrong after 10 s',
    still: true,
    async run(stage) {
      const { slug, person } = await someoneOnline(stage)
      const beganAtMs = stage.recorder.nowMs()
      stage.town.leave(person, slug)
      await untilTrue(stage, 10_000)
      const tookMs = stage.recorder.nowMs() - beganAtMs
      lateIf(stage, tookMs, 1_000, `gone only after ${seconds(tookMs)}`)
      return `gone after ${seconds(tookMs)}`
    },
  },
]
