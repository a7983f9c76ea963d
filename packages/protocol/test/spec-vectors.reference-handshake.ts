/** The reference's identities and handshake: identity.md, handshake.md. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import {
  cat,
  ed25519Public,
  ed25519Sign,
  etm,
  hkdf,
  hmac,
  kemEncapsulate,
  kemPublic,
  label,
  oaepEncrypt,
  sha256,
  u8,
  u32,
  u64,
  x25519,
  x25519Public,
} from './spec-vectors.reference-primitives.ts'

// -------------------------------------------------------------------------------------------------
// identity.md

export interface Person {
  readonly name: string
  /** Digits without the plus. */
  readonly phone: string
  readonly createdAt: number
  readonly exchangeKey: KeyObject
  readonly exchangePublicKey: Buffer
  readonly signingSeed: Buffer
  readonly identitySecret: Buffer
  readonly record: Buffer
  readonly signature: Buffer
  readonly signed: Buffer
  readonly id: Buffer
}

export interface Prekeys {
  readonly name: string
  readonly id: number
  readonly secret: Buffer
  readonly kemSeed: Buffer
  readonly publicKey: Buffer
  readonly kemPublicKey: Buffer
  readonly notAfter: number
  readonly encoded: Buffer
  readonly signature: Buffer
  readonly signed: Buffer
}

export const identityRecord = (fields: {
  readonly phone: string
  readonly exchangePublicKey: Uint8Array
  readonly signingKey: Uint8Array
  readonly identityKey: Uint8Array
  readonly createdAt: number
}): Buffer =>
  cat(
    u8(1),
    u64(BigInt(fields.phone)),
    u8(3),
    fields.exchangePublicKey,
    u8(4),
    fields.signingKey,
    u8(1),
    fields.identityKey,
    u64(fields.createdAt),
  )

export function makePerson(
  input: Omit<Person, 'exchangePublicKey' | 'record' | 'signature' | 'signed' | 'id'>,
): Person {
  const exchangePublicKey = createPublicKey(input.exchangeKey).export({
    format: 'der',
    type: 'spki',
  })
  const record = identityRecord({
    ...input,
    exchangePublicKey,
    signingKey: ed25519Public(input.signingSeed),
    identityKey: x25519Public(input.identitySecret),
  })
  const signature = ed25519Sign(input.signingSeed, cat(label('sign/identity'), record))
  return {
    ...input,
    exchangePublicKey,
    record,
    signature,
    signed: cat(record, signature),
    id: sha256(label('identity-id'), record),
  }
}

export const prekeySet = (fields: {
  readonly identityId: Uint8Array
  readonly id: number
  readonly publicKey: Uint8Array
  readonly kemPublicKey: Uint8Array
  readonly notAfter: number
}): Buffer =>
  cat(
    u8(1),
    fields.identityId,
    u32(fields.id),
    u8(1),
    fields.publicKey,
    u8(2),
    fields.kemPublicKey,
    u64(fields.notAfter),
  )

export function makePrekeys(
  owner: Person,
  input: Pick<Prekeys, 'name' | 'id' | 'secret' | 'kemSeed' | 'notAfter'>,
): Prekeys {
  const publicKey = x25519Public(input.secret)
  const kemPublicKey = kemPublic(input.kemSeed)
  const encoded = prekeySet({ ...input, identityId: owner.id, publicKey, kemPublicKey })
  const signature = ed25519Sign(owner.signingSeed, cat(label('sign/prekeys'), encoded))
  return {
    ...input,
    publicKey,
    kemPublicKey,
    encoded,
    signature,
    signed: cat(encoded, signature),
  }
}

// -------------------------------------------------------------------------------------------------
// handshake.md

export interface HandshakeEntropy {
  readonly ephemeralSeed: Buffer
  readonly sessionSecret: Buffer
  readonly identityBlockIv: Buffer
  readonly oaepSeed: Buffer
  readonly kemCoins: Buffer
}

/** Every value of one handshake, in the order in which they arise. */
export interface HandshakeTrace {
  readonly ephemeralKey: Buffer
  readonly wrappedSecret: Buffer
  readonly encapsulatedKey: Buffer
  readonly kemSecret: Buffer
  readonly th1: Buffer
  readonly handshakeHash: Buffer
  readonly dhEphemeralIdentity: Buffer
  readonly dhEphemeralPrekey: Buffer
  readonly ck: Buffer
  readonly identityBlockKeys: Buffer
  readonly continuityProof: Buffer
  readonly identityBlock: Buffer
  readonly th2: Buffer
  readonly dhIdentityPrekey: Buffer
  readonly rootKey: Buffer
  readonly initiatorHeaderKey: Buffer
  readonly responderHeaderKey: Buffer
  readonly resetKey: Buffer
  readonly sessionId: Buffer
}

