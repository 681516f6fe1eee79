// The life of one connection:
//
//   awaiting-token --token accepted--> live --expired, revoked, message, not reading, restart--> closing --> gone
//         '------ refused, too late ----------------------------------------------------'
//
// Each state holds only what it has: a deadline and no reader before the token, a reader and an end after it. Times are those of
// the monotonic clock: a wall clock that jumps must not end a thousand sessions.
import { closeCodes, pingText, type CloseCode } from '@citypresence/wire/client-messages'
import type { Reader } from './reader.ts'

export type Session =
  | { readonly kind: 'awaiting-token'; readonly deadlineMs: number }
  | { readonly kind: 'live'; readonly reader: Reader; readonly expiresAtMs: number }
  | { readonly kind: 'closing' }
export type LiveSession = Extract<Session, { kind: 'live' }>

export type SessionEvent =
  | { readonly kind: 'token-accepted'; readonly reader: Reader; readonly expiresAtMs: number }
  | { readonly kind: 'time' }
  /** Undefined for a binary message. */
  | { readonly kind: 'message'; readonly text: string | undefined }
  | { readonly kind: 'not-reading' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'restarting' }

export type SessionEffect =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'join' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'close'; readonly code: CloseCode }

export type SessionStep = { readonly session: Session; readonly effect: SessionEffect }

/** Verifying takes microseconds, or one fetch of the keys (5 s at most); whoever takes longer has lost interest. */
const tokenDeadlineMs = 10_000

export const awaitToken = (nowMs: number): Session => ({ kind: 'awaiting-token', deadlineMs: nowMs + tokenDeadlineMs })

const closing: Session = { kind: 'closing' }
const nothing: SessionEffect = { kind: 'nothing' }
const pong: SessionEffect = { kind: 'pong' }

export function step(session: Session, event: SessionEvent, nowMs: number): SessionStep {
  switch (session.kind) {
    case 'awaiting-token':
      return stepAwaiting(session, event, nowMs)
    case 'live':
      return stepLive(session, event, nowMs)
    case 'closing':
      return { session, effect: nothing }
  }
}

function stepAwaiting(
  session: Extract<Session, { kind: 'awaiting-token' }>,
  event: SessionEvent,
  nowMs: number,
): SessionStep {
  const late = nowMs >= session.deadlineMs
  if (event.kind === 'restarting' || late) return { session: closing, effect: { kind: 'refuse' } }
  if (event.kind !== 'token-accepted') return { session, effect: nothing }
  // It may have run out while the keys were fetched.
  if (event.expiresAtMs <= nowMs) return { session: closing, effect: { kind: 'refuse' } }
  return {
    session: { kind: 'live', reader: event.reader, expiresAtMs: event.expiresAtMs },
    effect: { kind: 'join' },
  }
}

function stepLive(session: LiveSession, event: SessionEvent, nowMs: number): SessionStep {
  // Before anything else: not one byte after the token's end.
  if (isExpired(session, nowMs)) return close(closeCodes.tokenExpired)
  switch (event.kind) {
    case 'message':
      return event.text === pingText ? { session, effect: pong } : close(closeCodes.unexpectedMessage)
    case 'not-reading':
      return close(closeCodes.notReading)
    case 'revoked':
      return close(closeCodes.forbidden)
    case 'restarting':
      return close(closeCodes.restarting)
    case 'time':
    case 'token-accepted':
      return { session, effect: nothing }
  }
}

const close = (code: CloseCode): SessionStep => ({ session: closing, effect: { kind: 'close', code } })

export const isExpired = (session: LiveSession, nowMs: number): boolean => nowMs >= session.expiresAtMs
