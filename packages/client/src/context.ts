/** What the parts of one client share. */
import type { MessageEntropy, OwnIdentity } from '@couplet/protocol'
import type { Bytes } from '@couplet/wire'
import type { Warning } from './api.ts'
import type { Followed } from './followed-number.ts'
import type { Platform } from './platform.ts'
import type { RequestSigner, ServerApi, Store } from './ports.ts'
import type { ContactRecord, OutgoingRecord } from './records.ts'

export interface Context {
  readonly store: Store
  readonly platform: Platform
  readonly api: ServerApi
  readonly self: OwnIdentity
  readonly signer: RequestSigner
  readonly tell: Tell
}

/** Called after the transaction that made it true. */
export interface Tell {
  /** An outgoing message changed its state. */
  status(contact: ContactRecord, message: OutgoingRecord): void
  /** There may be something new to read of this contact. */
  received(contact: ContactRecord): void
  warning(kind: Warning['kind'], contact: ContactRecord): void
  /** A contact has another number, and what waits for it goes there. */
  followed(followed: Followed): void
  /** Somebody unknown wrote and waits to be accepted. */
  request(contact: ContactRecord): void
  /** A message was deleted because its time was over. */
  expired(contact: ContactRecord, messageId: string): void
  /** Something failed on this device (a full disk, damaged data): nothing can be promised any more. */
  broken(error: unknown): void
}

/**
 * Fresh secrets for one message, drawn at once: the draw costs more than the bytes. `drawn` holds all
 * of them, for the caller to wipe.
 */
export function messageEntropy({ random }: Platform): MessageEntropy & { readonly drawn: Bytes } {
  const drawn = random(128)
  return {
    drawn,
    headerIv: drawn.subarray(0, 16),
    contentIv: drawn.subarray(16, 32),
    ratchetSeed: drawn.subarray(32, 64),
    kemSeed: drawn.subarray(64, 128),
  }
}
