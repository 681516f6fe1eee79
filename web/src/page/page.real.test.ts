// The built page in a real Chromium, on a little gateway that does as it is told and serves under the strict policy.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { startChromium, type RunningChromium } from '@citypresence/stack/chromium'
import { stopAll } from '@citypresence/stack/stop-all'
import { makeTemporaryFolder, type TemporaryFolder } from '@citypresence/stack/temporary-folder'
import { until } from '@citypresence/stack/until'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { buildWeb } from '../testing/built-web.ts'
import { eveningCity, room, startLittleGateway, update, type LittleGateway } from '../testing/little-gateway.ts'

const token = 'head.body.signature'
const deadlineMs = 20_000
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let folder: TemporaryFolder
let chromium: RunningChromium
let pageFolder: string
let gateway: LittleGateway
let complaints: string[]
const pages: Page[] = []

beforeAll(async () => {
  folder = makeTemporaryFolder('page')
  ;[{ page: pageFolder }, chromium] = await Promise.all([buildWeb(folder.path), startChromium()])
})
afterAll(() => stopAll(chromium, folder))
beforeEach(async () => {
  complaints = []
  gateway = await startLittleGateway(eveningCity(), pageFolder)
})
afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close()
  await gateway.stop()
})

async function open(options: BrowserContextOptions = {}, fragment = `#token=${token}`): Promise<Page> {
  const context = await chromium.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(deadlineMs)
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // Chromium itself reports a refused handshake or a cut line; that is no fault of the page.
    if (message.type() === 'error' && !/WebSocket|Failed to load resource/.test(message.text()))
      complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== gateway.origin) complaints.push(`asked elsewhere: ${request.url()}`)
  })
  pages.push(page)
  await page.goto(`${gateway.origin}/city${fragment}`)
  return page
}

const card = (slug: string): string => `[data-slug="${slug}"]`
/** What stands there, block by block, as a screen reader goes through it. */
const textOf = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (element) => {
    const blocks = element.querySelectorAll('h1, h2, h3, p')
    const texts = blocks.length === 0 ? [element.textContent] : [...blocks].map((block) => block.textContent)
    return texts.join(' ').replace(/\s+/g, ' ').trim()
  })
const shows = (page: Page, selector: string, words: RegExp): Promise<unknown> =>
  until(async () => words.test(await textOf(page, selector)), {
    deadlineMs,
    what: `${selector} to say ${words.source}`,
  })

it('[B24] the city appears: a card for every room with its count, and the headline', async () => {
  const page = await open()
  await page.waitForSelector(card('library'))
  expect(await page.locator('[data-slug]').count()).toBe(12)
  expect(await textOf(page, card('transport'))).toBe('Transport 5 online quiet')
  expect(await textOf(page, card('library'))).toBe('Library 0 online nobody here')
  expect(await textOf(page, '.link')).toBe('Live')
  expect(await textOf(page, '.summary')).toBe('12 rooms · busiest: Market square, 21 online · typing in 2 rooms')
  expect(await page.locator('.card.is-active').count()).toBe(4)
  expect(complaints).toEqual([])
})

it('[B24] an update changes its card, typing shows its badge, a new room comes, a removed room goes', async () => {
  const page = await open()
  await page.waitForSelector(card('transport'))
  gateway.send(update(room('transport', 6, 1, { active: true })))
  await shows(page, card('transport'), /^Transport 6 online 1 person is typing$/)
  expect(await page.locator(`${card('transport')} .dots i`).count()).toBe(3)
  gateway.send(
    update(room('transport', 6, 0)),
    update(room('new-quarter', 1)),
    update(room('library', 0, 0, { removed: true })),
  )
  await shows(page, card('transport'), /quiet$/)
  await page.waitForSelector(card('new-quarter'))
  await page.waitForSelector(card('library'), { state: 'detached' })
})

it('[B24] before the first snapshot there is a dash and no number', async () => {
  gateway.greet = false
  const page = await open()
  await page.waitForSelector('.is-waiting')
  expect(await textOf(page, 'body')).not.toMatch(/\d/)
  expect(await textOf(page, '.summary')).toBe('—')
  expect(await textOf(page, '.link')).toBe('Connecting')
})

it('[B25] stale data has its banner with the reason, and every card looks it', async () => {
  const page = await open()
  await page.waitForSelector(card('transport'))
  gateway.send({ type: 'status', stale: true, reason: 'source' })
  await shows(
    page,
    '[role=status]',
    /out of date Matrix is not telling who is online\. You see the city as of \d\d:\d\d\.$/,
  )
  expect(await page.locator('.card.is-stale').count()).toBe(12)
  expect(await textOf(page, card('transport'))).toBe('Transport 5 online last known')
  gateway.send({ type: 'status', stale: false })
  await shows(page, '[role=status]', /^$/)
  expect(await page.locator('.card.is-stale').count()).toBe(0)
})

