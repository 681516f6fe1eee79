// Stream tokens as Synapse writes them: one number for each kind of news. It takes shorter ones and ones from the future
// without a word, and refuses what has another form; so does this.

export type Token = {
  readonly events: number
  readonly presence: number
  readonly typing: number
  readonly deviceLists: number
}

// The places of our four kinds among the eleven of a real token.
const places = { events: 0, presence: 1, typing: 3, deviceLists: 7 }
const fieldsMax = 11

export function formatToken(token: Token): string {
  const fields = Array<number>(fieldsMax).fill(0)
  for (const kind of ['events', 'presence', 'typing', 'deviceLists'] as const) fields[places[kind]] = token[kind]
  return `s${fields.join('_')}`
}

export function parseToken(text: string): Token | undefined {
  if (!/^s\d+(?:_\d+)*$/.test(text)) return undefined
  const fields = text.slice(1).split('_').map(Number)
  if (fields.length > fieldsMax) return undefined
  return {
    events: fields[places.events] ?? 0,
    presence: fields[places.presence] ?? 0,
    typing: fields[places.typing] ?? 0,
    deviceLists: fields[places.deviceLists] ?? 0,
  }
}
