// What a fixture city looks like: its rooms, its residents, and who lives where. Pure: the same size gives the same city,
// so that its database can be cached under a key made of this file's answer.

export type CitySize = 'small' | 'demo'

export type CityShape = {
  rooms: readonly { slug: string; name: string }[]
  residents: readonly { localpart: string; rooms: readonly string[] }[]
  /** Rooms the daemon has joined already. */
  daemonRooms: readonly string[]
}

export const daemonLocalpart = 'presence_daemon'
export const mayorLocalpart = 'mayor'

// prettier-ignore
const roomNames = ['Market', 'Library', 'Harbour', 'Energy', 'Workshop', 'Garden', 'Theatre', 'Observatory', 'Bakery', 'Station', 'Town hall', 'Lighthouse']

// prettier-ignore
const people = [
  'ada', 'boris', 'chidi', 'daria', 'elena', 'farid', 'greta', 'hana', 'ivan', 'juno',
  'kofi', 'lena', 'marko', 'nadia', 'oksana', 'pavlo', 'quinn', 'rosa', 'sami', 'taras',
  'uma', 'viktor', 'wanda', 'xenia', 'yuri', 'zoe', 'amir', 'bella', 'cyril', 'dora',
  'emil', 'freya', 'goran', 'hugo', 'irena', 'jonas', 'katya', 'liam', 'mira', 'nils',
]

// How many rooms a resident lives in: three to five in the demo, as people in a chat do; two to four among the four rooms.
const sizes = {
  small: { rooms: 4, residents: 8, homesLeast: 2, homesMost: 4 },
  demo: { rooms: 12, residents: 40, homesLeast: 3, homesMost: 5 },
} as const

export function cityShape(size: CitySize): CityShape {
  const plan = sizes[size]
  const rooms = roomNames.slice(0, plan.rooms).map((name) => ({ slug: slugOf(name), name }))
  const slugs = rooms.map(({ slug }) => slug)
  const residents = people.slice(0, plan.residents).map((localpart, index) => {
    const homes = plan.homesLeast + (index % (plan.homesMost - plan.homesLeast + 1))
    return { localpart, rooms: homesOf(index, homes, slugs) }
  })
  // In the small city one room waits for the daemon, so that joining is exercised by whoever uses it.
  return { rooms, residents, daemonRooms: size === 'small' ? slugs.slice(0, -1) : slugs }
}

// Neighbouring residents start one room apart and stride by a number that shares no factor with the room counts: every
// room gets its share, and no two neighbours have the same set.
function homesOf(index: number, homes: number, slugs: readonly string[]): string[] {
  const stride = 5
  const chosen = Array.from({ length: homes }, (_, step) => slugs[(index + step * stride) % slugs.length])
  return [...new Set(chosen.filter((slug) => slug !== undefined))]
}

const slugOf = (name: string): string => name.toLowerCase().replaceAll(' ', '_')
export const aliasLocalpart = (slug: string): string => `city_${slug}`
