/** Vectors of session.md: the ratchet step by step, and messages with one flaw each. */

import { CURVE_FLAWS, changed, flipped, type Suite } from './spec-vectors.bytes.ts'
import { type Cast, NOW, seeded } from './spec-vectors.people.ts'
import {
  associatedData,
  type Content,
  cat,
  encodeHeader,
  etm,
  fromHex,
  hex,
  kemEncapsulate,
  kemPublic,
  type MessageFlaw,
  messageKeys,
  nextChainKey,
  preamble,
  rootStep,
  seal,
  u8,
  u16,
  u32,
  x25519Public,
} from './spec-vectors.reference.ts'
import { Story } from './spec-vectors.story.ts'

export function ratchet(cast: Cast): Suite {
  const rootKey = seeded('ratchet/root key', 32)
  const secret = seeded('ratchet/secret', 32)
  const remoteKey = x25519Public(seeded('ratchet/remote', 32))
  const kemSeed = seeded('ratchet/kem seed', 64)
  const kemCoins = seeded('ratchet/coins', 32)
  const offer = kemPublic(kemSeed)
  const kem = kemEncapsulate(offer, kemCoins)
  const chainKey = seeded('ratchet/chain key', 32)
  const sid = seeded('ratchet/sid', 32)
  const ratchetKey = x25519Public(secret)
  const headerKeys = seeded('ratchet/header keys', 64)
  const headerIv = seeded('ratchet/header iv', 16)
  const ad = associatedData(sid, cast.ana.id, cast.ben.id)
  const header = (
    name: string,
    number: number,
    more: { offer?: Buffer; ciphertext?: Buffer } = {},
  ) => {
    const encoded = encodeHeader({ ratchetKey, number, ...more })
    return {
      kind: 'header',
      name,
      ratchetKey,
      number,
      ...more,
      header: encoded,
      sid,
      sender: cast.ana.id,
      recipient: cast.ben.id,
      associatedData: ad,
      headerKeys,
      headerIv,
      encryptedHeader: etm(headerKeys, headerIv, encoded, ad),
    }
  }
  const far = (steps: number) => {
    let key = chainKey
    for (let i = 0; i < steps; i++) key = nextChainKey(key)
    return key
  }
  return {
    description: 'The functions of the ratchet one by one: steps of root and chain, KEM, headers.',
    fields: {
      kind: '`root`, `kem`, `chain`, `header` or `preamble`; the other fields are those of session.md',
      'root: rootKey, secret, remoteKey, kemSecret':
        'inputs of a step, `kemSecret` only when one is mixed',
      'root: step': 'dh, and the new rootKey, chainKey, nextHeaderKey, resetKey',
      'kem: seed, coins': 'of the offer and of the encapsulation: d ‖ z and m of FIPS 203',
      'chain: chainKey, steps': 'a chain key, and how often it is advanced before the message',
      'chain: messageKey, encryptionKey, macKey, receiptKey, nextChainKey': 'at that place',
      'header: headerKeys, associatedData, header, encryptedHeader':
        'header before and after EtM under headerKeys with associatedData; its IV comes first',
      'preamble: prekeyId, headerLength, withHandshake, bytes': 'first 16 bytes of an envelope',
    },
    vectors: [
      {
        kind: 'root',
        name: 'without a KEM secret',
        rootKey,
        secret,
        remoteKey,
        step: rootStep(rootKey, secret, remoteKey, undefined),
      },
      {
        kind: 'root',
        name: 'with a KEM secret',
        rootKey,
        secret,
        remoteKey,
        kemSecret: kem.sharedSecret,
        step: rootStep(rootKey, secret, remoteKey, kem.sharedSecret),
      },
      { kind: 'kem', name: 'offer and answer', seed: kemSeed, offer, coins: kemCoins, ...kem },
      ...[0, 1, 2, 100, 25_000].map((steps) => {
        const key = far(steps)
        return {
          kind: 'chain',
          name: `message ${steps}`,
          chainKey,
          steps,
          ...messageKeys(key),
          nextChainKey: nextChainKey(key),
        }
      }),
      header('bare', 0),
      header('number 25000', 25_000),
      header('with offer', 1, { offer }),
      header('with ciphertext', 2, { ciphertext: kem.ciphertext }),
      header('with both', 3, { offer, ciphertext: kem.ciphertext }),
      {
        kind: 'preamble',
        name: 'without handshake',
        prekeyId: 0,
        headerLength: 96,
        withHandshake: false,
        bytes: preamble(0, 96, false),
      },
      {
        kind: 'preamble',
        name: 'with handshake',
        prekeyId: 1,
        headerLength: 96,
        withHandshake: true,
        bytes: preamble(1, 96, true),
      },
      {
        kind: 'preamble',
        name: 'with large header',
        prekeyId: 258,
        headerLength: 2368,
        withHandshake: true,
        bytes: preamble(258, 2368, true),
      },
    ],
  }
}

