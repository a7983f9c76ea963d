/** Keys that work everywhere in the client. */
import { useEffect, useRef } from 'react'
import { useMessenger } from './messenger.ts'
import { currentPlace, go } from './places.ts'

export interface ShortcutActions {
  readonly new: () => void
  readonly search: () => void
  readonly next: () => void
  readonly previous: () => void
  readonly settings: () => void
  readonly help: () => void
  readonly escape: () => void
}

export const SHORTCUTS: readonly {
  readonly action: keyof ShortcutActions
  /** As shown. */
  readonly keys: readonly string[]
  readonly matches: (event: KeyboardEvent) => boolean
}[] = [
  { action: 'new', keys: ['Alt', 'N'], matches: (e) => e.altKey && e.code === 'KeyN' },
  { action: 'search', keys: ['Ctrl', 'K'], matches: (e) => isCommand(e) && e.code === 'KeyK' },
  { action: 'next', keys: ['Alt', '↓'], matches: (e) => e.altKey && e.key === 'ArrowDown' },
  { action: 'previous', keys: ['Alt', '↑'], matches: (e) => e.altKey && e.key === 'ArrowUp' },
  { action: 'settings', keys: ['Ctrl', ','], matches: (e) => isCommand(e) && e.key === ',' },
  { action: 'help', keys: ['?'], matches: (e) => e.key === '?' && !isTyping(e) },
  { action: 'escape', keys: ['Esc'], matches: (e) => e.key === 'Escape' },
]

export function useShortcuts(actions: ShortcutActions): void {
  const latest = useRef(actions)
  useEffect(() => {
    latest.current = actions
  })
  useEffect(() => {
    // A dialog or menu takes its keys first, and may be gone when this one's turn has come.
    let isCovered = false
    const look = () => {
      isCovered = document.querySelector('[role="dialog"], [role="menu"]') !== null
    }
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || isCovered) return
      if (event.key === 'F6') {
        event.preventDefault()
        nextRegion(event.shiftKey ? -1 : 1)
        return
      }
      const found = SHORTCUTS.find(({ matches }) => matches(event))
      if (!found) return
      event.preventDefault()
      latest.current[found.action]()
    }
    addEventListener('keydown', look, true)
    addEventListener('keydown', listener)
    return () => {
      removeEventListener('keydown', look, true)
      removeEventListener('keydown', listener)
    }
  }, [])
}

/** The conversation below or above the one that is shown. */
export function nextChat(step: 1 | -1): void {
  const place = currentPlace()
  const peers = useMessenger.getState().conversations.map(({ contact }) => contact.phone)
  const at = place.kind === 'chat' ? peers.findIndex((peer) => String(peer) === place.peer) : -1
  const next = peers[at === -1 ? (step === 1 ? 0 : peers.length - 1) : at + step]
  if (next) go({ kind: 'chat', peer: next }, { replace: place.kind === 'chat' })
}

/** F6: list, messages, composer, and around. */
function nextRegion(step: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter(
    (region) => region.offsetParent !== null,
  )
  const at = regions.findIndex((region) => region.contains(document.activeElement))
  regions.at((at + step + regions.length) % Math.max(1, regions.length))?.focus()
}

function isCommand(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey
}

function isTyping({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}
