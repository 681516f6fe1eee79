// The hook where there is no browser: a server renders it, and loading the package touches nothing.
import { renderToString } from 'react-dom/server'
import { expect, it, vi } from 'vitest'

const touched = vi.fn()

it('[B23] loading the package touches nothing of a browser, and a server renders what is known: nothing', async () => {
  for (const name of ['WebSocket', 'fetch', 'window', 'document', 'location', 'sessionStorage'])
    vi.stubGlobal(name, new Proxy(touched, { get: touched, apply: touched, construct: touched }))
  vi.useFakeTimers()
  const { useGlobalPresence } = await import('./index.ts')
  function Page() {
    const { status, loaded, stale, presenceBySlug } = useGlobalPresence({ url: '/', token: 'abc' })
    return <p>{[status, loaded, stale, Object.keys(presenceBySlug).length].join(' ')}</p>
  }
  expect(renderToString(<Page />)).toBe('<p>connecting false false 0</p>')
  expect(vi.getTimerCount()).toBe(0)
  expect(touched).not.toHaveBeenCalled()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
