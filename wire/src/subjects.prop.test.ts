// Subjects: nobody's name reaches another's subject, whatever it is made of.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  defaultPrefix,
  encodeToken,
  encodeUser,
  isRoomSlug,
  roomSlug,
  subjectsBelow,
  type ParsedSubject,
  tokenLengthMax,
} from './subjects.ts'
import { anySlug, anyText } from './testing/any-message.ts'

const subjects = subjectsBelow(defaultPrefix)
const rightSubject = /^city\.presence\.(u?epoch|beat|(room|user)\.[A-Za-z0-9_=-]{1,200})$/

/** The way back, written without looking at the way there: bytes first, then WTF-8 by its table. */
function decodeToken(token: string): string {
  const bytes: number[] = []
  for (let at = 0; at < token.length; at++) {
    if (token[at] === '=') bytes.push(Number.parseInt(token.slice(at + 1, (at += 2) + 1), 16))
    else bytes.push(token.charCodeAt(at))
  }
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at++] ?? 0
    const followers = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
    let point = first < 0x80 ? first : first & (0x3f >> followers)
    for (let n = 0; n < followers; n++) point = point * 64 + ((bytes[at++] ?? 0) & 0x3f)
    text += String.fromCodePoint(point)
  }
  return text
}

/** The encoder nobody would ship: the platform's UTF-8, which knows no lone surrogates. */
const encodeByBuffer = (text: string): string =>
  [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return /[A-Za-z0-9_-]/.test(character) ? character : `=${byte.toString(16).padStart(2, '0')}`
    })
    .join('')

const anyName = anyText(80)

