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
  readonly sender: Uint8Array
  /** How the envelope ended while its put was open. */
  end?: End
  /** How often room was told in this mailbox when the put began. */
  readonly roomTold: number
}

interface OpenMailbox {
  roomTold: number
  count: number
  /** By id. A repeated put has an entry of its own. */
  readonly puts: Map<string, Set<OpenPut>>
}

export class OpenPuts {
  readonly #mailboxes = new Map<string, OpenMailbox>()

  begin(recipientKey: string, idKey: string, sender: Uint8Array): OpenPut {
    let mailbox = this.#mailboxes.get(recipientKey)
    if (!mailbox) {
      mailbox = { roomTold: 0, count: 0, puts: new Map() }
      this.#mailboxes.set(recipientKey, mailbox)
    }
    const put: OpenPut = { sender, roomTold: mailbox.roomTold }
    const same = mailbox.puts.get(idKey)
    if (same) same.add(put)
    else mailbox.puts.set(idKey, new Set([put]))
    mailbox.count++
    return put
  }

  /** An envelope of `sender` came to an end. Answers whether a put is open that will say so. */
  ended(recipientKey: string, idKey: string, sender: Uint8Array, end: End): boolean {
    let told = false
    for (const put of this.#mailboxes.get(recipientKey)?.puts.get(idKey) ?? []) {
      if (!equalBytes(put.sender, sender)) continue
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
    recipientKey: string,
    idKey: string,
    put: OpenPut,
  ): { readonly end: End | undefined; readonly roomSince: boolean } {
    const mailbox = this.#mailboxes.get(recipientKey)!
    const roomSince = mailbox.roomTold > put.roomTold
    const same = mailbox.puts.get(idKey)!
    same.delete(put)
    if (same.size === 0) mailbox.puts.delete(idKey)
    if (--mailbox.count === 0) this.#mailboxes.delete(recipientKey)
    return { end: put.end, roomSince }
  }
}

/** Whether a put's outcome says how the envelope ended. */
export function isEnd(outcome: PutOutcome): outcome is End {
  return outcome.kind !== 'stored' && outcome.kind !== 'duplicate' && outcome.kind !== 'full'
}
