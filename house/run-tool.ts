// Runs one of the house's checking tools and answers what it complained about.
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { root } from './sources.ts'

/** The output of a tool that found something, or the empty text where all is well. */
export function complaintsOf(tool: string, args: readonly string[]): Promise<string> {
  const path = [join(root, 'node_modules/.bin'), join(process.execPath, '..'), process.env['PATH']].join(delimiter)
  const child = spawn(tool, args, { cwd: root, env: { ...process.env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve(code === 0 ? '' : output || `${tool} ended with ${String(code)}`))
  })
}
