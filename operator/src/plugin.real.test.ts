// The plugin of kubectl, with kubectl itself: its templates are filled in from objects in files, so that no server is needed. Between
// them stands a script that answers each question with a file.
import { kubectlBinary } from '@citypresence/stack/cache'
import { repositoryRoot } from '@citypresence/stack/machine'
import { makeTemporaryFolder } from '@citypresence/stack/temporary-folder'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { apiVersion, kind } from './core/city-presence.ts'
import { reasons, type ConditionType, type Reason } from './core/conditions.ts'
import { pluginPath } from './print-plugin.ts'

const folder = makeTemporaryFolder('plugin')
afterAll(() => folder.remove())

const place = (name: string, text: string): string => {
  writeFileSync(join(folder.path, name), text)
  return join(folder.path, name)
}

/** A kubectl that knows one city, and of the rest says what `else` says. */
function kubectlWith(city: unknown): string {
  const file = place('city.json', JSON.stringify(city))
  const local = `${kubectlBinary()} annotate --local --overwrite -f ${file} seen=yes`
  const script = `#!/bin/sh
for one in "$@"; do case $one in go-template=*) exec ${local} -o "$one" ;; esac; done
case "$*" in
  "get citypresences"*"-o yaml") exec ${local} -o yaml ;;
  "get citypresences"*"-o name") echo city ;;
  logs*) echo 'pod/a {"msg":"sync","url":"https://m.example/sync?access_token=syt_canary1&x=1","token":"canary2"}' ;;
  *) echo "Error from server (Forbidden): $*" >&2; exit 1 ;;
esac
`
  const path = place('kubectl', script)
  chmodSync(path, 0o755)
  return path
}

const cityWith = (told: readonly (readonly [ConditionType, Reason, string])[], more: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name: 'daarion', namespace: 'city', generation: 2, ...more },
  status: {
    observedGeneration: 2,
    gateway: { replicas: 2, readyReplicas: 1, url: 'wss://rt.city.example/ws' },
    conditions: told.map(([type, reason, message]) => ({ type, reason, status: reasons[reason].status, message })),
  },
})

const run = (city: unknown, ...args: readonly string[]) =>
  spawnSync('sh', [join(repositoryRoot, pluginPath), ...args], {
    encoding: 'utf8',
    cwd: folder.path,
    env: { ...process.env, KUBECTL: kubectlWith(city) },
  })

it('[KP1] status says whether it works, what is wrong and what to do about it, and nothing of what is well', () => {
  const bad = run(
    cityWith([
      ['Ready', 'HomeserverUnauthorized', 'MatrixSynced: the homeserver says "M_UNKNOWN_TOKEN"'],
      ['Accepted', 'SpecAccepted', 'the spec can be carried out'],
      ['MatrixSynced', 'HomeserverUnauthorized', 'the homeserver says "M_UNKNOWN_TOKEN"'],
      ['ReferencesResolved', 'SecretsNotReadable', 'nobody may look'],
      ['Progressing', 'RolloutComplete', 'all pods run'],
      ['Warning', 'RiskySettings', 'one aggregator'],
    ]),
    'status',
    'daarion',
  )
  expect(bad.stdout).toBe(`city/daarion (1/2 gateways, wss://rt.city.example/ws)
  It does not work. MatrixSynced: the homeserver says "M_UNKNOWN_TOKEN"
  MatrixSynced: HomeserverUnauthorized. the homeserver says "M_UNKNOWN_TOKEN"
    -> ${reasons.HomeserverUnauthorized.doThis}
  Warning: RiskySettings. one aggregator
    -> ${reasons.RiskySettings.doThis}
`)
  expect(bad.status).toBe(1)
  const good = run(cityWith([['Ready', 'AllComponentsReady', '3 rooms']]), 'status', 'daarion', '-n', 'city')
  expect([good.status, good.stdout]).toEqual([
    0,
    'city/daarion (1/2 gateways, wss://rt.city.example/ws)\n  It works: 3 rooms\n',
  ])
  const unseen = run(cityWith([['Ready', 'AllComponentsReady', 'all']], { generation: 3 }), 'status')
  expect(unseen.stdout).toContain('The operator has not looked at the newest change yet.')
  expect(run({}, 'what').status).toBe(2)
})

it('[KP2] report bundles what there is, masks what looks like a secret or a name, and says what it could not have', () => {
  const note =
    'syt_canary7 Bearer canary3 eyJhbGciOiJIUzI1NiJ9.canary4x.y https://ada:canary5@nats.example @ada:city.example'
  const city = cityWith([['Ready', 'AllComponentsReady', 'all']], { annotations: { note, password: 'canary6' } })
  const { status, stdout, stderr } = run(city, 'report', 'daarion', '-o', 'bundle.tar.gz', '-n', 'city')
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toContain('bundle.tar.gz: city.yaml events.txt logs.txt not-had.txt')
  execFileSync('tar', ['-xzf', 'bundle.tar.gz'], { cwd: folder.path })
  const read = (name: string): string => readFileSync(join(folder.path, 'cpres-daarion', name), 'utf8')
  const all = ['city.yaml', 'status.txt', 'logs.txt', 'not-had.txt'].map(read).join('\n')
  expect(all).not.toMatch(/canary|@ada/)
  expect(read('city.yaml')).toContain('AllComponentsReady')
  expect(read('status.txt')).toContain('It works: all')
  expect(read('not-had.txt')).toContain('Forbidden')
  expect(readFileSync(join(repositoryRoot, pluginPath), 'utf8')).not.toMatch(/get [a-z,]*secrets/)
})
