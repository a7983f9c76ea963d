/**
 * A session: the state that two devices share while they chat. (spec/session.md)
 *
 * Plain immutable data. handshake.ts makes one, ratchet.ts steps it, session-codec.ts stores it,
 * session-choice.ts says which of several to send in. All byte fields are secret unless marked.
 */
import type { Bytes } from '@couplet/wire'
import type { HandshakeHeader } from './envelope.ts'

export interface Session {
  /** sid, public to both ends. */
  readonly id: Bytes
  /** H(th1): the session's name for life, by which replays find it and choices are made. */
  readonly handshakeHash: Bytes
  readonly role: 'initiator' | 'responder'
  /** identityIds of this end and the other. Public. */
  readonly self: Bytes
  readonly peer: Bytes
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /**
   * `live`: may be sent in. `superseded`: the peer replaced it, only receives until it is forgotten.
   * `dead`: the server says that the peer does not know it. `recalled`, `revived`: it was
   * superseded, or dead, and then a message came in it; session-choice.ts says what that means.
   */
  readonly standing: 'live' | 'superseded' | 'dead' | 'revived' | 'recalled'
  /** Whether a message was decrypted here that depends on a fresh key of this end. */
  readonly established: boolean
  /** Replaced an established session without proof of continuity: the user is to be told. */
  readonly unproven: boolean
  /** Its handshake claims, rightly or not, to continue another session: the same at both ends. */
  readonly successor: boolean
  /** The initiator's header, on every message until something proves that one arrived. */
  readonly handshake: HandshakeHeader | undefined

  /** RK */
  readonly rootKey: Bytes
  /** Undefined until the first step of this end. */
  readonly sending: SendingChain | undefined
  /** NHKs, 64 bytes: keys of the next sending chain's headers. */
  readonly nextSendingHeaderKey: Bytes
  /** The other end's newest ratchet key, and the KEM key that it offered with it. Public. */
  readonly remote: { readonly key: Bytes; readonly offer: Bytes | undefined } | undefined
  readonly receiving: ReceivingChain | undefined
  /** NHKr, 64 bytes. */
  readonly nextReceivingHeaderKey: Bytes
  /** Header keys of receiving chains gone by, newest first. They open no content. */
  readonly pastHeaderKeys: readonly Bytes[]
  /** Whether the other end turned its ratchet since this end last did. */
  readonly stepDue: boolean
  /** DH steps and time since a KEM secret was last mixed. */
  readonly stepsSinceKem: number
  readonly kemMixedAt: number
  readonly continuity: ContinuityKeys
}

export interface SendingChain {
  /** Counts this end's chains from 0. */
  readonly index: number
  /** CKs */
  readonly key: Bytes
  /** Header keys, 64 bytes. */
  readonly headerKey: Bytes
  /** Number of the next message. (Ns) */
  readonly count: number
  /** One more than the highest number that has a receipt, 0 for none. */
  readonly receipted: number
  /** Own ratchet key. The secret half is wiped once the other end's answer has used it. */
  readonly publicKey: Bytes
  readonly secret: Bytes | undefined
  /** KEM key offered in this chain: its seed, and the public half that rides while `announce`. */
  readonly offer: { readonly seed: Bytes; readonly key: Bytes } | undefined
  /** KEM ciphertext that this chain's step mixed. Public. */
  readonly ciphertext: Bytes | undefined
  /** Whether offer and ciphertext still ride on each message. */
  readonly announce: boolean
}

export interface ReceivingChain {
  /** CKr */
  readonly key: Bytes
  readonly headerKey: Bytes
  /** Number of the next message expected. (Nr) */
  readonly count: number
}

/** Reset keys: with them a new session proves that it continues this one. */
export interface ContinuityKeys {
  /** Of the last step that this end followed: the other end is sure to have it. */
  readonly proving: Bytes
  /** Of this end's last two own steps, one of which is the other end's `proving`. */
  readonly accepted: readonly Bytes[]
}

/** Where in a session a message stands: needed to take note of its receipt. Public. */
export interface Position {
  readonly sessionId: Bytes
  readonly chain: number
  readonly number: number
}
