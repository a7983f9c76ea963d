/** Search on this device: names, numbers, and every message. Nothing leaves it. */
import { type AnyMessage, splitQuote } from './chat.ts'
import { requireCouplet, useMessenger } from './messenger.ts'

export interface Hit {
  readonly peer: string
  readonly message: AnyMessage
  /** Around the first match: before, the match, after. */
  readonly excerpt: readonly [before: string, match: string, after: string]
}

export interface Found {
  readonly people: readonly string[]
  readonly messages: readonly Hit[]
  /** Whether everything was looked through. */
  readonly isDone: boolean
}

/**
 * What one search after the other looks through, while somebody types: read once, and forgotten with
 * the search field, so that nothing outlives its place in the store for long.
 */
export class Searcher {
  readonly #texts = new Map<string, readonly Searchable[]>()

  /**
   * Shows what it finds as it finds it: people at once, then messages, newest conversations first.
   * Stops when `signal` says so: somebody types on.
   */
  async find(query: string, signal: AbortSignal, show: (found: Found) => void): Promise<void> {
    const wanted = folded(query)
    const people = peopleFor(query, wanted)
    const messages: Hit[] = []
    if (people.length > 0) show({ people, messages, isDone: false })
    for (const { contact } of useMessenger.getState().conversations) {
      const before = messages.length
      for (const { message, text, plain } of await this.#textsOf(contact.phone)) {
        if (messages.length >= MOST_HITS) break
        const excerpt = excerptOf(text, plain, wanted)
        if (excerpt && !isOver(message)) {
          messages.push({ peer: contact.phone, message, excerpt })
        }
      }
      if (signal.aborted) return
      if (messages.length >= MOST_HITS) break
      if (messages.length > before) show({ people, messages: newestFirst(messages), isDone: false })
    }
    show({ people, messages: newestFirst(messages), isDone: true })
  }

  async #textsOf(peer: string): Promise<readonly Searchable[]> {
    const known = this.#texts.get(peer)
    if (known) return known
    const history = await requireCouplet().history(peer, { limit: Number.MAX_SAFE_INTEGER })
    const texts = history.toReversed().map((message) => {
      const { text } = splitQuote(message.text)
      return { message, text, plain: folded(text) }
    })
    this.#texts.set(peer, texts)
    return texts
  }
}

interface Searchable {
  readonly message: AnyMessage
  readonly text: string
  /** Folded, for comparing. */
  readonly plain: string
}

function peopleFor(query: string, wanted: string): readonly string[] {
  const { conversations, contacts, people } = useMessenger.getState()
  const digits = query.replaceAll(/\D/g, '')
  const phones = [...new Set([...conversations.map((c) => c.contact.phone), ...contacts.keys()])]
  return phones.filter(
    (phone) =>
      folded(people[phone]?.name ?? '').includes(wanted) ||
      (digits.length >= 3 && phone.includes(digits)),
  )
}

function newestFirst(messages: readonly Hit[]): readonly Hit[] {
  return messages.toSorted((a, b) => b.message.sentAt - a.message.sentAt)
}

function isOver({ expiresAt }: AnyMessage): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now()
}

function excerptOf(text: string, plain: string, wanted: string): Hit['excerpt'] | undefined {
  const at = plain.indexOf(wanted)
  if (at === -1) return undefined
  const from = Math.max(0, at - BEFORE)
  return [
    (from > 0 ? '…' : '') + text.slice(from, at),
    text.slice(at, at + wanted.length),
    text.slice(at + wanted.length, at + AFTER),
  ]
}

/** Without regard to case and accents, and of the same length where letters have one form. */
function folded(text: string): string {
  if (/^[\x20-\x7e\n]*$/.test(text)) return text.toLowerCase()
  const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.length === text.length ? plain : text.toLowerCase()
}

const MOST_HITS = 100
const BEFORE = 24
const AFTER = 100
