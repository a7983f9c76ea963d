/**
 * Sees all ends, and knows what must hold. (delivery.md, "What must hold")
 *
 * Every message is known by its label, the first word of its text: `sender>recipient#number`.
 */
import type { Couplet, DeliveryState } from '@couplet/client'
import { openCouplet } from '@couplet/client/node'
import { labelOf, type Report } from './reports.ts'

export interface Verdict {
  readonly sent: number
  readonly delivered: number
  readonly lost: number
  readonly duplicated: number
  readonly evictions: number
  /** Messages shown once more after a crash in the very moment in which they were shown. */
  readonly shownAgain: number
  /** What must not have happened, in words. */
  readonly violations: readonly string[]
}

/** What one person was shown of one sender. */
interface Shown {
  readonly sequences: Set<number>
  readonly labels: Map<string, number>
}

export class Oracle {
  readonly #kept = new Set<string>()
  readonly #states = new Map<string, DeliveryState>()
  /** By recipient's number. */
  readonly #shown = new Map<string, Shown>()
  /** The last that each person was shown: a crash may come before that was noted. */
  readonly #lastShown = new Map<string, string>()
  /** What each person may be shown once more, because its process crashed just then. */
  readonly #mayRepeat = new Map<string, string>()
  readonly #violations: string[] = []
  #evictions = 0
  #shownAgain = 0
  #duplicated = 0

  get kept(): number {
    return this.#kept.size
  }

  get evictions(): number {
    return this.#evictions
  }

  violated(sentence: string): void {
    this.#violations.push(sentence)
  }

  heard(phone: string, report: Report): void {
    switch (report.kind) {
      case 'kept':
        this.#kept.add(report.label)
        break
      case 'state':
        this.#stateOf(report.id, report.state)
        break
      case 'shown':
        this.#show(phone, report)
        break
      case 'open':
      case 'warning':
      case 'refused':
      case 'counted':
      case 'closed':
    }
  }

  /** A process ended before it could note what it had just shown. */
  crashed(phone: string): void {
    const last = this.#lastShown.get(phone)
    if (last) this.#mayRepeat.set(phone, last)
  }

  #stateOf(id: string, state: DeliveryState): void {
    const before = this.#states.get(id)
    this.#states.set(id, state)
    // Fresh messages always find a place, so one that was stored and has none any more was evicted.
    if (before === 'sent' && state === 'waiting-for-room') this.#evictions++
    if (before === 'delivered' && state !== 'delivered') {
      this.violated(`${id} was delivered, and is ${state}`)
    }
    if (state === 'failed') this.violated(`${id} has failed`)
  }

  #show(phone: string, { from, label, sequence, missingBefore }: Report & { kind: 'shown' }): void {
    const key = `${from}>${phone}`
    const shown = this.#shown.get(key) ?? { sequences: new Set(), labels: new Map() }
    this.#shown.set(key, shown)
    this.#lastShown.set(phone, label)
    if (shown.labels.has(label)) {
      if (this.#mayRepeat.get(phone) === label) this.#shownAgain++
      else this.#twice(`${label} was shown twice`)
      this.#mayRepeat.delete(phone)
      return
    }
    shown.labels.set(label, sequence)
    const earlier = [...shown.sequences].filter((other) => other < sequence).length
    if (sequence - 1 - earlier !== missingBefore) {
      this.violated(
        `${label} was shown with ${missingBefore} missing before it, and ${sequence - 1 - earlier} are`,
      )
    }
    shown.sequences.add(sequence)
  }

  #twice(sentence: string): void {
    this.#duplicated++
    this.violated(sentence)
  }

  /** Reads every home, which nobody has open now, and compares the two ends of each conversation. */
  async judge(
    people: readonly { readonly phone: string; readonly home: string }[],
  ): Promise<Verdict> {
    const ends = new Map<string, Conversation>()
    for (const { phone, home } of people) {
      const couplet = await openCouplet({ home })
      for (const { phone: peer } of await couplet.contacts()) {
        ends.set(`${phone} ${peer}`, await conversationOf(couplet, peer))
      }
      await couplet.close()
    }
    let sent = 0
    let delivered = 0
    let lost = 0
    const found = new Set<string>()
    for (const [key, { outgoing }] of ends) {
      const [sender, recipient] = key.split(' ') as [string, string]
      const received = ends.get(`${recipient} ${sender}`)?.incoming ?? []
      sent += outgoing.length
      delivered += outgoing.filter(({ state }) => state === 'delivered').length
      lost += this.#compare(sender, recipient, outgoing, received)
      for (const { label } of outgoing) found.add(label)
    }
    for (const label of this.#kept) {
      if (found.has(label)) continue
      lost++
      sent++
      this.violated(`${label} was kept by its sender, and is gone`)
    }
    return {
      sent,
      delivered,
      lost,
      duplicated: this.#duplicated,
      evictions: this.#evictions,
      shownAgain: this.#shownAgain,
      violations: this.#violations,
    }
  }

  /** One direction of a conversation. Answers how many are lost. */
  #compare(
    sender: string,
    recipient: string,
    outgoing: Conversation['outgoing'],
    received: readonly string[],
  ): number {
    const key = `${sender}>${recipient}`
    const stored = new Set(received)
    for (const label of received.filter((one, i) => received.indexOf(one) !== i)) {
      this.#twice(`${label} is stored twice`)
    }
    const shown = this.#shown.get(key)?.labels
    let lost = 0
    for (const { label, state } of outgoing) {
      if (!stored.has(label)) {
        lost++
        this.violated(`${label} is ${state}, and its recipient does not have it`)
      } else if (state !== 'delivered') {
        this.violated(`${label} was received, and is ${state}`)
      }
      if (stored.has(label) && !shown?.has(label)) this.violated(`${label} was never shown`)
    }
    const order = outgoing.map(({ label }) => label).filter((label) => stored.has(label))
    if (order.join() !== [...stored].join()) {
      this.violated(`${key}: the recipient has them in another order than they were written`)
    }
    return lost
  }
}

interface Conversation {
  readonly outgoing: readonly { readonly label: string; readonly state: DeliveryState }[]
  readonly incoming: readonly string[]
}

async function conversationOf(couplet: Couplet, peer: string): Promise<Conversation> {
  const history = await couplet.history(peer, { limit: Number.MAX_SAFE_INTEGER })
  return {
    outgoing: history.flatMap((message) =>
      message.direction === 'outgoing'
        ? [{ label: labelOf(message.text), state: message.state }]
        : [],
    ),
    incoming: history.flatMap((message) =>
      message.direction === 'incoming' ? [labelOf(message.text)] : [],
    ),
  }
}
