// One server over several lives: the process changes, its ports, data and log stay. Shared by every launcher.
//
//   startAgain(start, folder) -> running --end(signal)--> down --restart()--> running
//                                   \______________ stop() ____________/--> gone, folder removed
import { describeExit, type RunningProcess } from './process.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

export type Restartable = {
  /** Of the process that runs now, or ran last. */
  readonly pid: number
  readonly logFile: string
  isRunning(): boolean
  rss(): number
  pause(): void
  resume(): void
  /** Ends the process and keeps everything else for restart(). */
  end(signal?: NodeJS.Signals): Promise<void>
  /** Ends the process when it still runs, then starts it on the same ports and data. */
  restart(): Promise<void>
  /** Ends the process and removes its folder. Whoever calls this is done with it. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export async function startAgain(start: () => Promise<RunningProcess>, folder: TemporaryFolder): Promise<Restartable> {
  const first = await start().catch((error: unknown) => {
    folder.keepFor(error)
    throw error
  })
  return new Lives(start, folder, first)
}

class Lives implements Restartable {
  #start: () => Promise<RunningProcess>
  #folder: TemporaryFolder
  #current: RunningProcess
  #ended = false

  constructor(start: () => Promise<RunningProcess>, folder: TemporaryFolder, first: RunningProcess) {
    this.#start = start
    this.#folder = folder
    this.#current = first
  }

  get pid(): number {
    return this.#current.pid
  }

  get logFile(): string {
    return this.#current.logFile
  }

  isRunning(): boolean {
    return this.#current.isRunning()
  }

  rss(): number {
    return this.#current.rss()
  }

  pause(): void {
    this.#current.pause()
  }

  resume(): void {
    this.#current.resume()
  }

  async end(signal?: NodeJS.Signals): Promise<void> {
    this.#ended = true
    await this.#current.stop(signal)
  }

  async restart(): Promise<void> {
    await this.end()
    this.#current = await this.#start()
    this.#ended = false
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    const diedAlone = !this.#ended && !this.isRunning()
    await this.end(signal)
    if (!diedAlone) {
      this.#folder.remove()
      return
    }
    const exit = await this.#current.exited
    this.#folder.keep()
    console.error(`${this.#current.name} had ended on its own with ${describeExit(exit)}; its log is ${this.logFile}`)
  }
}
