/**
 * The Couplet protocol, version 1: identities, the handshake, the ratchet, receipts and safety
 * numbers, as pure functions from state to state. (spec/)
 *
 * No I/O, no clock, no randomness of its own but where a primitive insists on drawing it (RSA-OAEP
 * seeds, ML-KEM coins). The primitives come from `@couplet/protocol/node` or `/web`.
 */
export * from './constants.ts'
export type { Body, Content } from './content.ts'
export {
  HANDSHAKE_BYTES,
  type HandshakeHeader,
  IDENTITY_BLOCK_BYTES,
  type ParsedEnvelope,
  parseEnvelope,
} from './envelope.ts'
export * from './errors.ts'
export { ETM_OVERHEAD_BYTES, etmOpen, etmSeal } from './etm.ts'
export * from './handshake.ts'
export { createIdentity, type Identity, importIdentity, type OwnIdentity } from './identity.ts'
export {
  validateCurveKey,
  validateExchangeKey,
  validateKemKey,
  validateSigningKey,
} from './key-validation.ts'
export * from './prekeys.ts'
export type * from './primitives.ts'
export * from './ratchet.ts'
export * from './safety-number.ts'
export * from './session.ts'
export * from './session-choice.ts'
export { decodeSession, encodeSession } from './session-codec.ts'
