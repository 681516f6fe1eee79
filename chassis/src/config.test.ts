import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, describeConfig, helpText, loadConfig, readConfig, settingsMarkdown, unknownNames } from './config.ts'
import type { ConfigProcess, SettingsTable } from './config.ts'
import type { CityError } from './errors.ts'
import { secretFromFile } from './secret.ts'

const table = {
  port: { env: 'PORT', decode: decode.integer({ min: 1, max: 65_535 }), default: 7001, help: 'Port to listen on.' },
  homeserver: {
    env: 'MATRIX_HS_URL',
    aliases: ['MATRIX_BASE_URL'],
    decode: decode.url('https:'),
    help: 'The homeserver.',
  },
  secret: { env: 'JWT_SECRET', decode: decode.nonEmpty, secret: true, help: 'Verifies tokens.' },
  token: {
    env: 'CITY_SERVICE_TOKEN',
    decode: decode.nonEmpty,
    secret: true,
    optional: true,
    help: 'For the city service.',
  },
  page: { env: 'PAGE', decode: decode.boolean, default: true, help: 'Serve the page.' },
} as const satisfies SettingsTable

const good = { MATRIX_HS_URL: 'https://matrix.example', JWT_SECRET: 'hunter2hunter2' }
const noFiles = {
  read: (path: string): string => {
    throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
  },
}

function read(env: Record<string, string | undefined>, files: { read(path: string): string } = noFiles) {
  return readConfig(table, env, files)
}

function readGood(env: Record<string, string | undefined>, files?: { read(path: string): string }) {
  const answer = read(env, files)
  if (!answer.ok) throw new Error(answer.mistakes.join('; '))
  return answer.config
}

function mistakesOf(env: Record<string, string | undefined>, files?: { read(path: string): string }): string {
  const answer = read(env, files)
  return answer.ok ? '' : answer.mistakes.join('\n')
}

describe('reading', () => {
  it('[C2] values are decoded, defaults fill in, optional ones stay undefined', () => {
    const config = readGood({ ...good, PORT: ' 80 ', PAGE: 'off' })
    expect(config).toMatchObject({ port: 80, homeserver: 'https://matrix.example', page: false, token: undefined })
    expect(readGood(good).port).toBe(7001)
  })

  it('[C2] all mistakes are reported at once, each with its name', () => {
    const answer = read({ PORT: 'x', MATRIX_HS_URL: 'ftp://h', PAGE: 'maybe' })
    expect(answer.ok ? [] : answer.mistakes).toEqual([
      expect.stringContaining('PORT must be'),
      expect.stringContaining('MATRIX_HS_URL must be'),
      expect.stringContaining('JWT_SECRET or JWT_SECRET_FILE is required'),
      expect.stringContaining('PAGE must be on or off'),
    ])
  })

  it('[C2] a file that has to be there is read at the start; one that cannot be is a mistake beside the others', () => {
    const withFile = {
      ...table,
      caFile: { env: 'CA_FILE', decode: decode.nonEmpty, optional: true, readable: true, help: 'Authorities.' },
    } as const satisfies SettingsTable
    const readWith = (env: object, content: string | undefined) => {
      const files = content === undefined ? noFiles : { read: () => content }
      return readConfig(withFile, { ...good, ...env }, files)
    }
    const there = readWith({ CA_FILE: '/ca.pem' }, 'PEM')
    expect(there.ok && there.config.caFile).toBe('/ca.pem')
    const wrong = readWith({ CA_FILE: '/ca.pem', PORT: 'x' }, undefined)
    expect(wrong.ok ? [] : wrong.mistakes).toEqual([
      expect.stringContaining('PORT must be'),
      'CA_FILE: /ca.pem cannot be read (ENOENT)',
    ])
    const empty = readWith({ CA_FILE: '/ca.pem' }, ' \n')
    expect(empty.ok ? [] : empty.mistakes).toEqual(['CA_FILE: /ca.pem is empty'])
    expect(readWith({}, undefined).ok).toBe(true)
  })

  it('[C2] an empty value counts as not set', () => {
    expect(readGood({ ...good, PORT: '', PAGE: '  ' })).toMatchObject({ port: 7001, page: true })
    expect(mistakesOf({ ...good, JWT_SECRET: '' })).toContain('required')
  })

  it('[C2] any environment is answered without throwing', () => {
    const name = fc.constantFrom('PORT', 'MATRIX_HS_URL', 'MATRIX_BASE_URL', 'JWT_SECRET', 'JWT_SECRET_FILE', 'PAGE')
    fc.assert(fc.property(fc.dictionary(name, fc.string()), (env) => typeof read(env).ok === 'boolean'))
  })

  it('[C3] an alias is taken, the same value twice is fine, two different ones are a mistake naming both', () => {
    const { MATRIX_HS_URL: url, ...rest } = good
    expect(readGood({ ...rest, MATRIX_BASE_URL: url }).homeserver).toBe(url)
    expect(readGood({ ...good, MATRIX_BASE_URL: url }).homeserver).toBe(url)
    expect(mistakesOf({ ...good, MATRIX_BASE_URL: 'https://other' })).toMatch(/MATRIX_HS_URL and MATRIX_BASE_URL/)
  })
})

