/**
 * Choices that concern this browser and nobody's messages: how the client looks and speaks. They lie
 * in `localStorage`, since they are needed before a home is open.
 */
import { create } from 'zustand'

export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark'
  /** A tag of LANGUAGES, or `system`. */
  readonly language: string
  readonly enterSends: boolean
  readonly notify: boolean
  /** Width of the list of chats, in pixels. */
  readonly listWidth: number
}

interface PreferencesStore extends Preferences {
  readonly change: (change: Partial<Preferences>) => void
}

export const LIST_WIDTH = { least: 260, usual: 320, most: 420 } as const

const DEFAULTS: Preferences = {
  theme: 'system',
  language: 'system',
  enterSends: true,
  notify: false,
  listWidth: LIST_WIDTH.usual,
}
const NAME = 'couplet.preferences'

export const usePreferences = create<PreferencesStore>()((set, get) => ({
  ...DEFAULTS,
  ...stored(),
  change: (change) => {
    set(change)
    const { change: _change, ...all } = get()
    try {
      localStorage.setItem(NAME, JSON.stringify(all))
    } catch {
      // Storage that is full or forbidden: the choice holds until the page is closed.
    }
  },
}))

function stored(): Partial<Preferences> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(NAME) ?? '{}')
    if (typeof found !== 'object' || found === null) return {}
    const entries = Object.entries(DEFAULTS).map(([key, usual]) => {
      const value = (found as Record<string, unknown>)[key]
      return [key, typeof value === typeof usual ? value : usual]
    })
    return Object.fromEntries(entries) as Preferences
  } catch {
    return {}
  }
}
