// What a history was found guilty of.

/** The invariants of the threat table that a recording of messages, frames and processes can show. */
export type Invariant =
  | 'INV-01'
  | 'INV-02'
  | 'INV-03'
  | 'INV-04'
  | 'INV-05'
  | 'INV-06'
  | 'INV-07'
  | 'INV-08'
  | 'INV-13'
  | 'INV-14'
  | 'INV-15'
  | 'INV-20'

export type Violation = { readonly invariant: Invariant; readonly atMs: number; readonly text: string }
