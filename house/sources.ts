// The house's own source files, as text, for the checks of tidy.test.ts.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')

export type Source = { readonly path: string; readonly text: string }

/** Every file that git tracks or would track, by path, in order. */
export function listFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return [...new Set(listed.split('\n'))].filter((path) => path !== '' && existsSync(join(root, path))).sort()
}

export const readSource = (path: string): Source => ({ path, text: readFileSync(join(root, path), 'utf8') })

/** All TypeScript of the house. */
export const readSources = (): readonly Source[] =>
  listFiles()
    .filter((path) => /\.tsx?$/.test(path))
    .map(readSource)

export const isTest = (path: string): boolean => /\.(test|contract)\.tsx?$/.test(path) || path.includes('/testing/')

/** The text without comments, so that a rule about code is not broken by a word about it. Strings stay. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1')