export function messages(cast: Cast): Suite {
  const story = new Story('messages', cast)
  story.begin('ana-1', 'ana', 'ben', 'ben/1')
  story.seal('ana-1', 'm1', 'first')
  story.accept('ben-1', 'ben', 'ana', 'ben/1', 'm1')
  story.seal('ben-1', 'r1', 'reply')
  story.open('ana-1', 'r1')
  story.seal('ana-1', 'm2', 'second')
  story.open('ben-1', 'm2')
  const setup = { events: [...story.events], states: [] }
  let taken = 0
  /** Sealed by Ana from where the setup left her, which stays as it is. */
  const from = (flaw: MessageFlaw, options: { skip?: number; step?: boolean } = {}): Buffer => {
    const state = story.session('ana-1')
    const sending = state.sending!
    const copy = { ...state, sending: { ...sending } }
    for (let i = 0; i < (options.skip ?? 0); i++) {
      copy.sending.key = nextChainKey(copy.sending.key)
      copy.sending.count += 1
    }
    if (options.step) copy.stepDue = true
    const entropy = {
      headerIv: seeded(`messages/header iv ${taken}`, 16),
      contentIv: seeded(`messages/content iv ${taken}`, 16),
      ratchetSeed: seeded(`messages/ratchet ${taken}`, 32),
      kemSeed: seeded(`messages/kem ${taken}`, 64),
      kemCoins: Buffer.alloc(32),
    }
    const text: Content = {
      messageId: hex(seeded(`messages/id ${taken++}`, 16)),
      sequence: 3,
      oldestPending: 1,
      sentAt: NOW,
      expiresAfter: 0,
      text: 'third',
    }
    return seal(copy, text, entropy, NOW, flaw).envelope
  }
  const good = from({})
  const headerWith = (change: (header: Buffer) => Buffer) => from({ header: change })
  const stepWith = (change: (header: Buffer) => Buffer) => from({ header: change }, { step: true })
  const kem = cast.prekeys['mallory/1'].kemPublicKey
  const ciphertext = kemEncapsulate(kem, Buffer.alloc(32)).ciphertext
  const elsewhere = new Story('messages elsewhere', cast)
  elsewhere.begin('x', 'ana', 'ben', 'ben/1')
  elsewhere.seal('x', 'x1', 'elsewhere')
  elsewhere.receipt('x1')
  const foreign = elsewhere.seal('x', 'x2', 'elsewhere, without handshake').envelope
  return {
    description:
      'After a short conversation (`setup`, in the form of conversations/), one envelope each, given ' +
      'to the state that the setup left. Nothing but `opened` changes a state.',
    fields: {
      session: 'which state it is given to',
      envelope: 'all of it',
      now: 'milliseconds since 1970',
      result: '`opened`, `late`, `foreign`, or the code of the error',
    },
    setup,
    vectors: [
      one('the next message', good, 'opened'),
      one('25,000 messages missing', from({}, { skip: 25_000 }), 'opened'),
      one('25,001 messages missing', from({}, { skip: 25_001 }), 'too-far'),
      one('a message again', story.sealed('m2').envelope, 'late'),
      one('the message that began the session', story.sealed('m1').envelope, 'late'),
      one('her own message, back to her', good, 'foreign', 'ana-1'),
      one("Ben's message, back to him", story.sealed('r1').envelope, 'foreign'),
      one('of another session', foreign, 'foreign'),
      one('sender and recipient swapped', from({ swapRoles: true }), 'foreign'),
      one('of another sid', from({ sessionId: Buffer.alloc(32, 7) }), 'foreign'),
      one('another magic', changed(good, 0, 0x43), 'malformed'),
      one('magic of version 2', changed(good, 8, 0x32), 'malformed'),
      one('prekey id without handshake', changed(good, 9, u32(1)), 'malformed'),
      one('key type without handshake', changed(good, 15, 1), 'malformed'),
      one('header length 0', changed(good, 13, u16(0)), 'foreign'),
      one('header length 80', changed(good, 13, u16(80)), 'foreign'),
      one('header length 112', changed(good, 13, u16(112)), 'foreign'),
      one('no room for a message', changed(good, 13, u16(1024 - 16 - 63)), 'malformed'),
      one('header beyond the end', changed(good, 13, u16(1009)), 'malformed'),
      one('bit of the IV of the header changed', flipped(good, 16), 'foreign'),
      one('bit of the header changed', flipped(good, 40), 'foreign'),
      one('bit of the tag of the header changed', flipped(good, 111), 'foreign'),
      one('bit of the IV changed', flipped(good, 112), 'undecryptable'),
      one('bit of the ciphertext changed', flipped(good, 500), 'undecryptable'),
      one('bit of the tag changed', flipped(good, 1023), 'undecryptable'),
      one('tag truncated to 31 bytes', good.subarray(0, -1), 'malformed'),
      one('512 bytes', good.subarray(0, 512), 'malformed'),
      one('128 KiB', cat(good, Buffer.alloc(131_072 - 1024)), 'malformed'),
      one('nothing', Buffer.alloc(0), 'malformed'),
      one(
        'header with an unknown flag',
        headerWith((header) => changed(header, 37, 4)),
        'malformed',
      ),
      one(
        'header with another key type',
        headerWith((header) => changed(header, 0, 2)),
        'malformed',
      ),
      one(
        'header with a byte behind it',
        headerWith((header) => cat(header, u8(0))),
        'malformed',
      ),
      one(
        'header cut short',
        headerWith((header) => header.subarray(0, -1)),
        'malformed',
      ),
      one(
        'offer with another key type',
        headerWith((header) => changed(withOffer(kem)(header), 38, 1)),
        'malformed',
      ),
      one(
        'offer that is not reduced',
        headerWith(withOffer(changed(kem, 0, Buffer.of(0x01, 0x0d | (kem[1]! & 0xf0))))),
        'invalid-key',
      ),
      one(
        'padding without a marker',
        from({ padded: (bytes) => Buffer.alloc(bytes.length) }),
        'undecryptable',
      ),
      one(
        'padding with something behind',
        from({ padded: (bytes) => changed(bytes, bytes.length - 1, 1) }),
        'undecryptable',
      ),
      one('content without a message id', from({ content: fromHex('320161') }), 'malformed'),
      one(
        'content that is no Protobuf',
        from({ content: fromHex('ffffffffffffffffffffff') }),
        'malformed',
      ),
      one(
        'new chain that Ben did not ask for',
        stepWith((header) => header),
        'undecryptable',
      ),
      one(
        'new chain with a ratchet key of small order',
        stepWith((header) => changed(header, 1, CURVE_FLAWS[2]![1])),
        'invalid-key',
      ),
      one(
        'new chain with the top bit',
        stepWith((header) => changed(header, 32, header[32]! | 0x80)),
        'invalid-key',
      ),
      one(
        'new chain that answers no offer',
        stepWith((header) => cat(header.subarray(0, 37), u8(2), ciphertext)),
        'undecryptable',
      ),
    ],
  }
}
const one = (name: string, envelope: Buffer, result: string, session = 'ben-1') => ({
  name,
  session,
  now: NOW,
  envelope,
  result,
})

const withOffer = (key: Buffer) => (header: Buffer) =>
  cat(header.subarray(0, 37), u8(1), u8(2), key)
