// One more browser that shows nothing and only notes when and how its connection ends.
export type Guest = {
  /** Undefined while it is connected; times from the moment it asked to be. */
  closed(): { readonly code: number; readonly afterMs: number } | undefined
}

export function openGuest(url: string, token: string): Guest {
  const beganAtMs = performance.now()
  let ended: { code: number; afterMs: number } | undefined
  const socket = new WebSocket(`${url}?token=${encodeURIComponent(token)}`)
  socket.addEventListener('error', () => undefined) // a close follows
  socket.addEventListener('close', ({ code }) => (ended = { code, afterMs: performance.now() - beganAtMs }))
  return { closed: () => ended }
}
