/**
 * What an attacker would try, and what comes of it. Each test names who attacks and with what; each
 * fails on a mutant of the code that is listed in test/mutants. (protocol.md, "Who can do what")
 */
import {
  concatBytes,
  encodeIdentityRecord,
  encodePrekeySet,
  identityIdPreimage,
  identitySignedBytes,
  joinSigned,
  prekeysSignedBytes,
  toHex,
} from '@couplet/wire'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  acceptSession,
  addAcceptedSession,
  importIdentity,
  importPrekeys,
  initiateSession,
  noteReceipt,
  openMessage,
  type PrekeyBundle,
  type Primitives,
  parseEnvelope,
  type Session,
  sessionToSendIn,
  unwrapSessionSecret,
} from '../src/index.ts'
import {
  type Cast,
  Conversation,
  cast,
  codeOf,
  codeOfAsync,
  outcomeOf,
  SECRET_TEXT,
  skip,
} from './conversation.ts'
import { Device } from './device.ts'
import {
  accept,
  handshakeEntropy,
  initiate,
  messageEntropy,
  NOW,
  type Person,
  PROVIDERS,
  seal,
  seededRandom,
  systemRandom,
  text,
  textOf,
} from './support.ts'

/** Points that give an all-zero or no secret, and second spellings of good ones. */
const BAD_POINTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))

/** One message from the outbox of one device to the other. */
async function send(from: Device, to: Device) {
  await from.prepare(to)
  const sealed = from.release()!
  const received = await to.receive(sealed.envelope)
  if (received?.kind !== 'opened') throw new Error(`test: ${received?.kind}`)
  return { sealed, received }
}

