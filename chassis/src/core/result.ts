// The answer of everything that can refuse: a value, or a sentence that says what is wrong with the input.
// Pure. No exceptions on this road: a caller that has many inputs wants all refusals, not the first.

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

export const accept = <T>(value: T): Result<T> => ({ ok: true, value })

export const refuse = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem })
