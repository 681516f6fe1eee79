// What is taken from a kubeconfig, and what is refused by name.
import { describe, expect, it } from 'vitest'
import { readKubeconfig, type KubeAccess } from './kubeconfig.ts'

const pem = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n'
const config = (cluster: object, user: object, context: object = {}) => ({
  'current-context': 'here',
  contexts: [{ name: 'other' }, { name: 'here', context: { cluster: 'c', user: 'u', namespace: 'n', ...context } }],
  clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443/', ...cluster } }],
  users: [{ name: 'u', user }],
})
function accessOf(json: unknown): KubeAccess {
  const read = readKubeconfig(json)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}
const problemOf = (json: unknown): string => {
  const read = readKubeconfig(json)
  return read.ok ? '' : read.problem
}

describe('a kubeconfig', () => {
  it('[E14] gives server, authority, namespace and token of its current context', () => {
    expect(accessOf(config({ 'certificate-authority-data': btoa(pem) }, { token: 'secret' }))).toEqual({
      server: 'https://10.0.0.1:6443',
      namespace: 'n',
      ca: { text: pem },
      client: undefined,
      token: { text: 'secret' },
    })
  })

  it('[E14] gives client certificates as data or as files, and a token file before a token', () => {
    const files = { 'client-certificate': 'a.crt', 'client-key': '/b.key', tokenFile: 't', token: 'old' }
    expect(accessOf(config({ 'certificate-authority': 'ca.crt' }, files))).toMatchObject({
      ca: { file: 'ca.crt' },
      client: { cert: { file: 'a.crt' }, key: { file: '/b.key' } },
      token: { file: 't' },
    })
    const data = { 'client-certificate-data': btoa(pem), 'client-certificate': 'ignored', 'client-key-data': btoa(pem) }
    expect(accessOf(config({}, data)).client).toEqual({ cert: { text: pem }, key: { text: pem } })
  })

  it('[E14] names what is not supported, and what is missing', () => {
    expect(problemOf(config({}, { exec: { command: 'aws' } }))).toContain('uses exec')
    expect(problemOf(config({ 'insecure-skip-tls-verify': true, 'proxy-url': 'http://p' }, {}))).toContain(
      'insecure-skip-tls-verify and proxy-url',
    )
    expect(problemOf(config({ 'insecure-skip-tls-verify': false }, {}))).toBe('')
    expect(problemOf(config({ server: 'ftp://x' }, {}))).toContain('server')
    expect(problemOf(config({}, { 'client-key': 'k' }))).toContain('only one of')
    expect(problemOf(config({ 'certificate-authority-data': 'no base64 !' }, {}))).toContain(
      'certificate-authority-data',
    )
    expect(problemOf(config({}, {}, { user: 'nobody' }))).toContain('no user')
    expect(problemOf({ ...config({}, {}), 'current-context': 'nowhere' })).toContain('current-context')
  })
})
