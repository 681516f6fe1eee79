// What an alert is made of. Its page for whoever is woken by it is printed from the same lines (runbooks.ts), so that no alert is
// without one and none speaks of something else.
export type Severity =
  /** Somebody is woken: browsers see something else than the live truth, or soon will. */
  | 'critical'
  /** Somebody looks during the day. */
  | 'warning'

export type Alert = {
  /** In the order of a sentence; always begins with CityPresence, so that a list sorts it together. */
  readonly name: string
  readonly severity: Severity
  readonly expr: string
  /** How long it has to hold. Longer than any takeover, restart or rollout takes, unless said otherwise. */
  readonly for: string
  /** One line for a telephone; may hold Prometheus' own templates. */
  readonly summary: string
  /** What people in front of browsers see meanwhile. */
  readonly seen: string
  /** Why it happens, the likeliest first. */
  readonly causes: readonly string[]
  /** What to look at and to do, in this order. */
  readonly steps: readonly string[]
}
