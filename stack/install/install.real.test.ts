// The scripts behind `make deps`, in caches of their own and with stand-ins for npm and python3: no registry is asked.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  collectorBinary,
  helmBinary,
  kubeBinary,
  kubectlBinary,
  natsServerVersion,
  prometheusBinary,
  synapseVersion,
} from '../src/cache.ts'
import { bareEnv, cacheFolder, repositoryRoot } from '../src/machine.ts'
import { until } from '../src/until.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'city-presence-install-test-'))
  mkdirSync(join(folder, 'bin'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Ended = { code: number | null; stdout: string; stderr: string }

function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn('sh', [join(import.meta.dirname, script), ...args], {
    env: { ...bareEnv(), TMPDIR: folder, CITY_PRESENCE_CACHE: join(folder, 'cache'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const ended: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (ended.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (ended.stderr += chunk.toString()))
  const end = once(child, 'close').then(([code]): Ended => ({ ...ended, code: code as number | null }))
  return { child, end }
}

/** A command of this name that does what the shell lines say, found before the real one. */
function standIn(name: string, lines: string): Record<string, string> {
  const path = join(folder, 'bin', name)
  writeFileSync(path, `#!/bin/sh\n${lines}\n`)
  chmodSync(path, 0o755)
  return { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` }
}

const cached = (): string[] => (existsSync(join(folder, 'cache')) ? readdirSync(join(folder, 'cache')) : [])

it('[S24] which-node prints a path and nothing else; a new enough Node of the machine is taken', async () => {
  const env = standIn('node', 'echo 24.99.0')
  const { code, stdout, stderr } = await run('node.sh', [], env).end
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${join(folder, 'bin', 'node')}\n`, stderr: '' })
})

it('[S24] an older Node of the machine is passed over, also where its number sorts higher as text', async () => {
  standIn('npm', 'exit 1')
  for (const version of ['20.20.2', '24.9.0', '9.99.99']) {
    const { code, stdout } = await run('node.sh', [], standIn('node', `echo ${version}`)).end
    expect({ version, code, stdout }).toEqual({ version, code: 1, stdout: '' })
  }
})

it('[S24] a Node already fetched is used without asking anybody', async () => {
  standIn('npm', 'exit 1')
  const bin = join(folder, 'cache', 'node-24.21.0', 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'node'), '#!/bin/sh\necho 24.21.0\n', { mode: 0o755 })
  const { code, stdout } = await run('node.sh', [], standIn('node', 'echo 18.0.0')).end
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${join(bin, 'node')}\n` })
})

it('[S25] a failed step shows the beginning and the end of its output, and leaves nothing in the cache', async () => {
  const env = standIn('python3', 'echo first mistake; seq 1 100; echo last words; exit 1')
  const { code, stderr } = await run('nats-server.sh', ['2.15.1'], env).end
  expect(code).toBe(1)
  expect(stderr).toMatch(/usually 5 to 15 s.*first mistake.*last words.*Failed: Getting nats-server 2\.15\.1/s)
  expect(cached()).toEqual([])
})

it.each(['SIGTERM', 'SIGKILL'] as const)(
  '[S25] a download ended by %s is not taken for a whole one',
  async (signal) => {
    const env = standIn('python3', `touch "${join(folder, 'busy')}"; mkdir -p "$3"; sleep 600`)
    const { child, end } = run('nats-server.sh', ['2.15.1'], env)
    await until(() => existsSync(join(folder, 'busy')), { deadlineMs: 10_000, what: 'the download to begin' })
    process.kill(-(child.pid ?? 0), signal)
    await end
    expect(cached()).not.toContain('nats-server-2.15.1')
  },
)

it('[S25] two installations side by side end with one whole copy', async () => {
  const script = join(folder, 'twice.sh')
  const place = join(folder, 'cache', 'thing')
  writeFileSync(
    join(folder, 'put.sh'),
    `cd "${import.meta.dirname}" && set -- && . ./common.sh && t=$(temporary_beside "${place}") && echo whole >"$t/file" && sleep 0.2 && put_in_place "$t" "${place}"\n`,
  )
  // common.sh finds its folder by the name it was started with.
  writeFileSync(
    script,
    `cd "${import.meta.dirname}"; for n in 1 2 3 4; do sh -c '. "${join(folder, 'put.sh')}"' ./node.sh & done; wait\n`,
  )
  const child = spawn('sh', [script], {
    env: { ...bareEnv(), CITY_PRESENCE_CACHE: join(folder, 'cache') },
    stdio: 'inherit',
  })
  await once(child, 'close')
  expect(cached()).toEqual(['thing'])
  expect(readdirSync(place)).toEqual(['file'])
})

it('[S26] what the scripts keep is where the launchers look', async () => {
  for (const [script, args] of [
    ['synapse.sh', []],
    ['nats-server.sh', [natsServerVersion('current')]],
    ['nats-server.sh', [natsServerVersion('old')]],
    ['kube.sh', []],
    ['helm.sh', []],
    ['collector.sh', []],
    ['prometheus.sh', []],
  ] as const) {
    // Already there, so nothing is done: the script and cache.ts agree on the place.
    const env = { ...standIn('python3', 'exit 1'), CITY_PRESENCE_CACHE: cacheFolder() }
    expect(await run(script, args, env).end).toEqual({ code: 0, stdout: '', stderr: '' })
  }
  expect(existsSync(kubeBinary('kube-apiserver'))).toBe(true)
  expect(existsSync(helmBinary())).toBe(true)
  expect(existsSync(collectorBinary())).toBe(true)
  expect(existsSync(prometheusBinary('promtool'))).toBe(true)
  expect(existsSync(kubectlBinary())).toBe(true)
  expect(synapseVersion()).toMatch(/^\d+\.\d+\.\d+$/)
})

it('[S26] on a machine that is not Debian, or without root, one sentence names what is missing', async () => {
  standIn('id', 'echo 1000')
  standIn('node', 'echo 24.99.0')
  standIn('npm', 'exit 0')
  const { code, stderr } = await run('machine.sh', ['npm', 'python'], standIn('python3', 'exit 1')).end
  expect(code).toBe(1)
  expect(stderr).toBe(
    'This machine lacks: python3 python3-venv. Install them (on Debian, as root: apt-get install python3 python3-venv) and run the same command again.\n',
  )
})

it('[S42] without Go, or with one that is too old, one sentence says what to do; what is there already needs none', async () => {
  for (const lines of ['exit 127', 'echo go1.19.8', 'echo go1.9.7']) {
    const { code, stderr } = await run('machine.sh', ['go'], standIn('go', lines)).end
    expect({ code, stderr: stderr.split('\n').length }).toEqual({ code: 1, stderr: 2 })
    expect(stderr).toContain('install Go, or set KUBEBUILDER_ASSETS')
  }
  expect((await run('machine.sh', ['go'], standIn('go', 'echo go1.24.0')).end).code).toBe(0)
  const withoutGo = { ...standIn('go', 'exit 127'), KUBEBUILDER_ASSETS: folder }
  expect((await run('machine.sh', ['go'], withoutGo).end).code).toBe(1)
  const there = join(folder, 'bin', 'go')
  const all = { ...withoutGo, HELM_PATH: there, OTEL_COLLECTOR_PATH: there }
  expect((await run('machine.sh', ['go'], all).end).code).toBe(0)
})

it('[S42] a folder of KUBEBUILDER_ASSETS is taken as it is, and named where something is missing in it', async () => {
  const half = await run('kube.sh', [], { ...standIn('etcd', 'exit 0'), KUBEBUILDER_ASSETS: join(folder, 'bin') }).end
  expect(half.code).toBe(1)
  expect(half.stderr).toContain('where etcd, kube-apiserver or kubectl is missing')
  standIn('kube-apiserver', 'exit 0')
  standIn('kubectl', 'exit 0')
  const whole = await run('kube.sh', [], { ...standIn('go', 'exit 1'), KUBEBUILDER_ASSETS: join(folder, 'bin') }).end
  expect(whole).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(cached()).toEqual([])
})

it('[S42] a Prometheus of PROMETHEUS_BIN is taken as it is, and named where one of its two programs is missing', async () => {
  const PROMETHEUS_BIN = join(folder, 'bin')
  const half = await run('prometheus.sh', [], { ...standIn('prometheus', 'exit 0'), PROMETHEUS_BIN }).end
  expect(half.code).toBe(1)
  expect(half.stderr).toContain('where prometheus or promtool is missing')
  const whole = await run('prometheus.sh', [], { ...standIn('promtool', 'exit 0'), PROMETHEUS_BIN }).end
  expect(whole).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(cached()).toEqual([])
})

it('[S42] a helm of HELM_PATH is taken as it is, and named where there is none', async () => {
  const none = await run('helm.sh', [], { HELM_PATH: join(folder, 'bin', 'helm') }).end
  expect(none.code).toBe(1)
  expect(none.stderr).toContain('where there is no program')
  const there = await run('helm.sh', [], { ...standIn('helm', 'exit 0'), HELM_PATH: join(folder, 'bin', 'helm') }).end
  expect(there).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(cached()).toEqual([])
})

it.each(['kube.sh', 'helm.sh', 'collector.sh'])(
  '[S42] a build by %s that fails, or is ended, leaves nothing behind',
  async (script) => {
    const failed = await run(script, [], standIn('go', 'echo no such module; exit 1')).end
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain('no such module')
    const env = standIn('go', `echo $$ >"${join(folder, 'busy')}"; exec sleep 600`)
    const { child, end } = run(script, [], env)
    await until(() => existsSync(join(folder, 'busy')), { deadlineMs: 10_000, what: 'the build to begin' })
    // As deps.sh does it, which Ctrl-C reaches alone: the script is told, and has to tell its compiler.
    process.kill(child.pid ?? 0, 'SIGTERM')
    await end
    expect(cached()).toEqual([])
  },
)

it('[S26] the model needs a compiler that finds its headers', async () => {
  standIn('id', 'echo 1000')
  const { code, stderr } = await run('machine.sh', ['model'], standIn('cc', 'exit 1')).end
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr:
      'This machine lacks: gcc libc6-dev. Install them (on Debian, as root: apt-get install gcc libc6-dev) and run the same command again.\n',
  })
})

it('[S26] make help lists every target that a person types', async () => {
  const child = spawn('make', ['-s', 'help'], {
    cwd: repositoryRoot,
    env: bareEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(child, 'close')
  const [, phony = ''] = /^\.PHONY: (.*)$/m.exec(readFileSync(join(repositoryRoot, 'Makefile'), 'utf8')) ?? []
  // What others lean on, and who types it knows why.
  const parts = new Set(['deps-demo'])
  const targets = phony.split(' ').filter((name) => !parts.has(name))
  expect(targets.length).toBeGreaterThan(20)
  for (const target of targets) {
    expect(text).toMatch(new RegExp(`^  ${target} +\\w`, 'm'))
  }
})

it('[S43] an image has the manifests of one service and what it stands on, without what only tests need', async () => {
  const child = spawn(process.execPath, [
    join(import.meta.dirname, 'image-manifests.ts'),
    folder,
    'wire',
    'chassis',
    'gateway',
  ])
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code).toBe(0)
  const manifest = (path: string) => JSON.parse(readFileSync(join(folder, path, 'package.json'), 'utf8')) as object
  expect(manifest('.')).toMatchObject({
    name: 'citypresence',
    private: true,
    workspaces: ['wire', 'chassis', 'gateway'],
  })
  for (const path of ['.', 'wire', 'chassis', 'gateway']) expect(manifest(path)).not.toHaveProperty('devDependencies')
  // A version by name of a dependency that is left out would be none.
  const { overrides } = manifest('.') as { overrides: Record<string, string> }
  expect(Object.values(overrides).filter((version) => !/^\d/.test(version))).toEqual([])
  expect(overrides).not.toEqual({})
  expect(manifest('gateway')).toMatchObject({ dependencies: { '@citypresence/wire': '0.1.0' } })
})

it('[S43] images need a builder that works: without one a sentence says so, and a service that there is not is named', async () => {
  // docker is often there without its daemon; nothing else of the machine is to be found.
  standIn('docker', 'exit 1')
  for (const tool of ['sh', 'dirname', 'sed']) symlinkSync(join('/usr/bin', tool), join(folder, 'bin', tool))
  const none = await run('images.sh', ['gateway'], { PATH: join(folder, 'bin') }).end
  expect(none.code).toBe(1)
  expect(none.stderr).toBe(
    'No docker (with its daemon), podman or buildah is here: install one of them, or set BUILDER.\n',
  )
  const unknown = await run('image-stage.sh', ['browser']).end
  expect(unknown).toMatchObject({ code: 1, stderr: 'image-stage.sh takes aggregator, gateway or operator\n' })
})
