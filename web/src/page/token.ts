// Where the page's token comes from: the address's fragment, which no server and no log ever sees.
//
//   /city#token=<jwt>  --> taken out of the address bar, kept for this tab --> a reload still works
//
// It leaves the address bar so that a copied address, a bookmark or the history does not hand the session to somebody else. It
// stays in sessionStorage because that ends with the tab and is read by this origin alone; where storage is refused (private
// modes) it lives in memory, and only a reload loses it.
const storageKey = 'city-presence.token'

let remembered = ''

/** The token of this tab, or nothing. A token in the address wins over one from before. */
export function takeToken(): string {
  const fresh = new URLSearchParams(location.hash.slice(1)).get('token')
  if (fresh === null) return remembered || stored()
  history.replaceState(history.state, '', location.pathname + location.search)
  remembered = fresh
  store(fresh)
  return fresh
}

function stored(): string {
  try {
    return sessionStorage.getItem(storageKey) ?? ''
  } catch {
    return ''
  }
}

function store(token: string): void {
  try {
    sessionStorage.setItem(storageKey, token)
  } catch {
    // Kept in memory alone.
  }
}
