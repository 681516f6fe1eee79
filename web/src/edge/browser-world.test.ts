// The browser's edge with a socket of the test's own: what is dropped is not heard again, and what wakes a page is.
import { afterEach, expect, it, vi } from 'vitest'
import { browserWorld } from './browser-world.ts'

class HandSocket extends EventTarget {
  static readonly OPEN = 1
  static readonly made: HandSocket[] = []
  readyState = 1
  readonly sent: string[] = []
  readonly closedWith: number[] = []
  readonly url: string
  readonly protocols: string[]

  constructor(url: string, protocols: string[]) {
    super()
    this.url = url
    this.protocols = protocols
    HandSocket.made.push(this)
  }
  send(text: string): void {
    this.sent.push(text)
  }
  close(code: number): void {
    this.closedWith.push(code)
  }
  say(type: string, facts: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), facts))
  }
}

afterEach(() => {
  vi.unstubAllGlobals()
  HandSocket.made.length = 0
})

function openSocket() {
  vi.stubGlobal('WebSocket', HandSocket)
  const ears = { opened: vi.fn(), heard: vi.fn(), closed: vi.fn() }
  const flight = browserWorld().openSocket('wss://city.example/ws', 'abc', ears)
  const socket = HandSocket.made[0]
  if (flight === undefined || socket === undefined) throw new Error('no socket was made')
  return { ears, flight, socket }
}

it('[B2] a socket is heard until it is dropped, and not a word after', () => {
  const { ears, flight, socket } = openSocket()
  socket.say('open')
  socket.say('message', { data: 'one' })
  expect([ears.opened.mock.calls.length, ears.heard.mock.calls]).toEqual([1, [['one']]])
  flight.drop()
  expect(socket.closedWith).toEqual([1000])
  socket.say('message', { data: 'two' })
  socket.say('close', { code: 1000 })
  expect([ears.heard.mock.calls.length, ears.closed.mock.calls.length]).toEqual([1, 0])
})

it('[B19] a binary frame is a frame without words', () => {
  const { ears, socket } = openSocket()
  socket.say('message', { data: new ArrayBuffer(3) })
  expect(ears.heard.mock.calls).toEqual([['']])
})

it('[B6] nothing is sent on a socket that is not open', () => {
  const { flight, socket } = openSocket()
  socket.readyState = 0
  flight.send('ping')
  socket.readyState = 1
  flight.send('ping')
  expect(socket.sent).toEqual(['ping'])
})

it('[B22] address and token keep to their places', () => {
  const { socket } = openSocket()
  expect([socket.url, socket.protocols]).toEqual(['wss://city.example/ws', ['city-presence', 'bearer.abc']])
})

it('[B9] the network coming back and the page being looked at are nudges, until nobody watches', () => {
  const [page, window] = [Object.assign(new EventTarget(), { visibilityState: 'hidden' }), new EventTarget()]
  vi.stubGlobal('window', window)
  vi.stubGlobal('document', page)
  const nudge = vi.fn()
  const unwatch = browserWorld().watchNudges(nudge)
  page.dispatchEvent(new Event('visibilitychange'))
  expect(nudge).toHaveBeenCalledTimes(0)
  page.visibilityState = 'visible'
  page.dispatchEvent(new Event('visibilitychange'))
  window.dispatchEvent(new Event('online'))
  expect(nudge).toHaveBeenCalledTimes(2)
  unwatch()
  page.dispatchEvent(new Event('visibilitychange'))
  window.dispatchEvent(new Event('online'))
  expect(nudge).toHaveBeenCalledTimes(2)
})

it('[B7] a question why that was given up has no answer', async () => {
  const answered = vi.fn()
  let answer: (response: Response) => void = () => undefined
  vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (answer = resolve)))
  const flight = browserWorld().askStatus('https://city.example/api', 'abc', answered)
  flight.drop()
  answer(new Response('', { status: 401 }))
  await new Promise((resolve) => setImmediate(resolve))
  expect(answered).not.toHaveBeenCalled()
})
