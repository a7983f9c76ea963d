/** Labels of the key schedule: one for each derived value, none used twice. (spec/conventions.md) */
import { type Bytes, label } from '@couplet/wire'

/** OAEP label of the wrapped session secret. */
export const LABEL_SESSION_SECRET: Bytes = label('session-secret')
/** th1 */
export const LABEL_TRANSCRIPT_1: Bytes = label('handshake/transcript-1')
/** ck */
export const LABEL_HANDSHAKE_KEY: Bytes = label('handshake/key')
/** keys of idb */
export const LABEL_IDENTITY_BLOCK: Bytes = label('handshake/identity-block')
/** th2 */
export const LABEL_TRANSCRIPT_2: Bytes = label('handshake/transcript-2')
/** RK ‖ header keys ‖ reset key ‖ sid */
export const LABEL_SESSION: Bytes = label('handshake/session')
/** H(th1) */
export const LABEL_HANDSHAKE_HASH: Bytes = label('handshake/hash')
export const LABEL_CONTINUITY: Bytes = label('continuity')
export const LABEL_RATCHET: Bytes = label('ratchet/step')
export const LABEL_MESSAGE: Bytes = label('ratchet/message')
export const LABEL_ASSOCIATED_DATA: Bytes = label('associated-data')
export const LABEL_RECEIPT: Bytes = label('receipt')
export const LABEL_SAFETY_NUMBER: Bytes = label('safety-number')
