// A real Chromium, and that it goes.
import { expect, it } from 'vitest'
import { startChromium } from './chromium.ts'
import { isAlive } from './process.ts'

it('[S18] Chromium opens a page, and after stop() its process is gone', async () => {
  const chromium = await startChromium()
  const page = await chromium.browser.newPage()
  await page.goto('data:text/html,<title>city</title><p id=n>3 online</p>')
  expect([await page.title(), await page.textContent('#n')]).toEqual(['city', '3 online'])
  expect(isAlive(chromium.pid)).toBe(true)
  await chromium.stop()
  expect(isAlive(chromium.pid)).toBe(false)
})
