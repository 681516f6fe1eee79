// The page: sky with a headline, a banner when something is wrong, the rooms.
import { Fragment, useMemo } from 'react'
import type { GlobalPresence } from '../core/global-presence.ts'
import { citySummary, linkWords, namedRooms, noticeOf, spokenSummary, type NamedRoom } from '../core/words.ts'
import { Announcer } from './announcer.tsx'
import { Banner } from './banner.tsx'
import { RoomCard } from './room-card.tsx'
import { Sky } from './sky.tsx'

export function CityPage({ presence }: { readonly presence: GlobalPresence }) {
  const rooms = useMemo(() => namedRooms(presence.presenceBySlug), [presence.presenceBySlug])
  return (
    <>
      <header className={presence.stale ? 'hero is-stale' : 'hero'}>
        <Sky rooms={rooms} />
        <div className="hero-text">
          <h1>The city, now</h1>
          <p className="summary">
            <Summary presence={presence} rooms={rooms} />
          </p>
          <p className={`link ${presence.stale ? 'stale' : presence.status}`}>{linkWords(presence)}</p>
        </div>
      </header>
      <main>
        <Banner notice={noticeOf(presence, clockOf(presence.staleSinceMs))} />
        <Rooms presence={presence} rooms={rooms} />
      </main>
      <Announcer text={spokenSummary(presence)} />
    </>
  )
}

type CityProps = { readonly presence: GlobalPresence; readonly rooms: readonly NamedRoom[] }

function Summary({ presence, rooms }: CityProps) {
  if (!presence.loaded) return presence.status === 'stopped' ? 'Who is in which room, live.' : '—'
  const parts = citySummary(rooms)
  return parts.map((part, index) => (
    <Fragment key={index}>
      <span>{index + 1 < parts.length ? `${part} ·` : part}</span>{' '}
    </Fragment>
  ))
}

function Rooms({ presence, rooms }: CityProps) {
  if (presence.status === 'stopped' && !presence.loaded) return null
  if (!presence.loaded) return <Waiting />
  if (rooms.length === 0)
    return <p className="panel">{presence.stale ? 'No room is known yet.' : 'The city has no rooms yet.'}</p>
  return (
    <section aria-labelledby="rooms">
      <h2 id="rooms" className="unseen">
        Rooms
      </h2>
      {/* Named as a list, because Safari forgets the role of a list without bullets. */}
      <ul className="cards" role="list">
        {rooms.map((entry) => (
          <RoomCard key={entry.slug} {...entry} />
        ))}
      </ul>
    </section>
  )
}

// Eight: what fills a first screen without promising a number of rooms.
const placeholders = Array.from({ length: 8 }, (_, index) => index)

/** Before the first count there are no numbers, least of all zeros. */
function Waiting() {
  return (
    <section aria-busy="true" aria-labelledby="waiting">
      <h2 id="waiting" className="unseen">
        Waiting for the first count
      </h2>
      <ul className="cards" aria-hidden="true">
        {placeholders.map((index) => (
          <li key={index} className="card is-waiting">
            <span className="bar" />
            <p className="count">
              <span className="number">—</span> online
            </p>
            <span className="bar short" />
          </li>
        ))}
      </ul>
    </section>
  )
}

const clockOf = (wallMs: number | undefined): string | undefined =>
  wallMs === undefined
    ? undefined
    : new Date(wallMs).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false })
