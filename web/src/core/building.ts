// A house for every room, drawn from its name: the same slug gives the same house on every page, and each person online lights
// one window of it, always the same next one, so that the city holds still while its lights change.
//
//   slug --hash--> width, storeys, roof, order of windows        onlineCount --> how many of them are lit

type Building = {
  readonly columns: number
  readonly storeys: number
  /** 0 flat, 1 gable, 2 stepped, 3 mast. */
  readonly roof: 0 | 1 | 2 | 3
  /** Windows by their number (storey x columns + column), in the order in which they light up. */
  readonly order: readonly number[]
}

// FNV-1a, 32 bit: a few lines, well spread, and not a matter of safety.
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/** A next number from the last (xorshift32): never 0 from a seed that is not. */
function nextRandom(seed: number): number {
  let x = seed || 1
  x ^= x << 13
  x ^= x >>> 17
  x ^= x << 5
  return x >>> 0
}

const columnsMin = 3
const storeysMin = 4

export function buildingOf(slug: string): Building {
  const seed = nextRandom(hashOf(slug))
  const columns = columnsMin + (seed % 3)
  const storeys = storeysMin + ((seed >>> 4) % 6)
  const roof = ((seed >>> 9) % 4) as Building['roof']
  return { columns, storeys, roof, order: shuffled(columns * storeys, seed) }
}

function shuffled(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index)
  let random = seed
  for (let index = count - 1; index > 0; index--) {
    random = nextRandom(random)
    const other = random % (index + 1)
    const [a = 0, b = 0] = [order[index], order[other]]
    order[index] = b
    order[other] = a
  }
  return order
}

/** The lit windows. A house whose every window is lit has at least that many people in it. */
export const litWindows = ({ order }: Building, onlineCount: number): readonly number[] =>
  order.slice(0, Math.max(0, onlineCount))

/** Sizes in the units of a drawing: a window, the wall around it, and what stands on the roof. */
const windowSize = { width: 7, height: 9, gapX: 6, gapY: 7 } as const
const roofHeights = [3, 14, 12, 22] as const

export function sizeOf({ columns, storeys, roof }: Building): { width: number; height: number; roofHeight: number } {
  const { width, height, gapX, gapY } = windowSize
  const roofHeight = roofHeights[roof]
  return { width: columns * (width + gapX) + gapX, height: storeys * (height + gapY) + gapY + roofHeight, roofHeight }
}

/** The outline, its foot at y = 0 and its left edge at x = 0; up is negative. */
export function outlinePath(building: Building): string {
  const { width, height, roofHeight } = sizeOf(building)
  const wall = roofHeight - height
  const [left, right] = [`M0 0V${wall}`, `V0Z`]
  if (building.roof === 1) return `${left}L${width / 2} ${-height}L${width} ${wall}${right}`
  if (building.roof === 2) return `${left}H${width * 0.2}V${-height}H${width * 0.8}V${wall}H${width}${right}`
  if (building.roof === 3) return `${left}H${width / 2 - 1}V${-height}H${width / 2 + 1}V${wall}H${width}${right}`
  return `${left}H-2V${-height}H${width + 2}V${wall}H${width}${right}`
}

/** All these windows as one path: a house costs three elements, however many windows it has. */
export function windowsPath(building: Building, windows: readonly number[]): string {
  const { width, height, gapX, gapY } = windowSize
  return windows
    .map((window) => {
      const column = window % building.columns
      const storey = Math.floor(window / building.columns)
      const x = gapX + column * (width + gapX)
      const y = -(gapY + height + storey * (height + gapY))
      return `M${x} ${y}h${width}v${height}h${-width}z`
    })
    .join('')
}
