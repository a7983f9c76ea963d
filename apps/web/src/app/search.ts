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
}

/** Stops early when `signal` says so: somebody types on. */
export async function search(query: string, signal: AbortSignal): Promise<Found> {
  const couplet = requireCouplet()
  const { conversations, contacts, people } = useMessenger.getState()
  const wanted = folded(query)
  const digits = query.replaceAll(/\D/g, '')
  const phones = [...new Set([...conversations.map((c) => c.contact.phone), ...contacts.keys()])]
  const matching = phones.filter(
    (phone) =>
      folded(people[phone]?.name ?? '').includes(wanted) ||
      (digits.length >= 3 && phone.includes(digits)),
  )
  const messages: Hit[] = []
  for (const { contact } of conversations) {
    if (signal.aborted || messages.length >= MOST_HITS) break
    const history = await couplet.history(contact.phone, { limit: Number.MAX_SAFE_INTEGER })
    for (const message of history.toReversed()) {
      const excerpt = excerptOf(splitQuote(message.text).text, wanted)
      if (excerpt) messages.push({ peer: contact.phone, message, excerpt })
      if (messages.length >= MOST_HITS) break
    }
  }
  messages.sort((a, b) => b.message.sentAt - a.message.sentAt)
  return { people: matching, messages }
}

function excerptOf(text: string, wanted: string): Hit['excerpt'] | undefined {
  const at = folded(text).indexOf(wanted)
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
  const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.length === text.length ? plain : text.toLowerCase()
}

const MOST_HITS = 100
const BEFORE = 24
const AFTER = 100