/** What a dishonest or mistaken initiator may do otherwise. */
export interface HandshakeFlaw {
  readonly oaepLabel?: Buffer
  readonly wrapped?: Buffer
  readonly wrappedSecret?: Buffer
  readonly signed?: Buffer
  readonly blockPlaintext?: Buffer
  readonly responderId?: Buffer
  readonly initiatorId?: Buffer
  readonly encodedPrekeys?: Buffer
}

export function makeHandshake(
  initiator: Person,
  responder: Person,
  prekeys: Prekeys,
  entropy: HandshakeEntropy,
  resetKey?: Buffer,
  flaw: HandshakeFlaw = {},
): HandshakeTrace {
  const ephemeralKey = x25519Public(entropy.ephemeralSeed)
  const wrappedSecret =
    flaw.wrappedSecret ??
    oaepEncrypt(
      responder.exchangePublicKey,
      flaw.wrapped ?? entropy.sessionSecret,
      flaw.oaepLabel ?? label('session-secret'),
      entropy.oaepSeed,
    )
  const kem = kemEncapsulate(prekeys.kemPublicKey, entropy.kemCoins)
  const responderIdentityKey = x25519Public(responder.identitySecret)
  return schedule({
    ephemeralKey,
    wrappedSecret,
    encapsulatedKey: kem.ciphertext,
    kemSecret: kem.sharedSecret,
    sessionSecret: entropy.sessionSecret,
    dhEphemeralIdentity: x25519(entropy.ephemeralSeed, responderIdentityKey),
    dhEphemeralPrekey: x25519(entropy.ephemeralSeed, prekeys.publicKey),
    dhIdentityPrekey: x25519(initiator.identitySecret, prekeys.publicKey),
    responderId: flaw.responderId ?? responder.id,
    encodedPrekeys: flaw.encodedPrekeys ?? prekeys.encoded,
    seal: (th1, keys, hash) => {
      const proof = resetKey ? hmac(resetKey, label('continuity'), hash) : Buffer.alloc(32)
      const plaintext = flaw.blockPlaintext ?? cat(flaw.signed ?? initiator.signed, proof)
      return { proof, block: etm(keys, entropy.identityBlockIv, plaintext, th1) }
    },
    initiatorId: flaw.initiatorId ?? initiator.id,
  })
}

export function schedule(input: {
  readonly ephemeralKey: Buffer
  readonly wrappedSecret: Buffer
  readonly encapsulatedKey: Buffer
  readonly kemSecret: Buffer
  readonly sessionSecret: Buffer
  readonly dhEphemeralIdentity: Buffer
  readonly dhEphemeralPrekey: Buffer
  readonly dhIdentityPrekey: Buffer
  readonly responderId: Buffer
  readonly encodedPrekeys: Buffer
  readonly initiatorId: Buffer
  readonly seal: (th1: Buffer, keys: Buffer, hash: Buffer) => { proof: Buffer; block: Buffer }
}): HandshakeTrace {
  const { ephemeralKey, wrappedSecret, encapsulatedKey, kemSecret } = input
  const { dhEphemeralIdentity, dhEphemeralPrekey, dhIdentityPrekey } = input
  const th1 = sha256(
    label('handshake/transcript-1'),
    input.responderId,
    input.encodedPrekeys,
    u8(1),
    ephemeralKey,
    wrappedSecret,
    encapsulatedKey,
  )
  const handshakeHash = sha256(label('handshake/hash'), th1)
  const ikm = cat(
    Buffer.alloc(32, 0xff),
    input.sessionSecret,
    dhEphemeralIdentity,
    dhEphemeralPrekey,
    kemSecret,
  )
  const ck = hkdf(th1, ikm, label('handshake/key'), 32)
  const identityBlockKeys = hkdf(ck, Buffer.alloc(0), label('handshake/identity-block'), 64)
  const { proof, block } = input.seal(th1, identityBlockKeys, handshakeHash)
  const th2 = sha256(
    label('handshake/transcript-2'),
    th1,
    block,
    input.initiatorId,
    input.responderId,
  )
  const okm = hkdf(ck, dhIdentityPrekey, cat(label('handshake/session'), th2), 224)
  return {
    ephemeralKey,
    wrappedSecret,
    encapsulatedKey,
    kemSecret,
    th1,
    handshakeHash,
    dhEphemeralIdentity,
    dhEphemeralPrekey,
    ck,
    identityBlockKeys,
    continuityProof: proof,
    identityBlock: block,
    th2,
    dhIdentityPrekey,
    rootKey: okm.subarray(0, 32),
    initiatorHeaderKey: okm.subarray(32, 96),
    responderHeaderKey: okm.subarray(96, 160),
    resetKey: okm.subarray(160, 192),
    sessionId: okm.subarray(192, 224),
  }
}

/** EK ‖ ctR ‖ ctK ‖ idb. */
export const handshakeBytes = (trace: HandshakeTrace): Buffer =>
  cat(trace.ephemeralKey, trace.wrappedSecret, trace.encapsulatedKey, trace.identityBlock)
