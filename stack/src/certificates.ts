// Certificates for servers on this machine, made when they are needed: an authority, and what it signs for a server or a client.
// Keys are new each time and lie nowhere but with whoever asked, so none of them is ever worth anything.
//
// X.509 by hand, because Node can read certificates but not make them, and a tool for it may be missing: a certificate is a
// handful of nested DER values (tag, length, content) with a signature over the first.
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export type KeyAndCertificate = { readonly certPem: string; readonly keyPem: string }
export type Authority = {
  readonly certPem: string
  /** For a server on these addresses (IPv4) and names. */
  forServer(addresses: readonly string[], names: readonly string[]): KeyAndCertificate
  /** For a client of this name, in these groups: what Kubernetes reads as user and groups. */
  forClient(name: string, groups: readonly string[]): KeyAndCertificate
}

const lifeMs = 7 * 86_400_000 // longer than anything that is started for a test or a demo
const backdatedMs = 3_600_000 // a clock that is set back a little must not make it invalid

export function createAuthority(name: string): Authority {
  const subject = nameOf(name, [])
  const pair = newPair()
  const signed = (subjectDer: Buffer, key: KeyObject, extensions: readonly Buffer[]): string =>
    certificate({ issuer: subject, subject: subjectDer, key, extensions, signWith: pair.privateKey })
  const issue = (subjectDer: Buffer, purpose: string, names: readonly Buffer[]): KeyAndCertificate => {
    const own = newPair()
    const alternatives = names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...names))]
    const certPem = signed(subjectDer, own.publicKey, [
      extension('2.5.29.37', false, sequence(objectId(purpose))),
      ...alternatives,
    ])
    return { certPem, keyPem: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  }
  return {
    certPem: signed(subject, pair.publicKey, [
      extension('2.5.29.19', true, sequence(der(0x01, Buffer.from([0xff])))), // may sign others
    ]),
    forServer: (addresses, names) =>
      issue(nameOf(names[0] ?? 'server', []), '1.3.6.1.5.5.7.3.1', [
        ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
        ...names.map((one) => der(0x82, Buffer.from(one))),
      ]),
    forClient: (client, groups) => issue(nameOf(client, groups), '1.3.6.1.5.5.7.3.2', []),
  }
}

/** A fresh key as PEM, for what is signed without a certificate; in the older form, the only one Kubernetes takes for its tokens. */
export const newPrivateKeyPem = (): string => newPair().privateKey.export({ type: 'sec1', format: 'pem' }).toString()

const newPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

type Parts = {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly key: KeyObject
  readonly extensions: readonly Buffer[]
  readonly signWith: KeyObject
}

function certificate({ issuer, subject, key, extensions, signWith }: Parts): string {
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2')) // ECDSA with SHA-256
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]) // positive
  const nowMs = Date.now()
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serial),
    algorithm,
    issuer,
    sequence(time(nowMs - backdatedMs), time(nowMs + lifeMs)),
    subject,
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, signWith)]))
  const base64 = sequence(toBeSigned, algorithm, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents)

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}

const time = (ms: number): Buffer => der(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')))

/** Common name, and organisations, which Kubernetes takes for groups. */
function nameOf(commonName: string, organisations: readonly string[]): Buffer {
  const one = (oid: string, value: string) => der(0x31, sequence(objectId(oid), der(0x0c, Buffer.from(value))))
  return sequence(...organisations.map((group) => one('2.5.4.10', group)), one('2.5.4.3', commonName))
}

const extension = (oid: string, critical: boolean, content: Buffer): Buffer =>
  sequence(objectId(oid), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, content))
