// One room as a house: wall, dark windows, lit windows. Its foot stands at the origin of whatever holds it.
import { memo } from 'react'
import { buildingOf, litWindows, outlinePath, windowsPath } from '../core/building.ts'
import type { RoomPresenceUI } from '../core/global-presence.ts'

export const House = memo(function House({ slug, room }: { readonly slug: string; readonly room: RoomPresenceUI }) {
  const building = buildingOf(slug)
  const classes = ['house', room.active && 'is-active', room.stale && 'is-stale'].filter(Boolean).join(' ')
  return (
    <g className={classes}>
      <path className="wall" d={outlinePath(building)} />
      <path className="dark" d={windowsPath(building, building.order)} />
      <path className="lit" d={windowsPath(building, litWindows(building, room.onlineCount))} />
    </g>
  )
})
