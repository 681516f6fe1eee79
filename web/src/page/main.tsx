// Starts the page: the token, then the city.
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { useGlobalPresence } from '../use-global-presence.ts'
import { CityPage } from './city-page.tsx'
import { NoTicket } from './no-ticket.tsx'
import { takeToken } from './token.ts'

function App() {
  const [token, setToken] = useState(takeToken)
  useEffect(() => {
    // Somebody pastes a new link into this tab: only the fragment changes, so nothing reloads.
    const onHash = (): void => setToken(takeToken())
    window.addEventListener('hashchange', onHash)
    return () => window.removeEventListener('hashchange', onHash)
  }, [])
  return token === '' ? <NoTicket /> : <LiveCity token={token} />
}

function LiveCity({ token }: { readonly token: string }) {
  return <CityPage presence={useGlobalPresence({ url: '/', token })} />
}

const root = document.getElementById('city')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
