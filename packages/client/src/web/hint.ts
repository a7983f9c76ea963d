/**
 * A hint that this browser had an identity, kept apart from it: browsers throw away a site's
 * database when room is short, and `localStorage` mostly stays. So the page can say "this browser
 * has no key for +44… any more" instead of greeting a stranger.
 *
 * Not in a cookie: that would travel with every request.
 */

export interface HomeHint {
  readonly phone: string
  readonly server: string
  /** Milliseconds since 1970. */
  readonly since: number
}

export function writeHint(name: string, hint: HomeHint): void {
  try {
    localStorage.setItem(key(name), JSON.stringify(hint))
  } catch {
    // Storage that is full or forbidden: a hint is not worth failing for.
  }
}

export function readHint(name: string): HomeHint | undefined {
  try {
    const hint = JSON.parse(localStorage.getItem(key(name)) ?? 'null') as Partial<HomeHint> | null
    const { phone, server, since } = hint ?? {}
    if (typeof phone !== 'string' || typeof server !== 'string') return undefined
    return { phone, server, since: typeof since === 'number' ? since : 0 }
  } catch {
    return undefined
  }
}

export function deleteHint(name: string): void {
  try {
    localStorage.removeItem(key(name))
  } catch {
    // As above.
  }
}

function key(name: string): string {
  return `${name}.registered`
}
