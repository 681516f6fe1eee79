// A short text that changes with a value: by it an object carries what was wanted when it was applied last. Two values that differ
// only in the order of keys have the same one. It tells change from change and protects nothing: 64 bits, no secret.

/** JSON with the keys in order, and without what is undefined. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
    return `{${fields.join(',')}}`
  }
  return value === undefined ? 'null' : JSON.stringify(value)
}

// FNV-1a over UTF-16 units, twice with different beginnings: one of 32 bits would meet its like among a thousand cities.
const prime = 0x01000193
const beginnings = [0x811c9dc5, 0x2f0b4c47] as const

export function fingerprint(value: unknown): string {
  const text = canonical(value)
  return beginnings
    .map((beginning) => {
      let sum: number = beginning
      for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), prime)
      // The low bits of a product depend on low bits alone: mixed once more.
      sum = Math.imul(sum ^ (sum >>> 15), 0x2c1b3c6d)
      return (sum ^ (sum >>> 13)) >>> 0
    })
    .map((sum) => sum.toString(16).padStart(8, '0'))
    .join('')
}
