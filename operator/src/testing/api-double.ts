// The API server's double with an operator's edge on it, for tests: kubeconfig in a folder of its own, closed with the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '@citypresence/chassis/edge/clock'
import { startKubeApiDouble, type KubeApiDouble } from '@citypresence/sim/kube-api'
import { writeKubeconfig } from '@citypresence/sim/kube-api/kubeconfig'
import { openKubeApi, type KubeApi, type KubeApiOptions } from '../edge/kube-api.ts'
import { accessByKubeconfig } from '../edge/kube-config.ts'

export type ApiOnDouble = {
  readonly double: KubeApiDouble
  readonly api: KubeApi
  /** Answers, in order: `verb code`. */
  readonly calls: readonly string[]
  /** Writes the kubeconfig again, with the token that the double knows now. */
  readonly renewToken: () => void
  stop(): Promise<void>
}

export async function openApiOnDouble(options: Partial<KubeApiOptions> & { clock?: Clock } = {}): Promise<ApiOnDouble> {
  const double = await startKubeApiDouble()
  const folder = mkdtempSync(join(tmpdir(), 'api-double-'))
  const calls: string[] = []
  const api = openKubeApi({
    access: await accessByKubeconfig(writeKubeconfig(folder, double)),
    userAgent: 'test',
    clock: systemClock,
    onCall: (verb, code) => calls.push(`${verb} ${code}`),
    rate: { perS: 10_000, burst: 10_000 },
    ...options,
  })
  return {
    double,
    api,
    calls,
    renewToken: () => void writeKubeconfig(folder, double),
    async stop() {
      await api.close()
      await double.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Lets real requests and a clock that is turned by hand go on together until something is so. */
export async function turnUntil(
  what: string,
  clock: { advance(ms: number): Promise<void> },
  condition: () => boolean,
  { stepMs = 50, turnsMax = 4_000 } = {},
): Promise<void> {
  for (let turn = 0; turn < turnsMax; turn++) {
    if (condition()) return
    await clock.advance(stepMs)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error(`waited ${turnsMax} turns for ${what}`)
}
