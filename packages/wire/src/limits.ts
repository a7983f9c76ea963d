/** Limits that the specification sets, and both sides keep. (spec/conventions.md, "Limits") */

/** Smallest envelope: 1 KiB. Every envelope is a power of two. */
export const MIN_ENVELOPE_BYTES = 1024
/** Largest envelope: 64 KiB. */
export const MAX_ENVELOPE_BYTES = 65_536
/** Messages that a mailbox holds unless its operator says otherwise. */
export const DEFAULT_MAILBOX_CAPACITY = 2
/** Largest frame on the socket: an envelope and the fields before it. */
export const MAX_FRAME_BYTES: number = MAX_ENVELOPE_BYTES + 256
/** Ids in one status question. */
export const MAX_STATUS_IDS = 256
/** Largest body of an HTTP request. */
export const MAX_BODY_BYTES = 16_384
/** How long a waiting envelope stays, in milliseconds: 30 days. */
export const MAILBOX_TTL_MS: number = 30 * 24 * 60 * 60 * 1000
/** Digits of a verification code. */
export const CODE_DIGITS = 6
/** How far the clock of a signed request may be off, in milliseconds. */
export const REQUEST_CLOCK_SKEW_MS = 120_000
/** Characters of a registration lock's PIN. */
export const MIN_PIN_CHARACTERS = 4
export const MAX_PIN_CHARACTERS = 64
/** Longest invitation code. */
export const MAX_INVITATION_CHARACTERS = 64
