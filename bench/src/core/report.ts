// A row as text, for who waits at a terminal: ours, peers and floor under each other, then each goal with what came of it.
import { isMet, spreadText, told, type Figure, type Goal, type RowResult } from './result.ts'

const roles = { ours: 'ours ', peer: 'peer ', floor: 'floor' } as const
const whatWidth = 62

export function rowText({ id, title, workload, figures, goals, notRun, notes }: RowResult): string {
  return [
    `${id}  ${title}`,
    `    ${workload}`,
    ...figures.map(figureText),
    ...goals.map(goalText),
    ...notRun.map(({ what, why }) => `    not run: ${what} (${why})`),
    ...notes.map((note) => `    ${note}`),
  ].join('\n')
}

function figureText(one: Figure): string {
  const beside = one.beside === undefined ? '' : `   (${one.beside})`
  return `    ${roles[one.role]}  ${one.what.padEnd(whatWidth)} ${told(one.median).padStart(8)} ${one.unit} ${spreadText(one)}${beside}`
}

const goalText = (goal: Goal): string =>
  `    ${isMet(goal) ? 'met   ' : 'MISSED'} ${goal.what.padEnd(whatWidth)} ${told(goal.value).padStart(8)} ${goal.unit}, goal ${barText(goal)}`

export const barText = ({ bound, bar, unit }: Goal): string =>
  `${bound === 'least' ? '>=' : '<='} ${told(bar)}${unit === '' ? '' : ` ${unit}`}`