it('[B25] a single room can be stale alone', async () => {
  const page = await open()
  await page.waitForSelector(card('transport'))
  gateway.send(update(room('transport', 5, 0, { stale: true })))
  await shows(page, card('transport'), /last known$/)
  expect(await page.locator('.card.is-stale').count()).toBe(1)
  expect(await textOf(page, '[role=status]')).toBe('')
})

it('[B26] a lost link has its banner, the last counts stay, and it comes back by itself', async () => {
  const page = await open()
  await page.waitForSelector(card('transport'))
  gateway.refuse = 503
  gateway.rooms = [room('transport', 8)]
  gateway.cut()
  await shows(page, '[role=status]', /^Connection lost/)
  expect(await textOf(page, card('transport'))).toBe('Transport 5 online last known')
  expect(await textOf(page, '.link')).toBe('Reconnecting')
  gateway.refuse = 0
  await shows(page, card('transport'), /^Transport 8 online/)
  await shows(page, '[role=status]', /^$/)
  expect(await page.locator('[data-slug]').count()).toBe(1)
  expect(complaints).toEqual([])
})

it('[B26] 4401 says that the session has ended, and nothing more is tried', async () => {
  const page = await open()
  await page.waitForSelector(card('transport'))
  gateway.closeAll(4401, 'token expired')
  await shows(page, '[role=status]', /^Your session has ended/)
  expect(await textOf(page, '.link')).toBe('Ended')
  expect(await textOf(page, card('transport'))).toMatch(/last known$/)
  expect(gateway.handshakes.length).toBe(1)
})

it('[B26] a handshake refused with 401 says the same', async () => {
  gateway.refuse = 401
  const page = await open()
  await shows(page, '[role=status]', /^Your session has ended/)
  expect(gateway.questions).toEqual([token])
  expect(await page.locator('.card').count()).toBe(0)
})

it('[B27] the token leaves the address bar, reaches no address, and survives a reload', async () => {
  const page = await open()
  await page.waitForSelector(card('transport'))
  expect(page.url()).toBe(`${gateway.origin}/city`)
  await page.reload()
  await page.waitForSelector(card('transport'))
  expect(gateway.handshakes).toEqual([token, token])
  expect(gateway.requests.join(' ')).not.toContain(token)
})

it('[B27] without a token the page says what is missing; a link pasted into the open page is taken', async () => {
  const page = await open({}, '')
  await shows(page, 'main', /has no token/)
  expect(gateway.handshakes).toEqual([])
  await page.evaluate(() => void (location.hash = 'token=one.two.three'))
  await page.waitForSelector(card('transport'))
  await page.evaluate(() => void (location.hash = 'token=four.five.six'))
  await until(() => gateway.handshakes.length === 2, { deadlineMs, what: 'a second handshake' })
  expect(gateway.handshakes).toEqual(['one.two.three', 'four.five.six'])
  await until(() => gateway.sessions === 1, { deadlineMs, what: 'the first session to close' })
})

it('[B21] one page is one connection, StrictMode or not, and leaving it closes that', async () => {
  const page = await open()
  await page.waitForSelector(card('transport'))
  expect([gateway.handshakes.length, gateway.sessions]).toEqual([1, 1])
  await page.goto('about:blank')
  await until(() => gateway.sessions === 0, { deadlineMs, what: 'the session to close' })
})

for (const colorScheme of ['light', 'dark'] as const) {
  it(`[B28] axe finds nothing in any state of the page, ${colorScheme}`, async () => {
    const page = await open({ colorScheme, reducedMotion: 'reduce' })
    await page.waitForSelector(card('transport'))
    expect(await faultsOf(page)).toEqual([])
    gateway.send({ type: 'status', stale: true, reason: 'incomplete' })
    await page.waitForSelector('.notice')
    expect(await faultsOf(page)).toEqual([])
    gateway.refuse = 503
    gateway.cut()
    await shows(page, '[role=status]', /^Connection lost/)
    await shows(page, '.link', /^Reconnecting$/)
    expect(await faultsOf(page)).toEqual([])
    gateway.refuse = 0
    await shows(page, '.link', /^Live$/)
    gateway.closeAll(4401)
    await shows(page, '.link', /Ended/)
    expect(await faultsOf(page)).toEqual([])
    gateway.greet = false
    const waiting = await open({ colorScheme, reducedMotion: 'reduce' })
    await waiting.waitForSelector('.is-waiting')
    expect(await faultsOf(waiting)).toEqual([])
    expect(await faultsOf(await open({ colorScheme }, ''))).toEqual([])
  })
}

