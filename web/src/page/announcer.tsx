// Tells a screen reader about the city, calmly: the first summary, then at most one a minute and only when it differs.
import { useEffect, useRef, useState } from 'react'

// A minute: a summary takes some six seconds to be read out, and nobody wants it more often than a tenth of their time.
const announceEveryMs = 60_000

export function Announcer({ text }: { readonly text: string }) {
  const [said, setSaid] = useState('')
  const newest = useRef(text)
  useEffect(() => {
    newest.current = text
    if (text !== '') setSaid((before) => (before === '' ? text : before))
  }, [text])
  useEffect(() => {
    const timer = setInterval(() => {
      if (newest.current !== '') setSaid(newest.current)
    }, announceEveryMs)
    return () => clearInterval(timer)
  }, [])
  return (
    <p className="unseen" aria-live="polite">
      {said}
    </p>
  )
}
