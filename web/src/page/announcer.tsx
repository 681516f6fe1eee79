// Tells a screen reader about the city, calmly: the first summary, then at most one a minute and only when it differs.
import { useEffect, useRef, useState } from 'react'

// A minute: a summary takes some six seconds to be read out, and nobody wants it more often than a tenth of their time.
const announceEveryMs = 60_000
// Long enough to be read out; after that, whoever walks through the page should not find what held a minute ago.
const forgetAfterMs = 10_000

export function Announcer({ text }: { readonly text: string }) {
  return (
    <p className="unseen" aria-live="polite">
      {useCalmly(text)}
    </p>
  )
}

function useCalmly(text: string): string {
  const [said, setSaid] = useState('')
  const newest = useRef(text)
  const last = useRef('')
  useEffect(() => {
    newest.current = text
    if (last.current === '') setSaid((last.current = text))
  }, [text])
  useEffect(() => {
    const timer = setInterval(() => {
      if (newest.current !== '' && newest.current !== last.current) setSaid((last.current = newest.current))
    }, announceEveryMs)
    return () => clearInterval(timer)
  }, [])
  useEffect(() => {
    if (said === '') return undefined
    const timer = setTimeout(() => setSaid(''), forgetAfterMs)
    return () => clearTimeout(timer)
  }, [said])
  return said
}
