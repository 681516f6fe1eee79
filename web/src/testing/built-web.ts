// Builds page and hook into a folder of the test's own, so that what is being served from dist is never disturbed and never
// taken for what the sources say now.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const webFolder = join(import.meta.dirname, '..', '..')

export type BuiltWeb = { readonly page: string; readonly hook: string; readonly told: string }

/** Two seconds on two cores. */
export async function buildWeb(folder: string): Promise<BuiltWeb> {
  const { stdout } = await run(process.execPath, [join(webFolder, 'build.ts'), folder], { cwd: webFolder })
  return { page: join(folder, 'page'), hook: join(folder, 'hook'), told: stdout }
}
