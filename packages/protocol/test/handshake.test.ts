/** PQXDH with an RSA-wrapped session secret. (protocol.md, "Handshake") */
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { concatBytes, toHex, utf8 } from '@couplet/wire'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  acceptSession,
  encodeSession,
  handshakeHash,
  importPrekeys,
  initiateSession,
  openMessage,
  type Primitives,
  parseEnvelope,
  type Session,
  unwrapSessionSecret,
} from '../src/index.ts'
import {
  type Cast,
  Conversation,
  cast,
  codeOfAsync,
  contains,
  damaged,
  other,
  PAIRINGS,
  type Side,
} from './conversation.ts'
import { Device } from './device.ts'
import {
  accept,
  handshakeEntropy,
  initiate,
  NOW,
  type Person,
  PROVIDERS,
  seal,
  seededRandom,
  text,
  textOf,
} from './support.ts'

/** A person whose primitives count RSA private operations. */
function counting(who: Person): { person: Person; operations: () => number } {
  let operations = 0
  const primitives: Primitives = {
    ...who.primitives,
    rsaOaepDecrypt: (...input) => {
      operations += 1
      return who.primitives.rsaOaepDecrypt(...input)
    },
  }
  return { person: { ...who, primitives }, operations: () => operations }
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  return createHash('sha256')
    .update(concatBytes(...parts))
    .digest()
}

function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  return createHmac('sha256', key)
    .update(concatBytes(...parts))
    .digest()
}

function hkdf(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length))
}

function labelOf(purpose: string): Uint8Array {
  const bytes = utf8(`couplet/v1/${purpose}`)
  return concatBytes(Uint8Array.of(bytes.length), bytes)
}

/** Whether a session that `prover` begins anew is taken for a continuation of the verifier’s. */
async function proven(
  chat: Conversation,
  prover: Side,
  states: Record<Side, Session> = chat.sessions,
): Promise<boolean> {
  const [from, to] = [chat.people[prover], chat.people[other(prover)]]
  const begun = await initiate(from, to, { continues: states[prover] })
  const accepted = await accept(to, seal(from, begun, 'again').envelope)
  return accepted.continues(states[other(prover)])
}

describe.each(PAIRINGS)('%s with %s', (nameA, nameB) => {
  test('both ends derive one session, and each knows whom it talks to', async () => {
    const [{ ana }, { ben }] = await Promise.all([cast(nameA), cast(nameB)])
    const started = await initiate(ana, ben)
    const first = seal(ana, started, 'hello')
    const accepted = await accept(ben, first.envelope)
    expect(textOf(accepted.content)).toBe('hello')
    expect(accepted.receipt).toEqual(first.receipt)
    expect(accepted.peer.signed).toEqual(ana.own.signed)
    const { session } = accepted
    expect(session.id).toEqual(started.id)
    expect(session.handshakeHash).toEqual(started.handshakeHash)
    expect([session.self, session.peer]).toEqual([ben.own.id, ana.own.id])
    expect([started.self, started.peer]).toEqual([ana.own.id, ben.own.id])
    expect([started.role, session.role]).toEqual(['initiator', 'responder'])
    expect([session.established, session.unproven, session.standing]).toEqual([
      false,
      false,
      'live',
    ])
    const reply = seal(ben, session, 'and you')
    const opened = openMessage(ana.primitives, first.session, reply.envelope, { now: NOW })
    if (opened.kind !== 'opened') throw new Error(opened.kind)
    expect(textOf(opened.content)).toBe('and you')
  })
})