describe('secrets', () => {
  it('[C4] a secret never shows itself: JSON, text, inspection, keys', () => {
    const { secret } = readGood(good)
    expect(secret.read()).toBe('hunter2hunter2')
    for (const shown of [JSON.stringify({ secret }), String(secret), inspect({ secret }), Object.values(secret).join()])
      expect(shown).not.toContain('hunter2')
  })

  it('[C4] a secret file is read again at each read, without its final newline', () => {
    const contents = ['first\n', 'first\n', 'second\r\n']
    const files = { read: () => contents.shift() ?? 'second' }
    const { secret } = readGood({ ...good, JWT_SECRET: undefined, JWT_SECRET_FILE: '/run/jwt' }, files)
    expect(secret.source).toBe('file')
    expect([secret.read(), secret.read()]).toEqual(['first', 'second'])
  })

  it('[C4] while the file is unreadable, empty or refused the last good value stays, and the problem is told', () => {
    const problems: CityError[] = []
    let content: string | Error = 'good'
    const files = {
      read: () => {
        if (content instanceof Error) throw content
        return content
      },
    }
    const env = { ...good, JWT_SECRET: undefined, JWT_SECRET_FILE: '/run/jwt' }
    const answer = readConfig(table, env, files, (problem) => problems.push(problem))
    if (!answer.ok) throw new Error('not read')
    for (content of [new Error('gone'), '', '  ', '\n']) expect(answer.config.secret.read()).toBe('good')
    expect(problems.map(({ code }) => code)).toEqual(Array(4).fill('SecretUnreadable'))
    content = 'rotated'
    expect(answer.config.secret.read()).toBe('rotated')
  })

  it('[C4] an emptied file is no secret, also where any text would do', () => {
    const problems: CityError[] = []
    let content = 'good'
    const secret = secretFromFile({
      path: '/run/token',
      files: { read: () => content },
      decode: (value) => ({ ok: true, value }),
      firstGood: 'good',
      onProblem: (problem) => problems.push(problem),
    })
    for (content of ['', '\n', '\r\n\n']) expect(secret.read()).toBe('good')
    expect(problems.map(({ code }) => code)).toEqual(Array(3).fill('SecretUnreadable'))
  })

  it('[C4] value and file together, a missing file and an empty file are mistakes', () => {
    for (const value of ['hunter2', '/run/jwt'])
      expect(mistakesOf({ ...good, JWT_SECRET: value, JWT_SECRET_FILE: '/run/jwt' })).toContain(
        'JWT_SECRET and JWT_SECRET_FILE are both set',
      )
    expect(mistakesOf({ ...good, JWT_SECRET: '', JWT_SECRET_FILE: '/run/jwt' })).toContain(
      '/run/jwt cannot be read (ENOENT)',
    )
    expect(mistakesOf({ ...good, JWT_SECRET: '', JWT_SECRET_FILE: '/run/jwt' }, { read: () => '\n' })).toContain(
      'is empty',
    )
  })

  it('[C4] a refused secret is not quoted', () => {
    const strict = { key: { env: 'KEY', decode: decode.integer(), secret: true, help: 'A number.' } } as const
    const answer = readConfig(strict, { KEY: 'hunter2' }, noFiles)
    expect(JSON.stringify(answer)).not.toContain('hunter2')
    expect(answer.ok).toBe(false)
  })
})

function fakeProcess(env: Record<string, string | undefined>, ...argv: string[]) {
  const written = { stdout: '', stderr: '' }
  const process: ConfigProcess = {
    env,
    argv,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
  }
  return { process, written }
}

