/** Constants of the specification. Choices of this implementation are not here. (spec/constants.md) */

/** Messages that may be missing before one that arrives; more is refused. (Signal, Threema: 25,000) */
export const MAX_FORWARD_JUMP = 25_000
/** How far a sender may run ahead of its last receipt in one chain. Must stay below the jump. */
export const MAX_UNRECEIPTED = 20_000
/** Receiving chains whose header keys are remembered, so that a late message is known as late. */
export const REMEMBERED_CHAINS = 5
/** DH steps after which a side offers a fresh KEM key. */
export const KEM_STEP_INTERVAL = 16
/** Time after which it does so anyway: 24 hours. */
export const KEM_TIME_INTERVAL_MS: number = 24 * 60 * 60 * 1000
/** How long a published prekey set may be used to begin a chat: 30 days, the mailbox's own limit. */
export const PREKEY_LIFETIME_MS: number = 30 * 24 * 60 * 60 * 1000
/** How long the private halves outlive their rotation: 48 hours. */
export const PREKEY_RETENTION_MS: number = 48 * 60 * 60 * 1000
/** Prekeys rotate at least so often while online: 24 hours. */
export const PREKEY_ROTATION_MS: number = 24 * 60 * 60 * 1000
/** … and within this time after a handshake used them, at a random moment: one hour. */
export const PREKEY_USED_ROTATION_MS: number = 60 * 60 * 1000
/** How long a session that is not sent in stays able to receive: 30 days. */
export const SESSION_RETENTION_MS: number = 30 * 24 * 60 * 60 * 1000
/** Longest text of one message, in bytes of UTF-8: fits the largest envelope with every header. */
export const MAX_TEXT_BYTES = 60_000
/** How deep groups may be nested in fields of a content that a newer version added. */
export const MAX_GROUP_DEPTH = 100
/** Received messages after which a side that has sent nothing sends an empty one. */
export const HEARTBEAT_MESSAGES = 50
/** … or this time: 24 hours. */
export const HEARTBEAT_INTERVAL_MS: number = 24 * 60 * 60 * 1000

export const KEY_BYTES = 32
export const IV_BYTES = 16
export const TAG_BYTES = 32
export const RSA_MODULUS_BITS = 3072
export const RSA_CIPHERTEXT_BYTES = 384
export const KEM_SEED_BYTES = 64
export const KEM_CIPHERTEXT_BYTES = 1088
/** Encryption and MAC key of one EtM use, 32 bytes each. */
export const ETM_KEYS_BYTES = 64
export const MESSAGE_ID_BYTES = 16
