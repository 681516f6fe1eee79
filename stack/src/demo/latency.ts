// Times the way from Matrix to the browser: the mayor types in a room, and each viewer tells when it heard of it.
//
//   a room that was quiet for longer than the throttle -> PUT typing ... frame with one more typist -> milliseconds
//
// Only quiet rooms are taken: in a busy one the time would mostly be the wait that the throttle asks for. The mayor lives in
// every room and is otherwise offline, and typing does not make an offline person online, so the counts stay those of the
// residents.
import { until } from '../until.ts'
import type { City } from '../city-fixture.ts'
import { pause } from './pause.ts'
import type { Frame, Viewer } from '../viewer.ts'

export type Latency = {
  /** Milliseconds from the start of the PUT to the frame, newest last; bounded. */
  readonly samplesMs: readonly number[]
  /** Probes that no frame answered in time. */
  readonly missed: number
  readonly lastFailure: string | undefined
  /** Ends after the probe under way, with nobody typing. */
  stop(): Promise<void>
}

// 5,000: an hour of probes; p99 of the whole demo rather than of its last minute.
const samplesMax = 5_000
const answerDeadlineMs = 10_000 // far above any wait a throttle of 3 s can cause
const pauseBetweenMs = 700 // at most one or two probes a second, so that they stay a small part of the traffic
const typingShownMs = 400 // long enough to be seen on the page

export function measureLatency(city: City, viewers: readonly Viewer[], throttleMs: number): Latency {
  const samplesMs: number[] = []
  const state = { missed: 0, lastFailure: undefined as string | undefined, stopped: false }
  const stopping = new AbortController()
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const slug = quietRoom(city, viewers, throttleMs)
      if (slug !== undefined) await probe(city, viewers, slug, samplesMs, state)
      await pause(pauseBetweenMs, stopping.signal)
    }
  }
  const done = run()
  return Object.assign(state, {
    samplesMs,
    async stop() {
      stopping.abort()
      await done
    },
  })
}

function quietRoom(city: City, viewers: readonly Viewer[], throttleMs: number): string | undefined {
  const nowMs = performance.now()
  // Twice the window: a trailing publish may end one window and open the next.
  const isQuiet = (viewer: Viewer, slug: string): boolean => {
    const lastMs = viewer.lastFrameAtMs(slug)
    return lastMs !== undefined && nowMs - lastMs > throttleMs * 2 && viewer.rooms.get(slug)?.typing === 0
  }
  const quiet = city.rooms.filter(({ slug }) => viewers.every((viewer) => isQuiet(viewer, slug)))
  return quiet.map(({ slug }) => slug).sort((one, other) => ageOf(viewers, one) - ageOf(viewers, other))[0]
}

// The one quiet for the longest first: every room gets its turn.
const ageOf = (viewers: readonly Viewer[], slug: string): number => viewers[0]?.lastFrameAtMs(slug) ?? 0

type State = { missed: number; lastFailure: string | undefined }

async function probe(
  city: City,
  viewers: readonly Viewer[],
  slug: string,
  samplesMs: number[],
  state: State,
): Promise<void> {
  const mayor = city.clientOf('mayor')
  const { roomId } = city.roomOf(slug)
  const heardAtMs = new Map<string, number>()
  const unsubscribe = viewers.map((viewer) => viewer.onFrame((frame) => note(frame, viewer, slug, heardAtMs)))
  try {
    const startMs = performance.now()
    await mayor.typing(roomId, true)
    await until(() => heardAtMs.size === viewers.length, {
      deadlineMs: answerDeadlineMs,
      what: `a frame about ${slug}`,
      everyMs: 5,
    }).catch(() => state.missed++)
    for (const atMs of heardAtMs.values()) samplesMs.push(atMs - startMs)
    if (samplesMs.length > samplesMax) samplesMs.splice(0, samplesMs.length - samplesMax)
    await pause(typingShownMs)
    await mayor.typing(roomId, false)
  } catch (error) {
    state.lastFailure = error instanceof Error ? error.message : String(error)
  } finally {
    for (const off of unsubscribe) off()
  }
}

function note(frame: Frame, viewer: Viewer, slug: string, heardAtMs: Map<string, number>): void {
  if (frame.slug === slug && frame.counts.typing > 0 && !heardAtMs.has(viewer.name))
    heardAtMs.set(viewer.name, frame.atMs)
}