describe('a token made from foreign text', () => {
  it('[W7] can be turned back into the text, so no two texts share one', () => {
    fc.assert(
      fc.property(anyName, (text) => {
        const token = encodeToken(text)
        if (token !== undefined) expect(decodeToken(token)).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  it('[W7] differs for lone surrogates, their pair, their order, and the sign that stands for the undecodable', () => {
    const texts = [
      '\ud800',
      '\udc00',
      '\ud800\udc00',
      '\udc00\ud800',
      '\ufffd',
      '\ud800\ud800',
      '=ed=a0=80',
      'ed-a0-80',
    ]
    const tokens = texts.map(encodeToken)
    expect(new Set(tokens).size).toBe(texts.length)
    expect(tokens[0]).toBe('=ed=a0=80')
    expect(tokens[6]).toBe('=3ded=3da0=3d80')
  })

  it('[W7] is what UTF-8 by the platform would make of any well-formed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (text) => {
        const twin = encodeByBuffer(text)
        expect(encodeToken(text)).toBe(twin.length <= tokenLengthMax ? twin : undefined)
      }),
      { numRuns: 1_000 },
    )
  })

  it('[W8] has 1 to 200 characters out of letters, digits, _, - and =, or there is none', () => {
    fc.assert(
      fc.property(anyText(250), (text) => {
        const token = encodeToken(text)
        if (token !== undefined) expect(token).toMatch(/^[A-Za-z0-9_=-]{1,200}$/)
        else expect(text === '' || encodeByBuffer(text).length > tokenLengthMax).toBe(true)
      }),
    )
    expect([0, 1, 200, 201].map((length) => encodeToken('a'.repeat(length))?.length)).toEqual([
      undefined,
      1,
      200,
      undefined,
    ])
    expect([66, 67].map((length) => encodeToken('.'.repeat(length))?.length)).toEqual([198, undefined])
    expect(encodeToken('a'.repeat(1e6))).toBeUndefined()
  })
})

describe("a user's token", () => {
  const lookalikes = ['evil.test.local', 'eviltest.local', 'test.local.evil', 'test.local:', ':test.local']
  it('[W9] no two user ids share one, local or not', () => {
    const localpart = anyText(20).filter((text) => !text.includes(':') && text !== '')
    const server = fc.constantFrom(...['test.local', 'test.local:8448', 'evil.example', 'test', 'local'], ...lookalikes)
    const anyUser = fc.tuple(fc.oneof(localpart, fc.constantFrom('bob', 'bob=3atest')), server)
    fc.assert(
      fc.property(anyUser, anyUser, ([nameA, serverA], [nameB, serverB]) => {
        const [a, b] = [`@${nameA}:${serverA}`, `@${nameB}:${serverB}`]
        const tokens = [encodeUser(a, 'test.local'), encodeUser(b, 'test.local')]
        expect(tokens[0] !== undefined && tokens[0] === tokens[1]).toBe(a === b && tokens[0] !== undefined)
      }),
      { numRuns: 1_000 },
    )
  })

  it('[W9] is the localpart at home, and localpart and server in one token elsewhere', () => {
    expect(encodeUser('@ada:test.local', 'test.local')).toBe('ada')
    expect(encodeUser('@john.doe:test.local', 'test.local')).toBe('john=2edoe')
    expect(encodeUser('@ada:else.where:8448', 'test.local')).toBe('ada=3aelse=2ewhere=3a8448')
    for (const server of lookalikes) expect(encodeUser(`@ada:${server}`, 'test.local')).toMatch(/^ada=3a/)
    expect(['ada', '@ada', '@:test.local', '', ':', 'x@a:b'].map((id) => encodeUser(id, 'test.local'))).toEqual(
      Array(6).fill(undefined),
    )
  })
})

describe('a subject', () => {
  const anyParsed: fc.Arbitrary<ParsedSubject> = fc.oneof(
    fc.constantFrom('epoch' as const, 'user-epoch' as const, 'beat' as const).map((kind) => ({ kind })),
    anySlug.map((slug) => ({ kind: 'room' as const, slug })),
    anyName
      .map(encodeToken)
      .filter((token) => token !== undefined)
      .map((token) => ({ kind: 'user' as const, token })),
  )
  const build = (parsed: ParsedSubject): string => {
    if (parsed.kind === 'room') return subjects.room(parsed.slug)
    if (parsed.kind === 'user') return subjects.user(parsed.token)
    return { epoch: subjects.epoch, 'user-epoch': subjects.userEpoch, beat: subjects.beat }[parsed.kind]
  }

  it('[W10] is read back as what it was made of, and has the form that rights are written for', () => {
    fc.assert(
      fc.property(anyParsed, (parsed) => {
        const subject = build(parsed)
        expect(subjects.parse(subject)).toEqual(parsed)
        expect(subject).toMatch(rightSubject)
      }),
    )
  })

  it('[W10] that is read has the right form and is the one that would be built', () => {
    const word = fc.constantFrom(
      'city',
      'presence',
      'room',
      'user',
      'epoch',
      'uepoch',
      'beat',
      'a',
      '*',
      '>',
      '',
      ' ',
      'A',
      'ä',
    )
    const near = fc.array(word, { maxLength: 5 }).map((words) => words.join('.'))
    const below = fc.oneof(near, anyText(20)).map((rest) => `${defaultPrefix}.${rest}`)
    fc.assert(
      fc.property(fc.oneof(near, below, anyText(40)), (subject) => {
        const parsed = subjects.parse(subject)
        if (parsed === undefined) return
        expect(subject).toMatch(rightSubject)
        expect(build(parsed)).toBe(subject)
      }),
      { numRuns: 1_000 },
    )
  })

  it('[W10] below another prefix is none of ours', () => {
    const others = subjectsBelow('town.presence')
    expect(others.parse(subjects.room('market'))).toBeUndefined()
    expect(subjects.parse(others.room('market'))).toBeUndefined()
    expect(subjects.parse(subjects.ingest(subjects.beat))).toBeUndefined()
    expect(others.parse('town.presence.room.market')).toEqual({ kind: 'room', slug: 'market' })
  })
})

it('[W11] a slug is 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit', () => {
  fc.assert(
    fc.property(anySlug, (slug) => {
      expect(isRoomSlug(slug)).toBe(true)
    }),
  )
  const wrong = ['', '-a', '_a', 'A', 'a.b', 'a b', 'a\n', 'é', 'a'.repeat(64), 'a*', 'a>']
  expect(wrong.map(isRoomSlug)).toEqual(wrong.map(() => false))
  expect(wrong.map((slug) => roomSlug.decode(slug).ok)).toEqual(wrong.map(() => false))
})

const tenMegabytes = 10 * 1024 * 1024
const hurtful = [
  ...[
    '*',
    '>',
    '.',
    '..',
    'a.b',
    '*.>',
    '$JS.API.STREAM.DELETE.X',
    ' ',
    '\t',
    '\r\nPUB x 0',
    '\u0000',
    '\u00a0',
    '\u202e',
  ],
  ...[
    '\ud800',
    '\udc00',
    '\udc00\ud800',
    '__proto__',
    'constructor',
    'toString',
    '=',
    '==41',
    '%2e',
    '\ufeff',
    '\u{10ffff}',
  ],
  ...['x'.repeat(201), '.'.repeat(tenMegabytes), 'x'.repeat(tenMegabytes), '\ud800'.repeat(tenMegabytes / 2)],
]

it('[W7] [W8] names that were made to hurt get a token of their own, or none, and no slug', () => {
  const tokens = hurtful.map(encodeToken).filter((token) => token !== undefined)
  expect(new Set(tokens).size).toBe(tokens.length)
  for (const token of tokens) expect(subjects.user(token)).toMatch(rightSubject)
  // What is too long has none; the four last are.
  expect(tokens).toHaveLength(hurtful.length - 4)
  for (const name of hurtful.filter((one) => !['constructor'].includes(one))) expect(isRoomSlug(name)).toBe(false)
  expect(isRoomSlug('constructor')).toBe(true)
})

it('[W9] whoever has the same name elsewhere, or a name that looks like it, never reaches the subject of somebody at home', () => {
  const bob = encodeUser('@bob:home', 'home')
  const twins = [
    '@bob:evil',
    '@bob:home.evil',
    '@bob:home:8448',
    '@bob:HOME',
    '@bob.:home',
    '@bob=40:home',
    '@bob :home',
    '@Bob:home',
  ]
  for (const twin of twins) expect(encodeUser(twin, 'home'), twin).not.toBe(bob)
  const all = twins.map((twin) => encodeUser(twin, 'home')).filter((token) => token !== undefined)
  expect(new Set(all).size).toBe(all.length)
})
