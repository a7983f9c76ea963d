/**
 * Puts whose outcome is not known yet, and what happened to their envelopes meanwhile.
 *
 * Outcomes, notices and room come from different operations of one commit. Whatever happens to an
 * envelope before its put has been answered becomes part of that answer, so that nobody is told
 * that an envelope left before being told that it was there.
 */
import { type PutOutcome, sameBytes } from '@couplet/wire'
import { type IdEntry, IdTable } from './id-table.ts'
import type { End } from './mailbox.ts'

export interface OpenPut extends IdEntry<OpenPut> {
  readonly mailbox: OpenMailbox
  readonly sender: Uint8Array
  /** How the envelope ended while its put was open. */
  end: End | undefined
  /** How often room was told in this mailbox when the put began. */
  readonly roomTold: number
}

interface OpenMailbox extends IdEntry<OpenMailbox> {
  roomTold: number
  /** Puts that are open. */
  count: number
}

export class OpenPuts {
  readonly #mailboxes = new IdTable<OpenMailbox>()
  /** Of one envelope, to several recipients perhaps. A repeated put has an entry of its own. */
  readonly #puts = new IdTable<OpenPut>()

  begin(recipient: Uint8Array, id: Uint8Array, sender: Uint8Array): OpenPut {
    let mailbox = this.#mailboxes.find(recipient)
    if (!mailbox) {
      mailbox = { id: recipient, roomTold: 0, count: 0, chained: undefined }
      this.#mailboxes.add(mailbox)
    }
    mailbox.count++
    const { roomTold } = mailbox
    const put: OpenPut = { id, mailbox, sender, end: undefined, roomTold, chained: undefined }
    this.#puts.add(put)
    return put
  }

  /** An envelope of `sender` came to an end. Answers whether a put is open that will say so. */
  ended(recipient: Uint8Array, id: Uint8Array, sender: Uint8Array, end: End): boolean {
    let told = false
    for (let put = this.#puts.find(id); put; put = this.#puts.findOlder(put)) {
      if (!sameBytes(put.mailbox.id, recipient) || !sameBytes(put.sender, sender)) continue
      put.end = end
      told = true
    }
    return told
  }

  roomTold(recipient: Uint8Array): void {
    const mailbox = this.#mailboxes.find(recipient)
    if (mailbox) mailbox.roomTold++
  }

  /** The store has answered. `roomSince`: room was told to others while this put was open. */
  finish(put: OpenPut): { readonly end: End | undefined; readonly roomSince: boolean } {
    const { mailbox, end } = put
    this.#puts.remove(put)
    if (--mailbox.count === 0) this.#mailboxes.remove(mailbox)
    return { end, roomSince: mailbox.roomTold > put.roomTold }
  }
}

/** Whether a put's outcome says how the envelope ended. */
export function isEnd(outcome: PutOutcome): outcome is End {
  return outcome.kind !== 'stored' && outcome.kind !== 'duplicate' && outcome.kind !== 'full'
}
