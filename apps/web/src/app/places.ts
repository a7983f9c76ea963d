/**
 * Where in the client a person is. Places live in the browser's history, so that its back button and
 * gestures work, but not in addresses: the address bar, a synchronised history and a server that is
 * asked for a page again never learn with whom somebody talks.
 */
import { useSyncExternalStore } from 'react'

export type Place =
  | { readonly kind: 'chats' }
  /** `at`: a message to begin at. */
  | { readonly kind: 'chat'; readonly peer: string; readonly at?: string }
  | { readonly kind: 'requests' }
  | { readonly kind: 'verify'; readonly peer: string }
  | { readonly kind: 'settings'; readonly section?: string }

interface Entry {
  readonly place: Place
  /** How many of our own entries lie before this one. */
  readonly depth: number
}

const START: Entry = { place: { kind: 'chats' }, depth: 0 }
const listeners = new Set<() => void>()
let current: Entry = readEntry()

export function currentPlace(): Place {
  return current.place
}

export function go(place: Place, { replace = false }: { readonly replace?: boolean } = {}): void {
  const depth = replace ? current.depth : current.depth + 1
  current = { place, depth }
  if (replace) history.replaceState(current, '')
  else history.pushState(current, '')
  tellAll()
}

/** Back to where one came from; to the list when that was outside of the client. */
export function goBack(): void {
  if (current.depth > 0) history.back()
  else go(START.place, { replace: true })
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, currentPlace)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function tellAll(): void {
  for (const listener of listeners) listener()
}

function readEntry(): Entry {
  const state = history.state as Partial<Entry> | null
  return state?.place && typeof state.depth === 'number' ? (state as Entry) : START
}

addEventListener('popstate', () => {
  current = readEntry()
  tellAll()
})
