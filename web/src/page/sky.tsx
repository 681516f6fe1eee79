// The city against its sky: one house for every room, a lit window for everybody in it. A drawing, not information: everything
// it shows is also said in words below, so it is hidden from screen readers.
import { memo } from 'react'
import { buildingOf, sizeOf } from '../core/building.ts'
import type { NamedRoom } from '../core/words.ts'
import { House } from './house.tsx'

// What fits across a wide screen; a bigger city shows its first houses by name.
const housesMax = 32
const canvas = { width: 1600, height: 260 }
const gap = 9

export const Sky = memo(function Sky({ rooms }: { readonly rooms: readonly NamedRoom[] }) {
  return (
    <div className="sky" aria-hidden="true">
      <div className="stars" />
      <div className="orb" />
      <svg viewBox={`0 0 ${canvas.width} ${canvas.height}`} preserveAspectRatio="xMidYMax slice" focusable="false">
        <path className="hills" d={hills} />
        <g className="far">
          {far.map(({ x, path }) => (
            <path key={x} transform={`translate(${x} ${canvas.height})`} d={path} />
          ))}
        </g>
        {placed(rooms.slice(0, housesMax)).map(({ x, slug, room }) => (
          <g key={slug} transform={`translate(${x} ${canvas.height})`}>
            <House slug={slug} room={room} />
          </g>
        ))}
      </svg>
    </div>
  )
})

function placed(rooms: readonly NamedRoom[]): (NamedRoom & { x: number })[] {
  const widths = rooms.map(({ slug }) => sizeOf(buildingOf(slug)).width + gap)
  let x = (canvas.width - widths.reduce((sum, width) => sum + width, 0)) / 2
  return rooms.map((entry, index) => {
    const at = { ...entry, x }
    x += widths[index] ?? 0
    return at
  })
}

const hills = `M0 ${canvas.height}V190C200 150 330 205 520 176S860 132 1040 172S1400 150 1600 186V${canvas.height}Z`

// Houses of nobody, far away, so that a city of three rooms still stands in a city.
const far = Array.from({ length: 34 }, (_, index) => {
  const { width, height } = sizeOf(buildingOf(`far-${index}`))
  return { x: index * 48 - 6, path: `M0 0V${-Math.round(height * 0.62)}H${Math.round(width * 0.74)}V0Z` }
})