describe.each(Object.entries(PROVIDERS))('%s', (name, primitives) => {
  let people: Cast
  beforeAll(async () => {
    people = await cast(name)
  })

  /** The code and words of what accepting an envelope throws. */
  async function failure(envelope: Uint8Array): Promise<string> {
    try {
      await accept(people.ben, envelope)
    } catch (error) {
      return `${(error as { code: string }).code}: ${(error as Error).message}`
    }
    return 'accepted'
  }

  /** Ana’s first message, by an Ana who wraps the secret in her own way. */
  async function wrappedBy(
    wrap: (spki: Uint8Array, secret: Uint8Array, label: Uint8Array) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const rsaOaepEncrypt = wrap as Primitives['rsaOaepEncrypt']
    const liar = { ...people.ana, primitives: { ...primitives, rsaOaepEncrypt } }
    return seal(liar, await initiate(liar, people.ben), 'x').envelope
  }

  test('the key schedule, as computed by hand from protocol.md with node:crypto', async () => {
    const { ana, ben } = people
    const random = seededRandom('by hand')
    const entropy = handshakeEntropy(random)
    const kept = { ...entropy, ephemeralSeed: entropy.ephemeralSeed.slice() }
    const prekeys = importPrekeys(primitives, {
      owner: ben.public,
      signed: ben.prekeys.signed,
      now: NOW,
      highestSeenId: 0,
    })
    const earlier = (await Conversation.begin(ana, ben)).sessions.a
    const session = await initiateSession(primitives, {
      self: ana.own,
      peer: ben.public,
      prekeys,
      continues: earlier,
      entropy,
      now: NOW,
    })
    const header = session.handshake!
    const th1 = sha256(
      labelOf('handshake/transcript-1'),
      ben.own.id,
      ben.prekeys.encoded,
      Uint8Array.of(1),
      header.ephemeralKey,
      header.wrappedSecret,
      header.encapsulatedKey,
    )
    const ck = hkdf(
      th1,
      concatBytes(
        new Uint8Array(32).fill(0xff),
        kept.sessionSecret,
        primitives.x25519(kept.ephemeralSeed, ben.own.record.identityKey)!,
        primitives.x25519(kept.ephemeralSeed, prekeys.set.signedPrekey)!,
        primitives.kemDecapsulate(ben.prekeys.kemSeed, header.encapsulatedKey),
      ),
      labelOf('handshake/key'),
      32,
    )
    const blockKeys = hkdf(ck, new Uint8Array(), labelOf('handshake/identity-block'), 64)
    const block = concatBytes(
      kept.identityBlockIv,
      primitives.aesCbcEncrypt(
        blockKeys.subarray(0, 32),
        kept.identityBlockIv,
        concatBytes(
          ana.own.signed,
          hmac(earlier.continuity.proving, labelOf('continuity'), session.handshakeHash),
        ),
      ),
    )
    const tag = createHmac('sha256', blockKeys.subarray(32))
      .update(concatBytes(Uint8Array.of(0, 0, 0, 32), th1, block))
      .digest()
    expect(toHex(header.identityBlock)).toBe(toHex(concatBytes(block, tag)))

    const th2 = sha256(
      labelOf('handshake/transcript-2'),
      th1,
      header.identityBlock,
      ana.own.id,
      ben.own.id,
    )
    const okm = hkdf(
      ck,
      primitives.x25519(ana.own.identitySecret, prekeys.set.signedPrekey)!,
      concatBytes(labelOf('handshake/session'), th2),
      224,
    )
    expect(toHex(session.rootKey)).toBe(toHex(okm.subarray(0, 32)))
    expect(toHex(session.nextSendingHeaderKey)).toBe(toHex(okm.subarray(32, 96)))
    expect(toHex(session.nextReceivingHeaderKey)).toBe(toHex(okm.subarray(96, 160)))
    expect(toHex(session.continuity.proving)).toBe(toHex(okm.subarray(160, 192)))
    expect(toHex(session.id)).toBe(toHex(okm.subarray(192, 224)))
    expect(toHex(session.handshakeHash)).toBe(toHex(sha256(labelOf('handshake/hash'), th1)))

    // The first step and message of the ratchet, in the same way.
    const said = seal(ana, session, text('by hand', 1, random), { random })
    const seeds = said.session.sending!
    const step = hkdf(
      session.rootKey,
      primitives.x25519(seeds.secret!, prekeys.set.signedPrekey)!,
      labelOf('ratchet/step'),
      160,
    )
    expect(toHex(said.session.rootKey)).toBe(toHex(step.subarray(0, 32)))
    expect(toHex(said.session.nextSendingHeaderKey)).toBe(toHex(step.subarray(64, 128)))
    expect(toHex(said.session.continuity.accepted[0]!)).toBe(toHex(step.subarray(128, 160)))
    const chainKey = step.subarray(32, 64)
    expect(toHex(seeds.key)).toBe(toHex(hmac(chainKey, Uint8Array.of(2))))
    const keys = hkdf(
      new Uint8Array(32),
      hmac(chainKey, Uint8Array.of(1)),
      labelOf('ratchet/message'),
      96,
    )
    const ad = concatBytes(labelOf('associated-data'), session.id, ana.own.id, ben.own.id)
    const { prefix, sealed, encryptedHeader } = parseEnvelope(said.envelope)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, ad.length + prefix.length)
    const body = sealed.subarray(0, sealed.length - 32)
    expect(toHex(hmac(keys.subarray(32, 64), length, ad, prefix, body))).toBe(
      toHex(sealed.subarray(-32)),
    )
    expect(
      primitives.aesCbcDecrypt(keys.subarray(0, 32), body.subarray(0, 16), body.subarray(16)),
    ).toSatisfy((padded: Uint8Array) => contains(padded, utf8('by hand')))
    expect(toHex(said.receipt)).toBe(toHex(hmac(keys.subarray(64), labelOf('receipt'), said.id)))
    new DataView(length.buffer).setUint32(0, ad.length)
    const headerKey = okm.subarray(32, 96)
    const eh = encryptedHeader.subarray(0, encryptedHeader.length - 32)
    expect(toHex(hmac(headerKey.subarray(32), length, ad, eh))).toBe(
      toHex(encryptedHeader.subarray(-32)),
    )
    expect(
      toHex(
        primitives.aesCbcDecrypt(headerKey.subarray(0, 32), eh.subarray(0, 16), eh.subarray(16))!,
      ),
    ).toBe(toHex(concatBytes(Uint8Array.of(1), seeds.publicKey, new Uint8Array(5))))
  })

  test('secrets handed in are the caller’s: they are used and left as they are', async () => {
    const { ana, ben } = people
    const entropy = handshakeEntropy(seededRandom('left alone'))
    const before = Object.values(entropy).map(toHex)
    const prekeys = importPrekeys(primitives, {
      owner: ben.public,
      signed: ben.prekeys.signed,
      now: NOW,
      highestSeenId: 0,
    })
    const input = { self: ana.own, peer: ben.public, prekeys, entropy, now: NOW }
    await initiateSession(primitives, input)
    expect(Object.values(entropy).map(toHex)).toEqual(before)
    const prekeySecret = toHex(ben.prekeys.secret)
    const identitySecret = toHex(ben.own.identitySecret)
    await accept(ben, seal(ana, await initiate(ana, ben), 'x').envelope)
    expect([toHex(ben.prekeys.secret), toHex(ben.own.identitySecret)]).toEqual([
      prekeySecret,
      identitySecret,
    ])
  })

  test('H(th1) is of every part: recipient, prekeys, EK, ctR and ctK', async () => {
    const { ana, ben, mallory } = people
    const header = (await initiate(ana, ben)).handshake!
    const hash = (self: Person, prekeys = self.prekeys, change = {}) =>
      toHex(
        handshakeHash(primitives, {
          self: self.own,
          prekeys,
          header: { ...header, ...change },
        }),
      )
    const hashes = [
      hash(ben),
      hash(mallory, ben.prekeys),
      hash(ben, mallory.prekeys),
      hash(ben, ben.prekeys, { ephemeralKey: damaged(header.ephemeralKey, 0) }),
      hash(ben, ben.prekeys, { wrappedSecret: damaged(header.wrappedSecret, 0) }),
      hash(ben, ben.prekeys, { encapsulatedKey: damaged(header.encapsulatedKey, 0) }),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
    expect(hash(ben, ben.prekeys, { identityBlock: damaged(header.identityBlock, 0) })).toBe(
      hashes[0],
    )
  })

  test('two handshakes have nothing in common', async () => {
    const { ana, ben } = people
    const [one, two] = await Promise.all([initiate(ana, ben), initiate(ana, ben)])
    for (const field of ['id', 'handshakeHash', 'rootKey'] as const) {
      expect(one[field]).not.toEqual(two[field])
    }
    for (const field of [
      'ephemeralKey',
      'wrappedSecret',
      'encapsulatedKey',
      'identityBlock',
    ] as const) {
      expect(one.handshake![field]).not.toEqual(two.handshake![field])
    }
  })

  test('the server cannot read who is calling', async () => {
    const { ana, ben } = people
    const { envelope } = seal(ana, await initiate(ana, ben), 'x')
    const { own } = ana
    for (let at = 0; at + 16 <= own.signed.length; at += 16) {
      expect(contains(envelope, own.signed.subarray(at, at + 16))).toBe(false)
    }
    expect(contains(envelope, own.id)).toBe(false)
  })

  test('exactly one RSA private operation for a new session, at its first message', async () => {
    const ben = counting(people.ben)
    const ana = counting(people.ana)
    const devices = {
      a: new Device(ana.person, seededRandom('rsa a')),
      b: new Device(ben.person, seededRandom('rsa b')),
    }
    const send = async (side: Side) => {
      devices[side].write(text('x'))
      await devices[side].prepare(devices[other(side)])
      const { envelope } = devices[side].release()!
      expect((await devices[other(side)].receive(envelope))?.kind).toBe('opened')
      return envelope
    }
    const first = await send('a')
    expect([ana.operations(), ben.operations()]).toEqual([0, 1])
    // Later ones carry the same handshake, and need none; nor does anything after the reply.
    for (let i = 0; i < 3; i++) expect(parseEnvelope(await send('a')).handshake).toBeDefined()
    for (let i = 0; i < 20; i++) {
      await send('b')
      await send('a')
    }
    expect((await devices.b.receive(first))?.kind).toBe('again')
    expect([ana.operations(), ben.operations()]).toEqual([0, 1])
  })

  const encrypt: Primitives['rsaOaepEncrypt'] = (...input) => primitives.rsaOaepEncrypt(...input)

  describe('failures all look the same, and show in the same place: the MAC', () => {
    test('OAEP with another label, length, key, bytes, or at least n: one error', async () => {
      const tooLarge = new Uint8Array(384).fill(0xff)
      const failures = await Promise.all(
        [
          wrappedBy((spki, secret) => encrypt(spki, secret, utf8('other'))),
          wrappedBy((spki, secret) => encrypt(spki, secret, new Uint8Array())),
          wrappedBy((spki, secret, label) => encrypt(spki, secret.subarray(1), label)),
          wrappedBy((spki, secret, label) =>
            encrypt(spki, concatBytes(secret, Uint8Array.of(0)), label),
          ),
          wrappedBy((_spki, secret, label) =>
            encrypt(people.ana.own.record.exchangeKey, secret, label),
          ),
          wrappedBy(async () => tooLarge),
          wrappedBy(async () => new Uint8Array(384)),
          wrappedBy(async () => seededRandom('noise')(384)),
        ].map(async (envelope) => failure(await envelope)),
      )
      expect(new Set(failures)).toEqual(new Set(['undecryptable: handshake does not authenticate']))
    })

    test('whatever is wrong with ctR, the fallback comes back, and 383 bytes never reach RSA', async () => {
      const fallback = seededRandom('fallback')(32)
      const header = (await initiate(people.ana, people.ben)).handshake!
      const ben = counting(people.ben)
      const unwrap = (wrappedSecret: Uint8Array) =>
        unwrapSessionSecret(
          ben.person.primitives,
          people.ben.own,
          { ...header, wrappedSecret },
          fallback,
        )
      for (const length of [0, 383, 385])
        expect(await unwrap(new Uint8Array(length))).toBe(fallback)
      expect(ben.operations()).toBe(0)
      expect(await unwrap(damaged(header.wrappedSecret, 9))).toBe(fallback)
      expect(await unwrap(header.wrappedSecret)).not.toBe(fallback)
    })

    test('any other byte of the first message: refused', async () => {
      const { envelope } = seal(people.ana, await initiate(people.ana, people.ben), 'x')
      const codes = new Set<string>()
      // Every part of the preamble and the handshake, and a few places of the message behind it.
      const places = Array.from({ length: 2176 / 16 }, (_, i) => i * 16 + (i % 16))
      places.push(2180, 2200, 2260, 2280, 3000, 4095)
      for (const at of places) {
        const code = await codeOfAsync(() => accept(people.ben, damaged(envelope, at, 0x10)))
        codes.add(code)
        expect([at, code]).not.toEqual([at, 'nothing thrown'])
      }
      expect(codes).toContain('undecryptable')
      for (const code of codes) expect(code).toMatch(/^(undecryptable|malformed|invalid-key)$/)
    })

    test('without a handshake there is nothing to accept', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      const { envelope } = chat.say('b')
      const input = { self: people.ana.own, prekeys: people.ana.prekeys, envelope }
      const sessionSecret = new Uint8Array(32)
      expect(
        await codeOfAsync(async () =>
          acceptSession(primitives, { ...input, sessionSecret, now: NOW }),
        ),
      ).toBe('malformed')
    })
  })

  describe('continuity', () => {
    test('is proven in every lock-step: level, prover ahead by one, verifier ahead by one', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      for (let turn = 0; turn < 5; turn++) {
        const side: Side = turn % 2 === 0 ? 'b' : 'a'
        for (const prover of ['a', 'b'] as const) expect(await proven(chat, prover)).toBe(true)
        // One end has stepped, the other does not know yet.
        const said = chat.say(side)
        for (const prover of ['a', 'b'] as const) expect(await proven(chat, prover)).toBe(true)
        chat.hear(other(side), said.envelope)
      }
    })

    test('keys: in every such situation, over long conversations, the verifier accepts them', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      const holds = () => {
        for (const prover of ['a', 'b'] as const) {
          const { proving } = chat.sessions[prover].continuity
          const { accepted } = chat.sessions[other(prover)].continuity
          expect(accepted.map(toHex)).toContain(toHex(proving))
          expect(accepted.length).toBeLessThanOrEqual(2)
        }
      }
      for (let turn = 0; turn < 30; turn++) {
        const side: Side = turn % 2 === 0 ? 'b' : 'a'
        const said = chat.say(side)
        holds()
        if (turn % 3 === 0) chat.say(side)
        chat.hear(other(side), said.envelope)
        holds()
      }
    })

    test('is not proven from a state one round trip old', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      chat.turns(2)
      const stolen = { ...chat.sessions }
      chat.turns(4)
      for (const thief of ['a', 'b'] as const) {
        const states = { ...chat.sessions, [thief]: stolen[thief] }
        expect(await proven(chat, thief, states)).toBe(false)
      }
    })

    test('is not proven without a claim, by another session, or from a handshake anew', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      chat.turns(2)
      const begun = await accept(
        people.ben,
        seal(people.ana, await initiate(people.ana, people.ben), 'x').envelope,
      )
      expect(begun.continues(chat.sessions.b)).toBe(false)
      const another = await Conversation.begin(people.ana, people.ben)
      another.turns(2)
      const states = { a: another.sessions.a, b: chat.sessions.b }
      expect(await proven(chat, 'a', states)).toBe(false)
    })

    test('both ends know whether one was claimed, be it right or wrong', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      const { ana, ben } = people
      for (const continues of [undefined, chat.sessions.a]) {
        const begun = await initiate(ana, ben, continues && { continues })
        const { session } = await accept(ben, seal(ana, begun, 'x').envelope)
        const claimed = continues !== undefined
        expect([begun.successor, session.successor]).toEqual([claimed, claimed])
      }
    })

    test('a proof is of one handshake: it cannot be taken from it', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      chat.turns(2)
      const { ana, ben } = people
      const begun = await initiate(ana, ben, { continues: chat.sessions.a })
      const accepted = await accept(ben, seal(ana, begun, 'x').envelope)
      expect(accepted.continues(chat.sessions.b)).toBe(true)
      expect(
        accepted.continues({
          ...chat.sessions.b,
          continuity: { ...chat.sessions.b.continuity, accepted: [] },
        }),
      ).toBe(false)
      // And proving spends nothing: the state is as it was.
      expect(encodeSession(chat.sessions.a)).toEqual(encodeSession(chat.sessions.a))
    })
  })
})
