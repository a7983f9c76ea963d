/** Errors of the protocol: few codes, each one something that a caller treats differently. (spec/errors.md) */

/** Who is to blame: the other side, this program's use of the library, or the stored state. */
export type Fault = 'peer' | 'caller' | 'state'

export type ProtocolErrorCode =
  /** Not of the form that the specification gives. */
  | 'malformed'
  /** A public key that must not be used: weak, non-canonical, of the wrong size. */
  | 'invalid-key'
  /** A signature that does not verify under the key it must. */
  | 'invalid-signature'
  /** Authentication failed. One code for every cause. */
  | 'undecryptable'
  /** More than MAX_FORWARD_JUMP messages are missing before this one. */
  | 'too-far'
  /** Prekeys past their `notAfter`. */
  | 'expired-prekeys'
  /** Prekeys older than ones that this contact has shown before. */
  | 'stale-prekeys'
  /** The chain is MAX_UNRECEIPTED messages ahead of its last receipt: wait for one. */
  | 'chain-exhausted'
  /** The content does not fit the largest envelope. */
  | 'content-too-large'
  /** Stored state that this version cannot read. */
  | 'unreadable-state'

const FAULTS: Record<ProtocolErrorCode, Fault> = {
  malformed: 'peer',
  'invalid-key': 'peer',
  'invalid-signature': 'peer',
  undecryptable: 'peer',
  'too-far': 'peer',
  'expired-prekeys': 'peer',
  'stale-prekeys': 'peer',
  'chain-exhausted': 'caller',
  'content-too-large': 'caller',
  'unreadable-state': 'state',
}

/** Every code, for the comparison with spec/errors.md. */
export const PROTOCOL_ERROR_CODES: readonly ProtocolErrorCode[] = Object.keys(
  FAULTS,
) as ProtocolErrorCode[]

/** A step that throws this has changed nothing. Messages hold no keys, plaintext, numbers or ids. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode
  readonly fault: Fault

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.fault = FAULTS[code]
  }
}
