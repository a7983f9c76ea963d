/** Vectors of handshake.md: two that fit, and one flaw each. */

import { CURVE_FLAWS, changed, flipped, RESULT, type Suite } from './spec-vectors.bytes.ts'
import { type Cast, NOW, seeded } from './spec-vectors.people.ts'
import {
  begin,
  type Content,
  cat,
  ed25519Sign,
  type HandshakeFlaw,
  handshakeBytes,
  hex,
  label,
  type MessageFlaw,
  makeHandshake,
  oaepEncrypt,
  type Person,
  type Prekeys,
  rawRsa,
  seal,
  u8,
  u16,
  u32,
  x25519Public,
} from './spec-vectors.reference.ts'
import { type Plain, Story } from './spec-vectors.story.ts'

export function handshake(cast: Cast): Suite {
  const { ana, ben, mallory } = cast
  const fallback = seeded('handshake/fallback', 32)
  const firstMessage = (
    entropy: ReturnType<typeof entropyOf>,
    options: {
      flaw?: HandshakeFlaw
      resetKey?: Buffer
      prekeys?: Prekeys
      named?: number
      message?: MessageFlaw
    } = {},
  ) => {
    const set = options.prekeys ?? cast.prekeys['ben/1']
    const trace = makeHandshake(ana, ben, set, entropy, options.resetKey, options.flaw)
    const session = begin('a', 'initiator', trace, { self: ana.id, peer: ben.id }, set, NOW)
    if (options.named !== undefined) {
      session.handshake = { prekeyId: options.named, bytes: handshakeBytes(trace) }
    }
    const contentOf: Content = {
      messageId: hex(seeded('handshake/message id', 16)),
      sequence: 1,
      oldestPending: 1,
      sentAt: NOW,
      expiresAfter: 0,
      text: 'hello',
    }
    const entropyOfMessage = {
      headerIv: seeded('handshake/header iv', 16),
      contentIv: seeded('handshake/content iv', 16),
      ratchetSeed: seeded('handshake/ratchet', 32),
      kemSeed: seeded('handshake/kem', 64),
      kemCoins: Buffer.alloc(32),
    }
    const sealed = seal(session, contentOf, entropyOfMessage, NOW, options.message)
    return { trace, sealed }
  }
  const good = (name: string, more: Plain, options: Parameters<typeof firstMessage>[1] = {}) => {
    const entropy = entropyOf(name)
    const { trace, sealed } = firstMessage(entropy, options)
    return {
      name,
      initiator: 'ana',
      responder: 'ben',
      prekeys: options.prekeys?.name ?? 'ben/1',
      ...more,
      now: NOW,
      entropy,
      derives: trace,
      fallback,
      envelope: sealed.envelope,
      receipt: sealed.receipt,
      result: 'valid',
    }
  }
  const resetKey = seeded('handshake/reset key', 32)
  const entropy = entropyOf('flawed')
  const honest = firstMessage(entropy).sealed.envelope
  const bad = (name: string, envelope: Buffer, result = 'undecryptable', prekeysOf = 'ben/1') => ({
    name,
    responder: 'ben',
    prekeys: prekeysOf,
    now: NOW,
    fallback,
    envelope,
    result,
  })
  const flawed = (flaw: HandshakeFlaw) => firstMessage(entropy, { flaw }).sealed.envelope
  const withKey = (key: Buffer) => changed(honest, EK_OFFSET, key)
  const record = (change: (record: Buffer) => Buffer, signer: Person = ana) => {
    const altered = change(ana.record)
    return flawed({
      signed: cat(altered, ed25519Sign(signer.signingSeed, cat(label('sign/identity'), altered))),
    })
  }
  const plain = plainEnvelope(cast)
  const ek = honest.subarray(EK_OFFSET, EK_OFFSET + 32)
  const tooLarge = Buffer.alloc(384, 0xff)
  return {
    description:
      'Handshakes with every value on the way, and the first message that each rides on. Then one ' +
      'flaw each: what a responder makes of the envelope.',
    fields: {
      initiator: 'a person of people.json',
      responder: 'a person of people.json',
      prekeys: "the responder's, by name; given to the responder whatever id the envelope names",
      resetKey: 'key of the proof of continuity; without one the proof is 32 zeros',
      now: 'milliseconds since 1970',
      entropy:
        'fresh secrets of the initiator. `oaepSeed` and `kemCoins` are the randomness of RSA-OAEP ' +
        'and ML-KEM: where a library takes none, take `wrappedSecret`, `encapsulatedKey` and ' +
        '`kemSecret` from `derives`',
      derives: 'every value of handshake.md, in the order in which they arise',
      fallback: 'what stands for S when RSA-OAEP fails',
      envelope: 'the first message, whose content is the text "hello"',
      receipt: 'of that message',
      result: RESULT,
    },
    vectors: [
      good('basic', {}),
      good('with a proof of continuity', { resetKey }, { resetKey }),
      good('with other prekeys', {}, { prekeys: cast.prekeys['ben/2'] }),
      bad('no handshake', plain, 'malformed'),
      bad('another magic', changed(honest, 8, 0x32), 'malformed'),
      bad('prekey id 0', changed(honest, 9, u32(0)), 'malformed'),
      bad('key type 2', changed(honest, 15, 2), 'malformed'),
      bad('header longer than the envelope', changed(honest, 13, u16(2000)), 'malformed'),
      bad('not a power of two', honest.subarray(0, -1), 'malformed'),
      bad('half', honest.subarray(0, 2048), 'malformed'),
      bad('EK with the top bit', withKey(changed(ek, 31, ek[31]! | 0x80)), 'invalid-key'),
      bad('EK zero', withKey(CURVE_FLAWS[0]![1]), 'invalid-key'),
      bad('EK of order 8', withKey(CURVE_FLAWS[2]![1]), 'invalid-key'),
      bad('EK equal to p', withKey(CURVE_FLAWS[5]![1]), 'invalid-key'),
      bad('another EK', withKey(x25519Public(seeded('handshake/other', 32)))),
      bad('bit of ctR changed', flipped(honest, CTR_OFFSET + 100)),
      bad('bit of ctK changed', flipped(honest, CTK_OFFSET + 100)),
      bad('bit of the IV of idb changed', flipped(honest, IDB_OFFSET)),
      bad('bit of idb changed', flipped(honest, IDB_OFFSET + 100)),
      bad('bit of the tag of idb changed', flipped(honest, IDB_OFFSET + 655)),
      bad('ctR with another OAEP label', flawed({ oaepLabel: label('receipt') })),
      bad(
        'ctR with the label without its length',
        flawed({ oaepLabel: label('session-secret').subarray(1) }),
      ),
      bad('ctR holds 31 bytes', flawed({ wrapped: entropy.sessionSecret.subarray(1) })),
      bad('ctR holds 33 bytes', flawed({ wrapped: cat(entropy.sessionSecret, u8(0)) })),
      bad('ctR is not below n', flawed({ wrappedSecret: tooLarge })),
      bad(
        'ctR is raw RSA',
        flawed({ wrappedSecret: rawRsa(ben.exchangePublicKey, seededBlock()) }),
      ),
      bad(
        "ctR for somebody else's key",
        flawed({
          wrappedSecret: oaepEncrypt(
            mallory.exchangePublicKey,
            entropy.sessionSecret,
            label('session-secret'),
            entropy.oaepSeed,
          ),
        }),
      ),
      bad('made for another responder', flawed({ responderId: mallory.id })),
      bad('made for other prekeys', flawed({ encodedPrekeys: cast.prekeys['ben/2'].encoded })),
      bad('another initiator in th2', flawed({ initiatorId: mallory.id })),
      bad(
        "somebody else's identity in idb",
        flawed({ signed: mallory.signed, initiatorId: mallory.id }),
      ),
      bad('idb of another length', flawed({ blockPlaintext: cat(ana.signed, Buffer.alloc(31)) })),
      bad(
        'record signed by somebody else',
        record((bytes) => bytes, mallory),
        'invalid-signature',
      ),
      bad(
        'record of version 2',
        record((bytes) => changed(bytes, 0, 2)),
        'malformed',
      ),
      bad(
        'record with an X25519 key of small order',
        record((bytes) => changed(bytes, 466, CURVE_FLAWS[2]![1])),
        'invalid-key',
      ),
      bad(
        'record with an even modulus',
        record((bytes) => changed(bytes, 417 + 9, 0xfe & bytes[426]!)),
        'invalid-key',
      ),
      bad('prekey secret of another set', honest, 'undecryptable', 'ben/2'),
      bad(
        'roles swapped in the message',
        firstMessage(entropy, { message: { swapRoles: true } }).sealed.envelope,
      ),
      bad(
        'message of another session',
        firstMessage(entropy, { message: { sessionId: Buffer.alloc(32) } }).sealed.envelope,
      ),
      bad('another prekey id', changed(honest, 9, u32(2))),
      bad('bit of the encrypted header changed', flipped(honest, IDB_OFFSET + 656 + 40)),
      bad('bit of the content changed', flipped(honest, 3000)),
      bad('bit of the tag changed', flipped(honest, honest.length - 1)),
    ],
  }
}

const EK_OFFSET = 16
const CTR_OFFSET = EK_OFFSET + 32
const CTK_OFFSET = CTR_OFFSET + 384
const IDB_OFFSET = CTK_OFFSET + 1088

/** A block below any modulus of 3072 bits that is no OAEP encoding. */
const seededBlock = (): Buffer => changed(seeded('handshake/raw', 384), 0, 0)

function plainEnvelope(cast: Cast): Buffer {
  const story = new Story('plain envelope', cast)
  story.begin('a', 'ana', 'ben', 'ben/1')
  story.seal('a', 'm1', 'first')
  story.receipt('m1')
  return story.seal('a', 'm2', 'second').envelope
}
const entropyOf = (name: string) => ({
  ephemeralSeed: seeded(`handshake/${name}/ephemeral`, 32),
  sessionSecret: seeded(`handshake/${name}/secret`, 32),
  identityBlockIv: seeded(`handshake/${name}/iv`, 16),
  oaepSeed: seeded(`handshake/${name}/oaep`, 32),
  kemCoins: seeded(`handshake/${name}/coins`, 32),
})
