// Who holds which token, and what became of it: a homeserver double can take a session away in every way a real one does.
import { refuse } from './reply.ts'

export type Account = { readonly userId: string; readonly accessToken: string }

/**
 * `soft`: expired, may be refreshed or logged in again. `unknown`: gone for good. `locked`: the person may not use the server
 * for now. `suspended`: may read, but neither join nor write.
 */
export type SessionState = 'live' | 'soft' | 'unknown' | 'locked' | 'suspended'

export type Session = Account & { state: SessionState }

export type Accounts = {
  add(userId: string): Account
  /** For all sessions of a person. */
  set(userId: string, state: SessionState): void
  /** Logs one session out. */
  end(accessToken: string): void
  /** The session that a request speaks for, or the refusal that a real server gives. */
  authenticate(authorization: string | undefined): Session
}

export function createAccounts(): Accounts {
  const sessions = new Map<string, Session>()
  let given = 0
  return {
    add(userId) {
      const accessToken = `token_${++given}_of_${userId.replace(/[^a-z0-9]/gi, '_')}`
      sessions.set(accessToken, { userId, accessToken, state: 'live' })
      return { userId, accessToken }
    },
    set(userId, state) {
      for (const session of sessions.values()) if (session.userId === userId) session.state = state
    },
    end(accessToken) {
      sessions.delete(accessToken)
    },
    authenticate(authorization) {
      if (authorization === undefined) return refuse(401, 'M_MISSING_TOKEN', 'Missing access token')
      const session = sessions.get(authorization.replace(/^Bearer /, ''))
      if (session === undefined || session.state === 'unknown')
        return refuse(401, 'M_UNKNOWN_TOKEN', 'Invalid access token passed.', { soft_logout: false })
      if (session.state === 'soft')
        return refuse(401, 'M_UNKNOWN_TOKEN', 'Access token has expired', { soft_logout: true })
      if (session.state === 'locked')
        return refuse(401, 'M_USER_LOCKED', 'User account has been locked', { soft_logout: true })
      return session
    },
  }
}
