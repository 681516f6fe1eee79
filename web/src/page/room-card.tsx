// A room: its name, how many are online, who types. A card is drawn again only when its own room changed.
import { memo } from 'react'
import { buildingOf, sizeOf } from '../core/building.ts'
import type { RoomPresenceUI } from '../core/global-presence.ts'
import { countWords, typingWords, type NamedRoom } from '../core/words.ts'
import { House } from './house.tsx'

export const RoomCard = memo(
  function RoomCard({ slug, name, room }: NamedRoom) {
    return (
      <li className={classesOf(room)} data-slug={slug}>
        <CardHouse slug={slug} room={room} />
        <h3>{name}</h3>
        <p className="count">
          <span className="number">{countWords(room)}</span> online
        </p>
        <p className="mood">
          <Mood room={room} />
        </p>
      </li>
    )
  },
  (before, after) => before.slug === after.slug && before.room === after.room,
)

const classesOf = (room: RoomPresenceUI): string =>
  ['card', room.active && 'is-active', room.stale && 'is-stale', isEmpty(room) && 'is-empty'].filter(Boolean).join(' ')

const isEmpty = ({ onlineCount, below }: RoomPresenceUI): boolean => onlineCount === 0 && below === undefined

function Mood({ room }: { readonly room: RoomPresenceUI }) {
  if (room.stale) return <span className="badge last-known">last known</span>
  if (room.typingCount > 0) return <Typing count={room.typingCount} />
  if (room.active) return <span className="badge busy">active</span>
  return <span className="badge calm">{isEmpty(room) ? 'nobody here' : 'quiet'}</span>
}

function Typing({ count }: { readonly count: number }) {
  return (
    <span className="badge typing">
      <span className="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {typingWords(count)}
    </span>
  )
}

const cardHouse = { width: 84, height: 176 }

function CardHouse({ slug, room }: { readonly slug: string; readonly room: RoomPresenceUI }) {
  const { width } = sizeOf(buildingOf(slug))
  return (
    <svg
      className="card-house"
      viewBox={`0 ${-cardHouse.height} ${cardHouse.width} ${cardHouse.height}`}
      preserveAspectRatio="xMaxYMax meet"
      aria-hidden="true"
      focusable="false"
    >
      <g transform={`translate(${cardHouse.width - width} 0)`}>
        <House slug={slug} room={room} />
      </g>
    </svg>
  )
}
