// Many browsers at once, each no more than an open socket that has its snapshot: for storms, not for the truth.
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@citypresence/stack/until'

export type CrowdOptions = {
  readonly url: string
  readonly token: string
  readonly size: number
  /** Over how long they arrive. */
  readonly withinMs: number
}

export type Crowd = {
  /** How long it took until everybody had a snapshot. */
  allIn(deadlineMs: number): Promise<number>
  slowestMs(): number
  leave(): Promise<void>
}

// As a browser that was refused: soon, and not all in one moment.
const comeBackMs = (attempt: number): number => (500 + Math.random() * 1_000) * Math.min(attempt, 4)

export function crowd({ url, token, size, withinMs }: CrowdOptions): Crowd {
  const beganAtMs = performance.now()
  const sockets = new Set<WebSocket>()
  const waits: number[] = []
  let gone = false
  const arrive = (attempt: number): void => {
    if (gone) return
    const startedAtMs = performance.now()
    const socket = new WebSocket(`${url}?token=${encodeURIComponent(token)}`)
    let isIn = false
    socket.addEventListener('message', () => {
      if (!isIn) waits.push(performance.now() - startedAtMs)
      isIn = true
      sockets.add(socket)
    })
    socket.addEventListener('error', () => undefined) // a close follows
    socket.addEventListener('close', () => {
      sockets.delete(socket)
      if (!gone) setTimeout(() => arrive(attempt + 1), comeBackMs(attempt)).unref()
    })
  }
  for (let guest = 0; guest < size; guest++) setTimeout(() => arrive(1), (guest * withinMs) / size)
  return {
    async allIn(deadlineMs) {
      await until(() => sockets.size >= size, { deadlineMs, what: `${size} browsers to be in (${sockets.size} are)` })
      return performance.now() - beganAtMs
    },
    slowestMs: () => Math.max(0, ...waits),
    async leave() {
      gone = true
      for (const socket of sockets) socket.close()
      await until(() => sockets.size === 0, { deadlineMs: 20_000, what: 'the crowd to be gone' }).catch(() => undefined)
      await delay(0)
    },
  }
}
