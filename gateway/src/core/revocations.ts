// Tokens that no longer count though their time is not over: one a line, by the subject or by the id of the token.
//
//   # whoever logged out            sub: everybody with this `sub`        jti: this one token
//   sub:alice
//   jti:0b52-41
//
// A list that cannot be read whole is refused whole: half a list would let somebody in.
export type Holder = { readonly subject?: string; readonly tokenId?: string }

export type Revocations = { readonly subjects: ReadonlySet<string>; readonly tokenIds: ReadonlySet<string> }

export const noRevocations: Revocations = { subjects: new Set(), tokenIds: new Set() }

export type ReadRevocations =
  { readonly ok: true; readonly value: Revocations } | { readonly ok: false; readonly problem: string }

// Tokens live for hours; what was revoked for longer than that may be taken off the list.
const entriesMax = 100_000

export function readRevocations(text: string): ReadRevocations {
  const [subjects, tokenIds] = [new Set<string>(), new Set<string>()]
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.trim()
    if (entry === '' || entry.startsWith('#')) continue
    const [, kind, name] = /^(sub|jti):\s*(\S.*)$/.exec(entry) ?? []
    // Without what stands there: a token may have been put into it by mistake.
    if (name === undefined) return { ok: false, problem: `line ${index + 1} is neither sub:… nor jti:…` }
    ;(kind === 'sub' ? subjects : tokenIds).add(name)
    if (subjects.size + tokenIds.size > entriesMax) return { ok: false, problem: `more than ${entriesMax} entries` }
  }
  return { ok: true, value: { subjects, tokenIds } }
}

export const isRevoked = ({ subjects, tokenIds }: Revocations, { subject, tokenId }: Holder): boolean =>
  (subject !== undefined && subjects.has(subject)) || (tokenId !== undefined && tokenIds.has(tokenId))