type AxeWindow = { axe: { run(): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> } }

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as AxeWindow).axe.run()
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  })
}

it('[B28] a screen reader is told the summary once, not at every change', async () => {
  const page = await open()
  await shows(page, '[aria-live=polite]', /^12 rooms; busiest: Market square, 21 online/)
  gateway.send(update(room('market-square', 30)))
  await shows(page, '.summary', /30 online/)
  expect(await textOf(page, '[aria-live=polite]')).toMatch(/21 online/)
})

it('[B31] by keyboard the last room is reached and read; nothing takes the focus, and what could have it would show it', async () => {
  gateway.rooms = Array.from({ length: 200 }, (_, index) => room(`room-${index}`, index % 9))
  const page = await open({ viewport: { width: 800, height: 600 } })
  await page.waitForSelector(card('room-199'))
  const focused = () => page.evaluate(() => document.activeElement?.tagName ?? '')
  const lastIsInView = () =>
    page.$eval('.cards > li:last-child', (last) => last.getBoundingClientRect().bottom <= innerHeight + 1)
  expect([await focused(), await lastIsInView()]).toEqual(['BODY', false])
  await page.keyboard.press('End')
  await until(lastIsInView, { deadlineMs, what: 'the last room in view' })
  // There is nothing to operate, so that a keyboard neither stops nor is held anywhere, whatever changes meanwhile.
  for (let presses = 0; presses < 3; presses++) {
    await page.keyboard.press('Tab')
    gateway.send(update(room('room-7', 40 + presses)))
    gateway.send({ type: 'status', stale: presses % 2 === 0, reason: 'source' })
    expect(await focused()).toBe('BODY')
  }
  await shows(page, card('room-7'), /42 online/)
  await page.keyboard.press('Home')
  await until(() => page.evaluate(() => scrollY === 0), { deadlineMs, what: 'the top again' })
  const outline = await page.evaluate(() => {
    const link = Object.assign(document.createElement('a'), { href: '#', textContent: 'a link' })
    document.querySelector('main')?.prepend(link)
    link.focus()
    const { outlineStyle, outlineWidth } = getComputedStyle(link)
    link.remove()
    return [outlineStyle, outlineWidth]
  })
  expect(outline[0]).not.toBe('none')
  expect(outline[1]).not.toBe('0px')
})

it('[B28] who asked for less motion gets none', async () => {
  const names = async (page: Page): Promise<string[]> => {
    await page.waitForSelector('.dots i')
    return page.$$eval('.dots i, .link', (parts) => parts.map((part) => getComputedStyle(part).animationName))
  }
  expect(await names(await open())).toContain('hop')
  expect(new Set(await names(await open({ reducedMotion: 'reduce' })))).toEqual(new Set(['none']))
})

it('[B29] a phone needs no sideways scrolling, whatever a room is called', async () => {
  gateway.rooms = [
    ...eveningCity(),
    room('a'.repeat(63), 12_345, 120),
    room(`x-${'very-'.repeat(12)}1`, 3, 0, { stale: true }),
  ]
  for (const width of [320, 390]) {
    const page = await open({ viewport: { width, height: 844 }, isMobile: true })
    await page.waitForSelector(card('transport'))
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    const outside = await page.$$eval(
      '.card > *',
      (parts, right) => parts.filter((part) => part.getBoundingClientRect().right > right).length,
      width,
    )
    expect(outside).toBe(0)
    const file = join(folder.path, `phone-${width}.png`)
    expect((await page.screenshot({ path: file })).length).toBeGreaterThan(10_000)
  }
})

it('[B29] a thousand rooms are drawn and one change touches one card', async () => {
  gateway.rooms = Array.from({ length: 1_000 }, (_, index) => room(`room-${index}`, index % 9))
  const page = await open()
  await page.waitForSelector(card('room-999'))
  await page.evaluate(() => {
    const touched: string[] = []
    Object.assign(globalThis, { touched })
    const list = document.querySelector('.cards')
    if (list === null) throw new Error('no cards')
    new MutationObserver((changes) => {
      for (const { target } of changes) touched.push(target.parentElement?.closest('li')?.dataset['slug'] ?? 'list')
    }).observe(list, { subtree: true, childList: true, characterData: true, attributes: true })
  })
  gateway.send(update(room('room-7', 42)))
  await shows(page, card('room-7'), /42 online/)
  const touched = await page.evaluate(() => (globalThis as unknown as { touched: string[] }).touched)
  expect([...new Set(touched)]).toEqual(['room-7'])
})