describe('loading', () => {
  it('[C2] mistakes go to stderr with exit 2, --help to stdout with exit 0', () => {
    const bad = fakeProcess({ PORT: '0' })
    expect(() => loadConfig(table, bad.process, { service: 'gateway' })).toThrow('exit 2')
    expect(bad.written.stderr).toMatch(/3 mistake[\s\S]+PORT[\s\S]+MATRIX_HS_URL[\s\S]+JWT_SECRET/)
    const help = fakeProcess({}, '--help')
    expect(() => loadConfig(table, help.process, { service: 'gateway' })).toThrow('exit 0')
    for (const name of ['PORT', 'MATRIX_HS_URL', 'MATRIX_BASE_URL', 'JWT_SECRET_FILE', 'default: 7001', 'default: on'])
      expect(help.written.stdout).toContain(name)
  })

  it('[C2] rules over several settings count as mistakes', () => {
    const { process, written } = fakeProcess(good)
    const check = () => ['PORT and PAGE contradict each other']
    expect(() => loadConfig(table, process, { service: 'gateway', check })).toThrow('exit 2')
    expect(written.stderr).toContain('contradict')
  })

  it('[C2] rules are told beside refused settings, except those about one of them', () => {
    const { process, written } = fakeProcess({ ...good, PORT: '0' })
    const check = () => ['PAGE and MATRIX_HS_URL contradict each other', 'PORT and PAGE contradict each other']
    expect(() => loadConfig(table, process, { service: 'gateway', check })).toThrow('exit 2')
    expect(written.stderr).toMatch(/2 mistake[\s\S]+PORT must[\s\S]+PAGE and MATRIX_HS_URL contradict/)
    expect(written.stderr).not.toContain('PORT and PAGE')
  })

  it('[C28] with NODE_TLS_REJECT_UNAUTHORIZED=0 nothing starts, whatever else is right', () => {
    const { process, written } = fakeProcess({ ...good, NODE_TLS_REJECT_UNAUTHORIZED: '0' })
    expect(() => loadConfig(table, process, { service: 'gateway' })).toThrow('exit 2')
    expect(written.stderr).toMatch(/1 mistake[\s\S]+NODE_TLS_REJECT_UNAUTHORIZED=0 would trust anybody/)
    for (const harmless of ['1', '']) {
      const fine = fakeProcess({ ...good, NODE_TLS_REJECT_UNAUTHORIZED: harmless })
      expect(loadConfig(table, fine.process, { service: 'gateway' })).toBeDefined()
    }
  })

  it('[C5] a mistyped name is a warning, what Kubernetes and libraries invent is not', () => {
    const env = {
      ...good,
      MATRIX_HSURL: 'x',
      MATRIX_SERVICE_HOST: '10.0.0.1',
      CITY_PORT_80_TCP_ADDR: '10.0.0.2',
      CITY_PORT: 'tcp://10.0.0.2:80',
      OTEL_TRACES_SAMPLER: 'x',
      HOME: '/root',
    }
    expect(unknownNames(table, env)).toEqual([expect.stringContaining('MATRIX_HSURL')])
    const { process, written } = fakeProcess(env)
    expect(loadConfig(table, process, { service: 'gateway', files: noFiles }).port).toBe(7001)
    expect(written.stderr).toContain('MATRIX_HSURL')
  })

  it('[C5] the description for the log masks secrets and names settings as the environment does', () => {
    const described = describeConfig(table, readGood(good))
    expect(described).toMatchObject({ JWT_SECRET: '***', PORT: 7001, MATRIX_HS_URL: 'https://matrix.example/' })
    expect(JSON.stringify(described)).not.toContain('hunter2')
    const addresses = { servers: { env: 'SERVERS', decode: decode.list(decode.string), help: 'x' } } as const
    expect(describeConfig(addresses, { servers: ['nats://u:hunter2@h'] })).toEqual({ SERVERS: ['nats://***@h'] })
  })

  it('[C5] help and page say of each setting whether it is required, optional or defaulted', () => {
    expect(helpText('x', table)).toMatch(/MATRIX_HS_URL, MATRIX_BASE_URL\n +The homeserver\.\n +required/)
    expect(settingsMarkdown('gateway', table)).toContain('| `PAGE` | on | Serve the page. |')
  })
})
