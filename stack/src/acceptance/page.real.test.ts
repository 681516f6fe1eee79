// The page as a person sees it: Chromium on `/city` of a real gateway, with a real Synapse behind it.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startChromium, type RunningChromium } from '../chromium.ts'
import { stopAll } from '../stop-all.ts'
import { startWholeCity, type WholeCity } from '../whole-city.ts'

let whole: WholeCity
let chromium: RunningChromium
let page: Page
const complaints: string[] = []

beforeAll(async () => {
  whole = await startWholeCity({ size: 'small', gateways: 1, throttleMs: 300, quiet: true })
  chromium = await startChromium()
  page = await chromium.browser.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${whole.gateways[0]?.url ?? ''}/city#token=${whole.token}`)
})

afterAll(() => stopAll(chromium, whole))

const ada = () => whole.city.clientOf('ada')
const home = () => whole.city.roomOf(whole.city.residents.find(({ localpart }) => localpart === 'ada')?.rooms[0] ?? '')
const card = (slug: string) => page.locator(`.card[data-slug="${slug}"]`)
/** Waits until the card says so; its number and the word after it are two elements. */
const shows = (slug: string, text: string | RegExp) => card(slug).filter({ hasText: text }).waitFor(soon)
// A throttle window, a long poll and a busy machine; the condition itself ends the wait.
const soon = { timeout: 20_000 }

it('[CITY6] /city shows a card with an online count for every room', async () => {
  for (const { slug } of whole.city.rooms) {
    await shows(slug, /\d+ online/)
  }
})

it('[CITY6] a resident comes online, and the card changes', async () => {
  const { slug } = home()
  await shows(slug, '0 online')
  await ada().setPresence('online')
  await shows(slug, '1 online')
})

it('[CITY7] a resident types, and the card says so until it ends', async () => {
  const { slug, roomId } = home()
  await ada().typing(roomId, true)
  await card(slug).locator('.typing').waitFor(soon)
  await ada().typing(roomId, false)
  await card(slug)
    .locator('.typing')
    .waitFor({ ...soon, state: 'detached' })
})

it('[CITY15] when NATS stops, the page says that its counts are stale, and when it is back the mark goes', async () => {
  const { slug } = home()
  await whole.nats.end()
  await page.locator('.notice.stale').waitFor(soon)
  // The count is the last known one: marked, not zeroed.
  await shows(slug, '1 online')
  await whole.nats.restart()
  await page.locator('.notice').waitFor({ timeout: 40_000, state: 'detached' })
  await ada().setPresence('offline')
  await shows(slug, '0 online')
  expect(complaints).toEqual([])
})
