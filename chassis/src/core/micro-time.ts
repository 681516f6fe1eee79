// The time stamp of a Lease: RFC 3339 with exactly six digits. Three, as a Date prints them, are refused by the API server
// with a 400, and a pod that meets this leads never and says so nowhere.

/** Milliseconds since 1970. What no calendar holds is the epoch: a stamp is for people, nothing is decided by it. */
export function microTime(wallMs: number): string {
  const wholeMs = Math.floor(wallMs)
  const isDate = wholeMs >= 0 && wholeMs <= dateMsMax
  const micros = isDate ? Math.floor((wallMs - wholeMs) * 1000) : 0
  return new Date(isDate ? wholeMs : 0).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`)
}

// The year 9999: beyond it a year has more than four digits, which RFC 3339 does not know.
const dateMsMax = Date.UTC(9999, 11, 31)
