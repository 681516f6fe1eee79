// One connected browser, as the loop sees it: its session and the outlet through which bytes reach it.
import type { CloseCode } from '@citypresence/wire/client-messages'
import type { Holder } from './revocations.ts'
import type { Session } from './session.ts'

export interface Outlet {
  /** Bytes handed over that the system has not taken yet. */
  readonly pendingBytes: number
  /** The bytes are shared with every other reader and never written to. */
  send(bytes: Buffer): void
  close(code: CloseCode): void
}

export type Client = {
  readonly outlet: Outlet
  session: Session
  /** Whose token it came with. */
  readonly holder?: Holder | undefined
}
