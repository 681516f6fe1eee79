import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { reasons, type Reason } from './core/conditions.ts'
import { needsSomebody } from './troubleshooting-page.ts'

it('[API13] each reason about which somebody has to do something has its paragraph, once, and no other has', () => {
  const page = readFileSync('docs/TROUBLESHOOTING.md', 'utf8')
  const paragraphs = [...page.matchAll(/^### (\w+)$/gm)].map(([, reason]) => reason)
  const wanted = (Object.keys(reasons) as Reason[]).filter(needsSomebody)
  expect(paragraphs.toSorted()).toEqual(wanted.toSorted())
  for (const reason of wanted) {
    expect(page).toContain(reasons[reason].means)
    expect(page).toContain(reasons[reason].doThis)
  }
  // Everything that is False, but for what is as it was asked for.
  const quiet = (Object.keys(reasons) as Reason[]).filter(
    (reason) => reasons[reason].status === 'False' && !needsSomebody(reason),
  )
  expect(quiet.toSorted()).toEqual(['ManagementManaged', 'NothingRisky', 'RolloutComplete'])
})
