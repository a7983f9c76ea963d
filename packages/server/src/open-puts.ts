/**
 * Puts whose outcome is not known yet, and what happened to their envelopes meanwhile.
 *
 * Outcomes, notices and room come from different operations of one commit. Whatever happens to an
 * envelope before its put has been answered becomes part of that answer, so that nobody is told
 * that an envelope left before being told that it was there.
 */
import { equalBytes, type PutOutcome } from '@couplet/wire'
import type { End } from './mailbox.ts'

export interface OpenPut {
  readonly recipientKey: string
  readonly sender: Uint8Array
  /** How the envelope ended while its put was open. */
  end?: End
  /** How often room was told in this mailbox when the put began. */
  readonly roomTold: number
}

interface OpenMailbox {
  roomTold: number
  /** Puts that are open. */
  count: number
}

export class OpenPuts {
  readonly #mailboxes = new Map<string, OpenMailbox>()
  /** By id: of one envelope, to several recipients perhaps. A repeated put has an entry of its own. */
  readonly #puts = new Map<string, OpenPut[]>()

  begin(recipientKey: string, idKey: string, sender: Uint8Array): OpenPut {
    let mailbox = this.#mailboxes.get(recipientKey)
    if (!mailbox) {
      mailbox = { roomTold: 0, count: 0 }
      this.#mailboxes.set(recipientKey, mailbox)
    }
    mailbox.count++
    const put: OpenPut = { recipientKey, sender, roomTold: mailbox.roomTold }
    const same = this.#puts.get(idKey)
    if (same) same.push(put)
    else this.#puts.set(idKey, [put])
    return put
  }

  /** An envelope of `sender` came to an end. Answers whether a put is open that will say so. */
  ended(recipientKey: string, idKey: string, sender: Uint8Array, end: End): boolean {
    let told = false
    for (const put of this.#puts.get(idKey) ?? []) {
      if (put.recipientKey !== recipientKey || !equalBytes(put.sender, sender)) continue
      put.end = end
      told = true
    }
    return told
  }

  roomTold(recipientKey: string): void {
    const mailbox = this.#mailboxes.get(recipientKey)
    if (mailbox) mailbox.roomTold++
  }

  /** The store has answered. `roomSince`: room was told to others while this put was open. */
  finish(
    idKey: string,
    put: OpenPut,
  ): { readonly end: End | undefined; readonly roomSince: boolean } {
    const mailbox = this.#mailboxes.get(put.recipientKey)!
    const roomSince = mailbox.roomTold > put.roomTold
    const same = this.#puts.get(idKey)!
    if (same.length === 1) this.#puts.delete(idKey)
    else same.splice(same.indexOf(put), 1)
    if (--mailbox.count === 0) this.#mailboxes.delete(put.recipientKey)
    return { end: put.end, roomSince }
  }
}

/** Whether a put's outcome says how the envelope ended. */
export function isEnd(outcome: PutOutcome): outcome is End {
  return outcome.kind !== 'stored' && outcome.kind !== 'duplicate' && outcome.kind !== 'full'
}
