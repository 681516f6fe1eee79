// The page without a token: says what is missing, in the words of somebody who only followed a link.
import { Sky } from './sky.tsx'

export function NoTicket() {
  return (
    <>
      <header className="hero">
        <Sky rooms={[]} />
        <div className="hero-text">
          <h1>The city, now</h1>
          <p className="summary">Who is in which room, live.</p>
        </div>
      </header>
      <main>
        <section className="panel" aria-labelledby="no-ticket">
          <h2 id="no-ticket">This address has no token</h2>
          <p>
            Open the city with the link you were given: it ends in <code>#token=…</code>. The part after the{' '}
            <code>#</code> stays in your browser.
          </p>
        </section>
      </main>
    </>
  )
}
