// A kubeconfig of any shape: what is well made is found whatever stands beside it, and nothing makes the reader throw.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readKubeconfig } from './kubeconfig.ts'

const config = (cluster: object, user: object) => ({
  'current-context': 'here',
  contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443/', ...cluster } }],
  users: [{ name: 'u', user }],
})

it('[E14] no shape makes the reader throw, whole or in its parts', () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => void readKubeconfig(json)))
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.jsonValue(),
      (a, b) => void readKubeconfig(config({ server: a }, { token: b, tokenFile: a })),
    ),
  )
  const lists = fc.dictionary(fc.constantFrom('contexts', 'clusters', 'users', 'current-context'), fc.jsonValue())
  fc.assert(fc.property(lists, (parts) => void readKubeconfig({ ...config({}, {}), ...parts })))
})

const anyName = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
const anyOther = fc.record({ name: anyName, context: fc.jsonValue(), cluster: fc.jsonValue(), user: fc.jsonValue() })

it('[E14] the current context is found among any others, in whatever order, with its own cluster and user', () => {
  const anyPlace = fc.record({
    names: fc.uniqueArray(anyName, { minLength: 3, maxLength: 3 }),
    port: fc.integer({ min: 1, max: 65_535 }),
    slashes: fc.constantFrom('', '/', '//'),
    token: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
    others: fc.array(anyOther, { maxLength: 4 }),
    at: fc.nat(4),
  })
  fc.assert(
    fc.property(anyPlace, ({ names, port, slashes, token, others, at }) => {
      const [here = '', c = '', u = ''] = names
      const foreign = others.filter(({ name }) => !names.includes(name))
      const among = (own: object) => foreign.toSpliced(Math.min(at, foreign.length), 0, own as never)
      const read = readKubeconfig({
        'current-context': here,
        contexts: among({ name: here, context: { cluster: c, user: u } }),
        clusters: among({ name: c, cluster: { server: `https://api:${port}${slashes}` } }),
        users: among({ name: u, user: { token } }),
      })
      expect(read).toMatchObject({ ok: true, value: { server: `https://api:${port}`, token: { text: token } } })
    }),
  )
})

it('[E14] a field that would change who we are or whom we trust is refused by its name, whatever else is there', () => {
  const foreign = [
    'insecure-skip-tls-verify',
    'proxy-url',
    'tls-server-name',
    'exec',
    'auth-provider',
    'username',
    'password',
    'as',
    'as-uid',
    'as-groups',
  ]
  const clusters = new Set(foreign.slice(0, 3))
  fc.assert(
    fc.property(
      fc.subarray(foreign, { minLength: 1 }),
      fc.constantFrom<unknown>(true, 'x', ['x'], { x: 1 }),
      (fields, value) => {
        const given = (isOne: (field: string) => boolean) =>
          Object.fromEntries(fields.filter(isOne).map((field) => [field, value]))
        const read = readKubeconfig(
          config(
            given((one) => clusters.has(one)),
            { token: 't', ...given((one) => !clusters.has(one)) },
          ),
        )
        const said = read.ok ? '' : read.problem
        expect(fields.filter((field) => !said.includes(field))).toEqual([])
      },
    ),
  )
})
