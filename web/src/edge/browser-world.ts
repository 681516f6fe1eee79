// The browser as the presence client needs it: socket, fetch, timers, chance, and the moments worth a second look. Everything
// is touched inside the functions, nothing at import, so that a server may load this file.
import { socketProtocol, tokenProtocolPrefix } from '@citypresence/wire/client-messages'

import type { Flight, SocketEars, Timer, World } from '../presence-loop.ts'
import type { TokenSource } from '../presence-client.ts'

export const browserWorld = (): World => ({
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  random01: () => Math.random(),
  pageUrl: () => (typeof location === 'undefined' ? undefined : location.href),
  setTimer,
  openSocket,
  askToken,
  askStatus,
  watchNudges,
})

function setTimer(callback: () => void, delayMs: number): Timer {
  const timer = setTimeout(callback, delayMs)
  return { cancel: () => clearTimeout(timer) }
}

function openSocket(url: string, token: string, ears: SocketEars): Flight | undefined {
  const socket = makeSocket(url, token)
  if (socket === undefined) return undefined
  const listening = new AbortController()
  const { signal } = listening
  socket.addEventListener('open', () => ears.opened(), { signal })
  socket.addEventListener('message', ({ data }) => ears.heard(typeof data === 'string' ? data : ''), { signal })
  socket.addEventListener('close', ({ code }) => ears.closed(code), { signal })
  return {
    drop() {
      listening.abort()
      // 1000: this page has seen enough. In the middle of a handshake the browser ends it and calls that a failure.
      socket.close(1000)
    },
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
  }
}

/** The token goes as a subprotocol: in an address it would reach every log on the way. */
function makeSocket(url: string, token: string): WebSocket | undefined {
  try {
    return new WebSocket(url, [socketProtocol, `${tokenProtocolPrefix}${token}`])
  } catch {
    return undefined
  }
}

function askToken(token: TokenSource, got: (token: string) => void, failed: () => void): Flight {
  let dropped = false
  const unlessDropped = (act: () => void): void => {
    if (!dropped) act()
  }
  // Through `then`, so that a function that throws at once is a failure like a promise that is rejected.
  Promise.resolve()
    .then(() => (typeof token === 'function' ? token() : token))
    .then(
      (given) => unlessDropped(() => got(given)),
      () => unlessDropped(failed),
    )
  return {
    drop() {
      dropped = true
    },
    send: nothing,
  }
}

function askStatus(url: string, token: string, answered: (httpStatus: number | undefined) => void): Flight {
  const asking = new AbortController()
  const answer = (httpStatus: number | undefined): void => {
    if (!asking.signal.aborted) answered(httpStatus)
  }
  const headers = { authorization: `Bearer ${token}` }
  fetch(url, { headers, cache: 'no-store', credentials: 'omit', signal: asking.signal }).then(
    (response) => {
      answer(response.status)
      // The body is a snapshot that nobody asked for.
      asking.abort()
    },
    () => answer(undefined),
  )
  return { drop: () => asking.abort(), send: nothing }
}

const nothing = (): void => undefined

function watchNudges(nudge: () => void): () => void {
  if (typeof window === 'undefined') return nothing
  const listening = new AbortController()
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') nudge()
  }
  window.addEventListener('online', nudge, { signal: listening.signal })
  document.addEventListener('visibilitychange', onVisible, { signal: listening.signal })
  return () => listening.abort()
}