describe.each(Object.entries(PROVIDERS))('%s', (name, primitives) => {
  let people: Cast
  beforeAll(async () => {
    people = await cast(name)
  })

  const bundleOf = (who: Person): PrekeyBundle =>
    importPrekeys(primitives, {
      owner: who.public,
      signed: who.prekeys.signed,
      now: NOW,
      highestSeenId: 0,
    })

  async function twoDevices(seed: string) {
    const ana = new Device(people.ana, seededRandom(`${seed} a`))
    const ben = new Device(people.ben, seededRandom(`${seed} b`))
    ana.write(text('first'))
    await ana.prepare(ben)
    const first = ana.release()!
    expect((await ben.receive(first.envelope))?.kind).toBe('opened')
    return { ana, ben, first }
  }

  /** Handshakes to Ben in Ana’s name, with everything that the prekeys’ private halves give. */
  async function forge(smallerThan: Uint8Array): Promise<Uint8Array> {
    // DH(IK_A, SPK_B) = DH(SPK_B, IK_A): with SPK_B’s secret anybody can be anybody, to Ben.
    const { ana, ben, mallory } = people
    const thief: Primitives = {
      ...primitives,
      x25519: (secret, publicKey) =>
        toHex(secret) === toHex(mallory.own.identitySecret)
          ? primitives.x25519(ben.prekeys.secret, ana.own.record.identityKey)
          : primitives.x25519(secret, publicKey),
    }
    const posing: Person = {
      ...mallory,
      primitives: thief,
      own: { ...mallory.own, id: ana.own.id, signed: ana.own.signed },
    }
    for (;;) {
      const session = await initiate(posing, ben)
      if (Buffer.compare(session.handshakeHash, smallerThan) < 0) {
        return seal(posing, session, 'from the thief').envelope
      }
    }
  }

  describe('somebody in the middle of a handshake', () => {
    test('a user who publishes another’s keys as its own cannot pass a handshake on (unknown key-share)', async () => {
      // Mallory’s record carries Ben’s X25519 key, her prekey set carries Ben’s prekeys; only RSA is
      // hers, so that she can unwrap S and wrap it again for Ben. Ana means to talk to Mallory.
      const { ana, ben, mallory } = people
      const encoded = encodeIdentityRecord({
        ...mallory.own.record,
        identityKey: ben.own.record.identityKey,
      })
      const record = importIdentity(
        primitives,
        joinSigned({
          encoded,
          signature: primitives.ed25519Sign(mallory.own.signingSeed, identitySignedBytes(encoded)),
        }),
      )
      expect(record.id).toEqual(primitives.sha256(identityIdPreimage(encoded)))
      const set = encodePrekeySet({ ...bundleOf(ben).set, identityId: record.id })
      const prekeys = importPrekeys(primitives, {
        owner: record,
        signed: joinSigned({
          encoded: set,
          signature: primitives.ed25519Sign(mallory.own.signingSeed, prekeysSignedBytes(set)),
        }),
        now: NOW,
        highestSeenId: 0,
      })
      const session = await initiateSession(primitives, {
        self: ana.own,
        peer: record,
        prekeys,
        entropy: handshakeEntropy(),
        now: NOW,
      })
      const { envelope } = seal(ana, session, 'for Mallory')
      const header = parseEnvelope(envelope).handshake!
      const secret = await unwrapSessionSecret(primitives, mallory.own, header, systemRandom(32))
      // Ben is handed S itself: as good as any wrapping for him.
      const input = { self: ben.own, prekeys: ben.prekeys, envelope, sessionSecret: secret }
      expect(codeOf(() => acceptSession(primitives, { ...input, now: NOW }))).toBe('undecryptable')
    })

    test('a user who shows another’s record is not taken for that other', async () => {
      const { ana, ben, mallory } = people
      const posing: Person = {
        ...mallory,
        own: { ...mallory.own, id: ana.own.id, signed: ana.own.signed, record: ana.own.record },
      }
      const { envelope } = seal(posing, await initiate(posing, ben), 'I am Ana')
      expect(await codeOfAsync(() => accept(ben, envelope))).toBe('undecryptable')
    })

    test('a record that was not signed by its own key is refused inside the handshake too', async () => {
      const { ana, ben, mallory } = people
      const encoded = encodeIdentityRecord({
        ...ana.own.record,
        identityKey: mallory.own.record.identityKey,
      })
      const signature = primitives.ed25519Sign(
        mallory.own.signingSeed,
        identitySignedBytes(encoded),
      )
      const id = primitives.sha256(identityIdPreimage(encoded))
      const posing: Person = {
        ...mallory,
        own: { ...mallory.own, id, signed: joinSigned({ encoded, signature }) },
      }
      const { envelope } = seal(posing, await initiate(posing, ben), 'I am Ana')
      expect(await codeOfAsync(() => accept(ben, envelope))).toBe('invalid-signature')
    })

    test('swapped roles: a handshake sent back to who made it is not accepted', async () => {
      const { ana, ben } = people
      const { envelope } = seal(ana, await initiate(ana, ben), 'x')
      expect(await codeOfAsync(() => accept(ana, envelope))).toBe('undecryptable')
    })

    test('a handshake for one is not accepted by another, or for other prekeys', async () => {
      const { ana, ben, mallory } = people
      const { envelope } = seal(ana, await initiate(ana, ben), 'x')
      expect(await codeOfAsync(() => accept(mallory, envelope))).toBe('undecryptable')
      const mixed = { ...ben, prekeys: mallory.prekeys }
      expect(await codeOfAsync(() => accept(mixed, envelope))).toBe('undecryptable')
    })

    test('the identity block of one handshake does not fit another', async () => {
      const { ana, ben } = people
      const [one, two] = [await initiate(ana, ben), await initiate(ana, ben)]
      const { identityBlock } = two.handshake!
      const mixed: Session = { ...one, handshake: { ...one.handshake!, identityBlock } }
      expect(await codeOfAsync(() => accept(ben, seal(ana, mixed, 'x').envelope))).toBe(
        'undecryptable',
      )
    })

    test('the prekey id is authenticated: it cannot be changed on the way', async () => {
      const { ana, ben } = people
      const session = await initiate(ana, ben)
      const other: Session = { ...session, handshake: { ...session.handshake!, prekeyId: 2 } }
      const honest = seal(ana, session, 'x').envelope
      const changed = honest.slice()
      changed[12] = 2
      expect(parseEnvelope(changed).handshake?.prekeyId).toBe(2)
      expect(await codeOfAsync(() => accept(ben, changed))).toBe('undecryptable')
      expect(await codeOfAsync(() => accept(ben, seal(ana, other, 'x').envelope))).toBe(
        'nothing thrown',
      )
    })
  })

  describe('keys that were chosen to break the agreement', () => {
    test('an ephemeral key of small order, or spelled in a second way, is refused', async () => {
      const { ana, ben } = people
      const { envelope } = seal(ana, await initiate(ana, ben), 'x')
      for (const point of BAD_POINTS) {
        const forged = envelope.slice()
        forged.set(point, 16)
        expect(await codeOfAsync(() => accept(ben, forged))).toBe('invalid-key')
      }
      const top = envelope.slice()
      top[47]! |= 0x80
      expect(await codeOfAsync(() => accept(ben, top))).toBe('invalid-key')
    })

    test('an all-zero agreement is refused by the initiator as well, whoever checked the keys', async () => {
      const { ana, ben } = people
      const good = bundleOf(ben)
      const begin = (change: { prekey?: Uint8Array; identity?: Uint8Array }) =>
        initiateSession(primitives, {
          self: ana.own,
          peer: {
            ...ben.public,
            record: {
              ...ben.public.record,
              identityKey: change.identity ?? ben.public.record.identityKey,
            },
          },
          prekeys: {
            ...good,
            set: { ...good.set, signedPrekey: change.prekey ?? good.set.signedPrekey },
          },
          entropy: handshakeEntropy(),
          now: NOW,
        })
      for (const point of BAD_POINTS.slice(0, 5)) {
        expect(await codeOfAsync(() => begin({ prekey: point }))).toBe('invalid-key')
        expect(await codeOfAsync(() => begin({ identity: point }))).toBe('invalid-key')
      }
    })

    test('a provider that lets zero through would not be believed', async () => {
      const { ana, ben } = people
      const { envelope } = seal(ana, await initiate(ana, ben), 'x')
      const careless: Primitives = { ...primitives, x25519: () => undefined }
      const input = { self: ben.own, prekeys: ben.prekeys, envelope, now: NOW }
      const sessionSecret = systemRandom(32)
      expect(codeOf(() => acceptSession(careless, { ...input, sessionSecret }))).toBe(
        'undecryptable',
      )
    })
  })

  describe('a replayed handshake', () => {
    test('fresh: it leads to its session, where it is late, and to no other', async () => {
      const { ana, ben, first } = await twoDevices('fresh')
      ana.write(text('second'))
      const second = ana.release()!
      expect((await ben.receive(second.envelope))?.kind).toBe('opened')
      expect((await ben.receive(first.envelope))?.kind).toBe('again')
      expect(ben.sessions.length).toBe(1)
    })

    test('with another message behind it: not opened, and no second session', async () => {
      const { ben, first } = await twoDevices('other')
      const other = first.envelope.slice()
      other[other.length - 1]! ^= 1
      expect(await ben.receive(other)).toMatchObject({ kind: 'refused' })
      expect(ben.sessions.length).toBe(1)
    })

    test('after its session was forgotten: known by H(th1), and refused', async () => {
      const { ana, ben } = await twoDevices('archived')
      ana.write(text('second'))
      const second = ana.release()!
      ben.sessions = []
      expect(await ben.receive(second.envelope)).toEqual({
        kind: 'refused',
        reason: 'unknown-session',
      })
      expect(ben.sessions.length).toBe(0)
    })

    test('once the prekeys are gone: retired', async () => {
      const { ana, ben } = await twoDevices('retired')
      ana.write(text('second'))
      const second = ana.release()!
      ben.sessions = []
      ben.rotatePrekeys()
      ben.rotatePrekeys()
      expect(await ben.receive(second.envelope)).toEqual({
        kind: 'refused',
        reason: 'retired-prekey',
      })
    })
  })

  describe('a thief of Ben’s prekeys', () => {
    test('can be Ana toward Ben (as in X3DH), but grinds in vain against an established session', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      chat.turns(2)
      const { session, continues } = await accept(
        people.ben,
        await forge(chat.sessions.b.handshakeHash),
      )
      expect(session.peer).toEqual(people.ana.own.id)
      const sessions = addAcceptedSession([chat.sessions.b], session, continues)
      expect(sessions.map(({ unproven }) => unproven)).toEqual([false, true])
      expect(sessionToSendIn(sessions)?.id).toEqual(chat.sessions.b.id)
    }, 60_000)
  })

  describe('a thief of a state', () => {
    test('reads nothing from before, and nothing once a round trip has healed it', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      chat.turns(4)
      const before = [chat.tell('a').sealed, chat.tell('b').sealed]
      let stolen = chat.sessions.a
      const tries = (envelope: Uint8Array) => {
        const outcome = outcomeOf(() => {
          const result = openMessage(primitives, stolen, envelope, { now: NOW })
          if (result.kind === 'opened') stolen = result.session
          return result
        })
        return outcome
      }
      for (const { envelope } of before) expect(tries(envelope)).not.toBe('opened')
      // What comes before Ana’s next step can be read, as protocol.md says.
      expect(tries(chat.tell('b').sealed.envelope)).toBe('opened')
      chat.tell('a', SECRET_TEXT)
      for (let i = 0; i < 20; i++) {
        expect(tries(chat.tell('b').sealed.envelope)).not.toBe('opened')
        chat.tell('a')
      }
    })

    test('a stolen state with the root key is locked out by the KEM secret alone, were X25519 broken', async () => {
      // The thief computes every DH; the first offer that he did not see made ends it.
      const chat = await Conversation.begin(people.ana, people.ben)
      chat.turns(13)
      const stolenRoot = chat.sessions.a.rootKey
      chat.turns(6, 'a')
      expect(chat.sessions.a.stepsSinceKem).toBeLessThan(6)
      expect(chat.sessions.a.rootKey).not.toEqual(stolenRoot)
    })
  })

  describe('a sender of the wrong kind', () => {
    test('a message of another session, however alike, is foreign', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      const another = await Conversation.begin(people.mallory, people.ben)
      const said = another.say('a')
      expect(chat.hear('b', said.envelope).kind).toBe('foreign')
    })

    test('the header of one session before the content of another opens in neither', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      const another = await Conversation.begin(people.ana, people.ben)
      chat.tell('b')
      another.tell('b')
      const [one, two] = [chat.say('a').envelope, another.say('a').envelope]
      const mixed = concatBytes(one.subarray(0, 112), two.subarray(112))
      expect(outcomeOf(() => chat.hear('b', mixed))).toBe('undecryptable')
      expect(outcomeOf(() => another.hear('b', mixed))).toBe('foreign')
    })

    test('a truncated tag is no tag', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      const { envelope } = chat.say('b')
      for (const length of [8, 16, 31]) {
        const cut = envelope.slice()
        cut.fill(0, envelope.length - 32 + length)
        expect(outcomeOf(() => chat.hear('a', cut))).toBe('undecryptable')
      }
    })
  })

  describe('a server that lies', () => {
    test('forged, replayed and foreign receipts deliver nothing', async () => {
      const ana = new Device(people.ana, seededRandom('receipts a'))
      const ben = new Device(people.ben, seededRandom('receipts b'))
      for (const body of ['one', 'two']) ana.write(text(body))
      await ana.prepare(ben)
      const [one, two] = [ana.release()!, ana.release()!]
      const received = await ben.receive(one.envelope)
      if (received?.kind !== 'opened') throw new Error('not opened')
      const id = toHex(two.id)
      for (const receipt of [received.receipt, new Uint8Array(32), two.id, systemRandom(32)]) {
        expect(ana.acknowledged(id, receipt)).toBe('wrong')
      }
      expect(ana.acknowledged(toHex(systemRandom(32)), received.receipt)).toBe('unknown')
      expect(ana.acknowledged(toHex(one.id), received.receipt)).toBe('delivered')
    })

    test('a receipt of another session takes nothing off this one’s messages', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      const another = await Conversation.begin(people.ana, people.ben)
      const { position } = another.say('a')
      expect(noteReceipt(chat.sessions.a, position)).toEqual(chat.sessions.a)
    })

    test('forged nacks of every kind at the first message cost resends, and one session remains', async () => {
      for (const reason of ['late', 'unknown-session', 'retired-prekey', 'invalid'] as const) {
        const ana = new Device(people.ana, seededRandom(`${reason} a`))
        const ben = new Device(people.ben, seededRandom(`${reason} b`))
        const devices = [ana, ben] as const
        ana.write(text('hello'))
        const first = await send(ana, ben)
        ana.refused(toHex(first.sealed.id), reason)
        await send(ana, ben)
        expect(ben.inbox.size).toBe(1)
        for (let turn = 0; turn < 4; turn++) {
          for (const [from, to] of [devices, devices.toReversed()] as [Device, Device][]) {
            from.write(text('on'))
            await send(from, to)
          }
        }
        expect(ana.chosen?.id).toEqual(ben.chosen?.id)
        expect(ana.chosen?.established).toBe(true)
      }
    })

    test('30,000 messages to an absent recipient, then he returns: nothing jams', async () => {
      const chat = await Conversation.begin(people.ana, people.ben)
      // The first 20,000 are encrypted, evicted all but the last two; the others wait unencrypted.
      let session = skip(people.ana, chat.sessions.a, 20_000 - 1 - 2)
      const kept = []
      for (let i = 0; i < 2; i++) {
        const said = seal(people.ana, session, `kept ${i}`)
        session = said.session
        kept.push(said)
      }
      expect(codeOf(() => seal(people.ana, session, 'waits'))).toBe('chain-exhausted')
      for (const { envelope, position } of kept) {
        expect(chat.hear('b', envelope).kind).toBe('opened')
        session = noteReceipt(session, position)
      }
      for (let i = 0; i < 3; i++) {
        const said = seal(people.ana, skip(people.ana, session, 3000), `rest ${i}`)
        expect(chat.hear('b', said.envelope).kind).toBe('opened')
        session = noteReceipt(said.session, said.position)
      }
      chat.sessions.a = session
      chat.turns(4)
    })

    test('a prekey set that went back is refused', () => {
      const input = { owner: people.ben.public, signed: people.ben.prekeys.signed, now: NOW }
      expect(codeOf(() => importPrekeys(primitives, { ...input, highestSeenId: 2 }))).toBe(
        'stale-prekeys',
      )
    })
  })

  test('a replacement without proof of continuity is shown, and takes over nothing', async () => {
    const chat = await Conversation.begin(people.ana, people.ben)
    chat.turns(2)
    const begun = await accept(
      people.ben,
      seal(people.ana, await initiate(people.ana, people.ben), 'I lost my state').envelope,
    )
    expect(textOf(begun.content)).toBe('I lost my state')
    const sessions = addAcceptedSession([chat.sessions.b], begun.session, begun.continues)
    expect(sessions[1]?.unproven).toBe(true)
    expect(sessionToSendIn(sessions)).toBe(sessions[0])
  })

  test('a rolled-back state repeats neither key and IV nor header and IV', async () => {
    const chat = await Conversation.begin(people.ana, people.ben)
    const random = systemRandom
    const ivs = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const entropy = messageEntropy(random)
      const { envelope } = seal(people.ana, chat.sessions.a, 'same', {
        random: (length) => (length === 16 ? random(16) : entropy.ratchetSeed.slice(0, length)),
      })
      const { sealed, encryptedHeader } = parseEnvelope(envelope)
      ivs.add(toHex(sealed.subarray(0, 16))).add(toHex(encryptedHeader.subarray(0, 16)))
    }
    expect(ivs.size).toBe(40)
  })
})
