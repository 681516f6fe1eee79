// Builds what this package gives away: the page that the gateway serves, and the hook that a frontend team installs.
//
//   index.html, src/page  --vite-->            dist/page/
//   src/index.ts          --vite (library)-->  dist/hook/index.js     wire is bundled in, React is not
//                         --tsc-->             dist/hook/*.d.ts       relative paths only
//
// `node build.ts <folder>` builds into another folder than dist (tests do, so that they never disturb what is being served).
import { readFileSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import ts from 'typescript'
import { build, type Rolldown } from 'vite'

const here = import.meta.dirname
const target = resolve(process.argv[2] ?? join(here, 'dist'))
const hookFolder = join(target, 'hook')
const entry = join(here, 'src', 'index.ts')

// The types a team sees. A file of types that is missing here would leave a dangling import, so the emit asks for no others.
const publicTypes = ['index.ts', 'use-global-presence.ts', 'presence-client.ts', 'core/global-presence.ts']

async function buildHook(): Promise<void> {
  rmSync(hookFolder, { recursive: true, force: true })
  await build({
    configFile: false,
    root: here,
    logLevel: 'warn',
    build: {
      outDir: hookFolder,
      // What Next.js and Vite ask of browsers today; their own builds may go lower.
      target: 'es2022',
      minify: false,
      lib: { entry, formats: ['es'], fileName: 'index' },
      rolldownOptions: {
        external: ['react'],
        // No comments that name the folders of this house.
        experimental: { attachDebugInfo: 'none' },
        output: { banner: "'use client'" },
        onLog,
      },
    },
  })
}

/** Bundling takes the directive out of the module, as it says; the banner puts it on top of the whole. */
const onLog: NonNullable<Rolldown.RolldownOptions['onLog']> = (level, log, pass) => {
  if (log.code !== 'MODULE_LEVEL_DIRECTIVE') pass(level, log)
}

/** Declarations next to each other as the sources lie, so that `./core/global-presence.ts` finds its `.d.ts`. */
function emitTypes(): void {
  const config = ts.readConfigFile(join(here, '..', 'tsconfig.json'), (path) => readFileSync(path, 'utf8'))
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [], files: [entry] }, ts.sys, here)
  const program = ts.createProgram([entry], {
    ...options,
    noEmit: false,
    incremental: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: hookFolder,
    rootDir: join(here, '..'),
  })
  for (const path of publicTypes) emitTypesOf(program, join(here, 'src', path))
}

function emitTypesOf(program: ts.Program, path: string): void {
  const source = program.getSourceFile(path)
  if (source === undefined) throw new Error(`${path} is not part of the package`)
  const declaration = join(hookFolder, relative(join(here, 'src'), path).replace(/\.ts$/, '.d.ts'))
  const { diagnostics, emitSkipped } = program.emit(source, (_, text) => ts.sys.writeFile(declaration, useJs(text)))
  if (emitSkipped || diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, formatHost))
}

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => here,
  getNewLine: () => '\n',
}

/** Outside this house a declaration is imported under the name of the JavaScript it belongs to. */
const useJs = (text: string): string => text.replace(/(from '\.[^']*)\.ts'/g, "$1.js'")

const sizeWords = (path: string): string => {
  const bytes = readFileSync(path)
  return `${(bytes.length / 1024).toFixed(1)} kB, ${(gzipSync(bytes).length / 1024).toFixed(1)} kB gzipped`
}

await build({
  configFile: join(here, 'vite.config.ts'),
  root: here,
  logLevel: 'warn',
  build: { outDir: join(target, 'page'), emptyOutDir: true },
})
await buildHook()
emitTypes()
process.stdout.write(
  `web: page and hook are in ${target}; the hook is ${sizeWords(join(hookFolder, 'index.js'))} without React\n`,
)
