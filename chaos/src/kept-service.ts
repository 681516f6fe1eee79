// One of our services under the care of something like a kubelet: when it ends it is started again after a moment, with the
// same settings, and how it ended is noted. Whoever faults make end, nobody helps it but this.
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Service } from '@citypresence/stack/service'
import type { Recorder } from '@citypresence/checker/recorder'

export type KeptService<T extends Service = Service> = {
  /** The process of now, or the last one. */
  readonly now: T
  /** How often it was started again. */
  readonly restarts: number
  /** Ends it as told and lets it come back. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends it and leaves it away until `back()`. */
  away(signal?: NodeJS.Signals): Promise<void>
  back(): Promise<void>
  stop(): Promise<void>
}

// A kubelet waits 10 s from the second time on; a second is enough to see a loop, and faults do not take all day.
const restartAfterMs = 1_000
// Lines that come in a storm are told once.
const complaintsMax = 100

export async function keepService<T extends Service>(
  name: string,
  start: () => Promise<T>,
  recorder: Recorder,
  pauseMs = restartAfterMs,
): Promise<KeptService<T>> {
  const kept = new Kept({ name, start, recorder, pauseMs }, await start())
  kept.watch()
  return kept
}

type Keeping<T> = {
  readonly name: string
  readonly start: () => Promise<T>
  readonly recorder: Recorder
  readonly pauseMs: number
}

class Kept<T extends Service> implements KeptService<T> {
  now: T
  restarts = 0
  readonly #name: string
  readonly #start: () => Promise<T>
  readonly #recorder: Recorder
  readonly #pauseMs: number
  #asked = false
  #stopped = false
  #isAway = false
  #sampling: NodeJS.Timeout | undefined
  #coming: Promise<void> = Promise.resolve()

  constructor({ name, start, recorder, pauseMs }: Keeping<T>, first: T) {
    this.#name = name
    this.#start = start
    this.#recorder = recorder
    this.#pauseMs = pauseMs
    this.now = first
  }

  watch(): void {
    const service = this.now
    this.#sampling = setInterval(() => this.#sample(service), 1_000)
    void service.exited.then(({ code, signal }) => {
      clearInterval(this.#sampling)
      this.#recorder.note({ kind: 'exit', service: this.#name, code, signal, asked: this.#asked })
      this.#complain(service)
      this.#asked = false
      if (!this.#stopped && !this.#isAway) this.#coming = this.#comeBack()
    })
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#coming // the one before may have ended a moment ago
    this.#asked = true
    process.kill(this.now.pid, signal)
    await this.now.exited
  }

  async away(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#isAway = true
    await this.#coming // it may have ended by itself, and be on its way back
    if (this.now.isRunning()) await this.kill(signal)
  }

  async back(): Promise<void> {
    await this.#coming
    this.#isAway = false
    this.#coming = this.#comeBack(0)
    await this.#coming
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#coming
    this.#asked = true
    this.#complain(this.now)
    await this.now.stop()
  }

  async #comeBack(afterMs = this.#pauseMs): Promise<void> {
    const old = this.now
    await delay(afterMs)
    await old.stop()
    if (this.#stopped || this.#isAway) return
    this.now = await this.#start()
    this.restarts++
    this.watch()
  }

  #sample(service: T): void {
    const rssBytes = service.rss()
    if (rssBytes > 0)
      this.#recorder.note({ kind: 'sample', service: this.#name, rssBytes, descriptors: descriptorsOf(service.pid) })
  }

  #complain(service: T): void {
    const lines = service.logLines().filter((line) => Number(line['level']) >= 50 || line['level'] === 'error')
    for (const line of lines.slice(0, complaintsMax)) {
      const code = typeof line['code'] === 'string' ? line['code'] : undefined
      this.#recorder.note({ kind: 'complaint', service: this.#name, code, text: JSON.stringify(line).slice(0, 500) })
    }
    for (const text of service
      .log()
      .split('\n')
      .filter((line) => !line.startsWith('{') && /uncaught|unhandled/i.test(line)))
      this.#recorder.note({ kind: 'complaint', service: this.#name, code: undefined, text: text.slice(0, 500) })
  }
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0 // gone between the question and the answer, or a system without /proc
  }
}
