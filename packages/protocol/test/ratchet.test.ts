/** The Double Ratchet with header encryption and post-quantum steps. (protocol.md, "Session") */
import { beforeAll, describe, expect, test } from 'vitest'
import { etmOpen } from '../src/etm.ts'
import {
  encodeSession,
  KEM_STEP_INTERVAL,
  KEM_TIME_INTERVAL_MS,
  MAX_FORWARD_JUMP,
  MAX_UNRECEIPTED,
  mustWaitForReceipt,
  noteReceipt,
  openMessage,
  parseEnvelope,
  REMEMBERED_CHAINS,
  type Sealed,
  type Session,
} from '../src/index.ts'
import { LABEL_ASSOCIATED_DATA } from '../src/labels.ts'
import {
  type Cast,
  Conversation,
  cast,
  codeOf,
  contains,
  damaged,
  headerOf,
  other,
  outcomeOf,
  PAIRINGS,
  SECRET_BYTES,
  SECRET_TEXT,
  type Side,
  skip,
} from './conversation.ts'
import { accept, initiate, NOW, PROVIDERS, seal, text, textOf } from './support.ts'

/** Number `missing + 1` from where the chain stands. */
function far(people: Cast, session: Session, missing: number): Sealed {
  return seal(people.ana, skip(people.ana, session, missing, { receipted: true }), 'far')
}

/** Ana is about to send her first message of a chain with an offer. */
async function beforeOffer({ ana, ben }: Cast): Promise<Conversation> {
  const started = await Conversation.begin(ana, ben)
  started.tell('b')
  started.now = NOW + KEM_TIME_INTERVAL_MS
  return started
}

/** A header as its recipient reads it. */
function readHeader({ people, sessions }: Conversation, side: Side, envelope: Uint8Array) {
  const { id, self, peer, sending } = sessions[side]
  return etmOpen(people[side].primitives, {
    keys: sending!.headerKey,
    sealed: parseEnvelope(envelope).encryptedHeader,
    associatedData: [LABEL_ASSOCIATED_DATA, id, self, peer],
  })!
}

/** Every secret that a state holds. */
function secretsOf({ sending, receiving, rootKey }: Session): Uint8Array[] {
  return [rootKey, sending?.key, sending?.secret, sending?.offer?.seed, receiving?.key].filter(
    (secret) => secret !== undefined,
  )
}

describe.each(PAIRINGS)('%s with %s', (nameA, nameB) => {
  test('the two ends understand each other over every kind of step', async () => {
    const [{ ana }, { ben }] = await Promise.all([cast(nameA), cast(nameB)])
    const chat = await Conversation.begin(ana, ben)
    const bodies: string[] = []
    const heard: string[] = []
    const kinds = new Set<string>()
    for (let turn = 0; turn < 40; turn++) {
      const side: Side = turn % 2 === 0 ? 'b' : 'a'
      for (let i = 0; i <= turn % 3; i++) {
        bodies.push(`${turn}/${i}`)
        const { sealed, opened } = chat.tell(side, `${turn}/${i}`)
        kinds.add(headerOf(sealed.envelope))
        heard.push(textOf(opened.content))
        expect(opened.id).toEqual(sealed.id)
        expect(opened.receipt).toEqual(sealed.receipt)
      }
    }
    expect(heard).toEqual(bodies)
    expect([...kinds].toSorted()).toEqual(['bare', 'ciphertext', 'offer'])
    expect(chat.sessions.a.id).toEqual(chat.sessions.b.id)
    expect(chat.sessions.a.rootKey).toEqual(chat.sessions.b.rootKey)
  })
})

describe.each(Object.entries(PROVIDERS))('%s', (name, primitives) => {
  let people: Cast
  let chat: Conversation
  beforeAll(async () => {
    people = await cast(name)
  })
  const begin = () => Conversation.begin(people.ana, people.ben)

  describe('steps', () => {
    test('each reply turns the ratchet: a fresh key, a fresh root, a chain from 0', async () => {
      chat = await begin()
      const before = chat.sessions.b
      const first = chat.tell('b').sealed
      const second = chat.tell('b').sealed
      expect(first.position).toMatchObject({ chain: 0, number: 0 })
      expect(second.position).toMatchObject({ chain: 0, number: 1 })
      expect(chat.sessions.b.rootKey).not.toEqual(before.rootKey)
      const key = chat.sessions.b.sending!.publicKey
      chat.tell('a')
      chat.tell('b')
      expect(chat.sessions.b.sending!.publicKey).not.toEqual(key)
      expect(chat.sessions.b.sending!.index).toBe(1)
    })

    test('stepping is lazy: opening turns nothing of one’s own, the next sealing does', async () => {
      chat = await begin()
      const said = chat.say('b')
      const before = chat.sessions.a
      chat.hear('a', said.envelope)
      expect(chat.sessions.a.stepDue).toBe(true)
      expect(chat.sessions.a.sending!.publicKey).toEqual(before.sending!.publicKey)
      chat.say('a')
      expect(chat.sessions.a.stepDue).toBe(false)
      expect(chat.sessions.a.sending!.publicKey).not.toEqual(before.sending!.publicKey)
    })

    test('a session is established by a message that depends on one’s own fresh key', async () => {
      chat = await begin()
      expect([chat.sessions.a.established, chat.sessions.b.established]).toEqual([false, false])
      chat.tell('a')
      expect(chat.sessions.b.established).toBe(false)
      chat.tell('b')
      expect([chat.sessions.a.established, chat.sessions.b.established]).toEqual([true, false])
      chat.tell('a')
      expect(chat.sessions.b.established).toBe(true)
    })

    test('a function gives a new state and leaves the old one as it was', async () => {
      chat = await begin()
      chat.turns(3)
      const [a, b] = [encodeSession(chat.sessions.a), encodeSession(chat.sessions.b)]
      const [stateA, stateB] = [chat.sessions.a, chat.sessions.b]
      const said = seal(people.ben, stateB, 'x')
      openMessage(primitives, stateA, said.envelope, { now: NOW })
      expect(encodeSession(stateA)).toEqual(a)
      expect(encodeSession(stateB)).toEqual(b)
    })
  })

  describe('gaps', () => {
    test('any message can be lost, the ones behind it open, and it is late for ever', async () => {
      chat = await begin()
      const said = Array.from({ length: 5 }, (_, i) => chat.say('b', `n${i}`))
      expect(chat.hear('a', said[3]!.envelope).kind).toBe('opened')
      for (const i of [0, 1, 2, 3]) expect(chat.hear('a', said[i]!.envelope).kind).toBe('late')
      expect(chat.hear('a', said[4]!.envelope).kind).toBe('opened')
    })

    test('a jump of 25,000 is accepted, one of 25,001 is `too-far` and changes nothing', async () => {
      expect(MAX_FORWARD_JUMP).toBe(25_000)
      chat = await begin()
      const start = chat.sessions.a
      const at = (missing: number) => far(people, start, missing)
      const state = encodeSession(chat.sessions.b)
      expect(outcomeOf(() => chat.hear('b', at(25_001).envelope))).toBe('too-far')
      expect(encodeSession(chat.sessions.b)).toEqual(state)
      expect(outcomeOf(() => chat.hear('b', at(25_000).envelope))).toBe('opened')
      expect(chat.sessions.b.receiving!.count).toBe(25_002)
    })

    test('the same jump at the beginning of a new chain', async () => {
      chat = await begin()
      chat.tell('b')
      const stepped = chat.say('a')
      const start = stepped.session
      const at = (missing: number) => far(people, start, missing - 1)
      const state = encodeSession(chat.sessions.b)
      expect(outcomeOf(() => chat.hear('b', at(25_001).envelope))).toBe('too-far')
      expect(encodeSession(chat.sessions.b)).toEqual(state)
      expect(outcomeOf(() => chat.hear('b', at(25_000).envelope))).toBe('opened')
    })

    test('late messages of the last five chains gone by are `late`, older ones `foreign`', async () => {
      expect(REMEMBERED_CHAINS).toBe(5)
      chat = await begin()
      const held: Uint8Array[] = []
      for (let chain = 0; chain < 8; chain++) {
        held.push(chat.say('b', `held ${chain}`).envelope)
        chat.tell('b')
        chat.tell('a')
      }
      // The newest is of the current chain, then come five that are remembered, then those forgotten.
      const kinds = held.toReversed().map((envelope) => chat.hear('a', envelope).kind)
      expect(kinds).toEqual(['late', 'late', 'late', 'late', 'late', 'late', 'foreign', 'foreign'])
    })

    test('20,000 ahead of the last receipt, or of the chain’s start, a sender waits', async () => {
      expect(MAX_UNRECEIPTED).toBe(20_000)
      expect(MAX_UNRECEIPTED).toBeLessThan(MAX_FORWARD_JUMP)
      chat = await begin()
      const noted = noteReceipt(chat.sessions.a, {
        sessionId: chat.sessions.a.id,
        chain: 0,
        number: 0,
      })
      for (const [session, sealedUntil] of [
        [chat.sessions.a, 20_000],
        [noted, 20_001],
      ] as const) {
        const almost = skip(people.ana, session, sealedUntil - 1 - session.sending!.count)
        expect(mustWaitForReceipt(almost)).toBe(false)
        const last = seal(people.ana, almost, 'last')
        expect(mustWaitForReceipt(last.session)).toBe(true)
        expect(codeOf(() => seal(people.ana, last.session, 'one more'))).toBe('chain-exhausted')
        // A receipt for any later one lets it go on,
        const receipted = noteReceipt(last.session, { ...last.position, number: 100 })
        expect(mustWaitForReceipt(receipted)).toBe(false)
        // and the recipient, who has seen the first message only, is not jammed.
        expect(openMessage(primitives, chat.sessions.b, last.envelope, { now: NOW }).kind).toBe(
          'opened',
        )
      }
    })

    test('a reply lets a waiting sender go on: the next chain begins', async () => {
      chat = await begin()
      chat.tell('b')
      const exhausted = skip(people.ben, chat.sessions.b, 20_000)
      expect(mustWaitForReceipt(exhausted)).toBe(true)
      const reply = chat.say('a')
      const heard = openMessage(primitives, exhausted, reply.envelope, { now: NOW })
      if (heard.kind !== 'opened') throw new Error(heard.kind)
      expect(mustWaitForReceipt(heard.session)).toBe(false)
      expect(seal(people.ben, heard.session, 'on').position).toMatchObject({ chain: 1, number: 0 })
    })
  })

  describe('post-quantum steps', () => {
    test('come after 16 DH steps: the 16th offers, the 17th answers, and again', async () => {
      expect(KEM_STEP_INTERVAL).toBe(16)
      chat = await begin()
      const kinds = ['bare']
      for (let step = 2; step <= 36; step++) {
        kinds.push(headerOf(chat.tell(step % 2 === 0 ? 'b' : 'a').sealed.envelope))
      }
      const expected = kinds.map((_, i) => {
        const step = i + 1
        if (step === 16 || step === 33) return 'offer'
        return step === 17 || step === 34 ? 'ciphertext' : 'bare'
      })
      expect(kinds).toEqual(expected)
    })

    test('come after 24 hours, not a moment sooner', async () => {
      expect(KEM_TIME_INTERVAL_MS).toBe(24 * 60 * 60 * 1000)
      chat = await begin()
      chat.now = NOW + KEM_TIME_INTERVAL_MS - 1
      expect(headerOf(chat.tell('b').sealed.envelope)).toBe('bare')
      chat.now = NOW + KEM_TIME_INTERVAL_MS
      expect(headerOf(chat.tell('b').sealed.envelope)).toBe('bare')
      expect(headerOf(chat.tell('a').sealed.envelope)).toBe('offer')
      expect(headerOf(chat.tell('b').sealed.envelope)).toBe('ciphertext')
      expect(headerOf(chat.tell('a').sealed.envelope)).toBe('bare')
      chat.now = NOW + 2 * KEM_TIME_INTERVAL_MS - 1
      chat.turns(2)
      expect(headerOf(chat.tell('b').sealed.envelope)).toBe('bare')
      chat.now += 1
      expect(headerOf(chat.tell('a').sealed.envelope)).toBe('offer')
    })

    test('an offer rides on each message of its chain, the same bytes, until a receipt of it', async () => {
      chat = await beforeOffer(people)
      const said = [chat.say('a'), chat.say('a'), chat.say('a')]
      expect(said.map(({ envelope }) => headerOf(envelope))).toEqual(['offer', 'offer', 'offer'])
      const offers = said.map(({ envelope }) => readHeader(chat, 'a', envelope).subarray(38))
      expect(offers[1]).toEqual(offers[0])
      expect(offers[2]).toEqual(offers[0])
      const { session } = said[2]!
      const older = noteReceipt(session, { sessionId: session.id, chain: 0, number: 0 })
      expect(headerOf(seal(people.ana, older, 'x').envelope)).toBe('offer')
      const noted = noteReceipt(session, said[1]!.position)
      expect(headerOf(seal(people.ana, noted, 'x').envelope)).toBe('bare')
    })

    test('its answer rides in the same way, and once any of it arrived the secret is mixed', async () => {
      chat = await beforeOffer(people)
      chat.tell('a')
      const said = [chat.say('b'), chat.say('b'), chat.say('b')]
      expect(said.map(({ envelope }) => headerOf(envelope))).toEqual(said.map(() => 'ciphertext'))
      expect(readHeader(chat, 'b', said[2]!.envelope).subarray(38)).toEqual(
        readHeader(chat, 'b', said[0]!.envelope).subarray(38),
      )
      expect(chat.hear('a', said[2]!.envelope).kind).toBe('opened')
      expect(chat.sessions.a.rootKey).toEqual(chat.sessions.b.rootKey)
      chat.sessions.b = noteReceipt(chat.sessions.b, said[2]!.position)
      expect(headerOf(chat.say('b').envelope)).toBe('bare')
      chat.turns(4, 'a')
    })

    test('any message of the offering chain is enough: the first ones may be lost', async () => {
      chat = await beforeOffer(people)
      chat.say('a')
      chat.say('a')
      chat.tell('a')
      expect(headerOf(chat.tell('b').sealed.envelope)).toBe('ciphertext')
      chat.turns(4, 'a')
    })

    test('the secret enters the root key: another offer’s answer opens nothing', async () => {
      chat = await beforeOffer(people)
      chat.tell('a')
      const key = primitives.kemPublicKey(new Uint8Array(64).fill(1))
      const b = chat.sessions.b
      const wrong: Session = { ...b, remote: { key: b.remote!.key, offer: key } }
      const state = encodeSession(chat.sessions.a)
      const reply = seal(people.ben, wrong, 'x')
      expect(outcomeOf(() => chat.hear('a', reply.envelope))).toBe('undecryptable')
      expect(encodeSession(chat.sessions.a)).toEqual(state)
    })

    test('an answer to an offer that was not made is refused', async () => {
      chat = await begin()
      const key = primitives.kemPublicKey(new Uint8Array(64).fill(1))
      const b = chat.sessions.b
      const wrong: Session = { ...b, remote: { key: b.remote!.key, offer: key } }
      const reply = seal(people.ben, wrong, 'x')
      expect(headerOf(reply.envelope)).toBe('ciphertext')
      expect(outcomeOf(() => chat.hear('a', reply.envelope))).toBe('undecryptable')
    })

    test('an offer that the next step does not answer is void', async () => {
      chat = await beforeOffer(people)
      chat.tell('a')
      const offered = chat.sessions.a.sending!.offer
      expect(offered).toBeDefined()
      const b = chat.sessions.b
      chat.sessions.b = { ...b, remote: { key: b.remote!.key, offer: undefined } }
      // He offers one of his own, which is due for him too, and answers none.
      expect(headerOf(chat.tell('b').sealed.envelope)).toBe('offer')
      expect(chat.sessions.a.sending!.offer).toBeUndefined()
      expect(headerOf(chat.tell('a').sealed.envelope)).toBe('ciphertext')
      expect(chat.sessions.a.rootKey).toEqual(chat.sessions.b.rootKey)
      chat.turns(4)
    })

    test('an offered key that is not reduced is refused', async () => {
      chat = await beforeOffer(people)
      const said = chat.say('a')
      const { sending } = said.session
      const key = sending!.offer!.key.slice()
      key.set([0xff, 0xff, 0xff])
      const bad: Session = {
        ...said.session,
        sending: { ...sending!, offer: { seed: sending!.offer!.seed, key } },
      }
      const forged = seal(people.ana, bad, 'x')
      expect(outcomeOf(() => chat.hear('b', forged.envelope))).toBe('invalid-key')
    })
  })

  describe('the handshake header', () => {
    test('rides, byte for byte the same, on every message until a reply is opened', async () => {
      chat = await begin()
      const first = parseEnvelope(chat.say('a').envelope).handshake
      expect(first).toBeDefined()
      for (let i = 0; i < 5; i++) {
        expect(parseEnvelope(chat.tell('a').sealed.envelope).handshake).toEqual(first)
      }
      const reply = chat.say('b')
      expect(parseEnvelope(chat.tell('a').sealed.envelope).handshake).toEqual(first)
      chat.hear('a', reply.envelope)
      expect(parseEnvelope(chat.tell('a').sealed.envelope).handshake).toBeUndefined()
    })

    test('… or until a receipt for any message of this session', async () => {
      chat = await begin()
      const { position } = chat.tell('a').sealed
      const elsewhere = { ...position, sessionId: new Uint8Array(32) }
      chat.sessions.a = noteReceipt(chat.sessions.a, elsewhere)
      expect(parseEnvelope(chat.tell('a').sealed.envelope).handshake).toBeDefined()
      chat.sessions.a = noteReceipt(chat.sessions.a, position)
      expect(parseEnvelope(chat.tell('a').sealed.envelope).handshake).toBeUndefined()
    })

    test('never rides on a responder’s messages', async () => {
      chat = await begin()
      expect(parseEnvelope(chat.tell('b').sealed.envelope).handshake).toBeUndefined()
    })

    test('what comes with it may be the only message that arrives, whichever it is', async () => {
      const session = await initiate(people.ana, people.ben)
      let state = session
      for (let i = 0; i < 4; i++) {
        const said = seal(people.ana, state, `only ${i}`)
        state = said.session
        const { session: accepted, content } = await accept(people.ben, said.envelope)
        expect(textOf(content)).toBe(`only ${i}`)
        const reply = seal(people.ben, accepted, 'yes')
        expect(openMessage(primitives, state, reply.envelope, { now: NOW }).kind).toBe('opened')
      }
    })
  })

  describe('receipts', () => {
    test('are HMAC(receiptKey, label ‖ id): another for each message, the same at both ends', async () => {
      chat = await begin()
      const receipts = [1, 2, 3].map(() => {
        const { sealed, opened } = chat.tell('a')
        expect(opened.receipt).toEqual(sealed.receipt)
        expect(sealed.receipt.length).toBe(32)
        expect(sealed.id).toEqual(primitives.sha256(sealed.envelope))
        return Buffer.from(sealed.receipt).toString('hex')
      })
      expect(new Set(receipts).size).toBe(3)
    })

    test('only raise what is receipted, in whatever order they come', async () => {
      chat = await begin()
      for (let i = 0; i < 5; i++) chat.say('a')
      const position = (number: number) => ({ sessionId: chat.sessions.a.id, chain: 0, number })
      let session = noteReceipt(chat.sessions.a, position(3))
      expect(session.sending!.receipted).toBe(4)
      session = noteReceipt(session, position(1))
      expect(session.sending!.receipted).toBe(4)
      session = noteReceipt(session, { ...position(5), chain: 7 })
      expect(session.sending!.receipted).toBe(4)
    })
  })

  describe('what is hidden and what is bound', () => {
    test('an envelope shows neither the text nor who writes nor the ratchet key', async () => {
      chat = await begin()
      const { envelope } = chat.say('a', SECRET_TEXT)
      const { own } = people.ana
      for (const shown of [
        SECRET_BYTES,
        own.id,
        own.record.identityKey,
        own.record.signingKey,
        own.record.exchangeKey.subarray(40, 72),
        chat.sessions.a.sending!.publicKey,
        chat.sessions.a.id,
      ]) {
        expect(contains(envelope, shown)).toBe(false)
      }
    })

    test('any other bit anywhere opens nothing and changes nothing', async () => {
      chat = await begin()
      chat.tell('b')
      const { envelope } = chat.say('a')
      const state = encodeSession(chat.sessions.b)
      const outcomes = new Set<string>()
      const step = name === 'node:crypto' ? 1 : 11
      for (let at = 0; at < envelope.length; at += step) {
        outcomes.add(outcomeOf(() => chat.hear('b', damaged(envelope, at, 1 << (at & 7)))))
      }
      expect([...outcomes].toSorted()).toEqual(['foreign', 'malformed', 'undecryptable'])
      expect(encodeSession(chat.sessions.b)).toEqual(state)
      expect(chat.hear('b', envelope).kind).toBe('opened')
    })

    test('the parts of two messages do not mix', async () => {
      chat = await begin()
      chat.tell('b')
      const [one, two] = [chat.say('a', 'one').envelope, chat.say('a', 'two').envelope]
      for (const cut of [112, 128, 1024 - 32]) {
        const mixed = new Uint8Array([...one.subarray(0, cut), ...two.subarray(cut)])
        expect(outcomeOf(() => chat.hear('b', mixed))).not.toBe('opened')
      }
    })

    test('a message goes one way, in one session: reflected or foreign it is not known', async () => {
      chat = await begin()
      chat.turns(3)
      const another = await begin()
      const said = chat.say('a')
      expect(chat.hear('a', said.envelope).kind).toBe('foreign')
      expect(another.hear('b', said.envelope).kind).toBe('foreign')
      expect(chat.hear('b', said.envelope).kind).toBe('opened')
    })

    test('session, sender and recipient are in every message’s associated data', async () => {
      chat = await begin()
      chat.tell('b')
      const said = chat.say('a')
      const b = chat.sessions.b
      const wrong = new Uint8Array(32)
      for (const change of [{ id: wrong }, { self: wrong }, { peer: wrong }]) {
        const result = openMessage(primitives, { ...b, ...change }, said.envelope, { now: NOW })
        expect(result.kind).toBe('foreign')
      }
    })

    test('a ratchet key that must not be used is refused', async () => {
      chat = await begin()
      const said = chat.say('b')
      const { sending } = said.session
      for (const publicKey of [new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
        const bad = { ...said.session, sending: { ...sending!, publicKey } }
        const forged = seal(people.ben, bad, 'x')
        expect(outcomeOf(() => chat.hear('a', forged.envelope))).toBe('invalid-key')
      }
      const state = {
        ...chat.sessions.a,
        stepDue: true,
        remote: { key: new Uint8Array(32), offer: undefined },
      }
      expect(codeOf(() => seal(people.ana, state, 'x'))).toBe('invalid-key')
    })

    test('a rolled-back state repeats no IV: what it seals differs in every part', async () => {
      chat = await begin()
      const state = chat.sessions.a
      const [one, two] = [seal(people.ana, state, 'same'), seal(people.ana, state, 'same')]
      const [a, b] = [parseEnvelope(one.envelope), parseEnvelope(two.envelope)]
      expect(a.sealed.subarray(0, 16)).not.toEqual(b.sealed.subarray(0, 16))
      expect(a.encryptedHeader.subarray(0, 16)).not.toEqual(b.encryptedHeader.subarray(0, 16))
      expect(a.sealed.subarray(16, 32)).not.toEqual(b.sealed.subarray(16, 32))
      expect(a.sealed.subarray(0, 16)).not.toEqual(a.encryptedHeader.subarray(0, 16))
      expect(chat.hear('b', one.envelope).kind).toBe('opened')
      expect(chat.hear('b', two.envelope).kind).toBe('late')
    })

    test('an envelope is a power of two that grows with its text', async () => {
      chat = await begin()
      chat.tell('b')
      const sizes = [0, 700, 1500, 3500, 30_000, 60_000].map(
        (length) => chat.say('a', 'x'.repeat(length)).envelope.length,
      )
      expect(sizes).toEqual([1024, 1024, 2048, 4096, 32_768, 65_536])
      const state = chat.sessions.a
      expect(codeOf(() => seal(people.ana, state, 'x'.repeat(60_001)))).toBe('content-too-large')
    })
  })

  describe('keys', () => {
    test('no message key outlives its turn: a state holds none of the secrets before it', async () => {
      chat = await begin()
      for (let turn = 0; turn < 76; turn++) {
        // Two messages of each chain, so that its key moves as well.
        const side: Side = turn % 4 < 2 ? 'b' : 'a'
        const before = chat.sessions[side]
        const said = chat.say(side)
        const sealedState = encodeSession(chat.sessions[side])
        const stepped = chat.sessions[side].rootKey !== before.rootKey
        for (const secret of [stepped && before.rootKey, before.sending?.key]) {
          if (secret) expect(contains(sealedState, secret)).toBe(false)
        }
        const old = chat.sessions[other(side)]
        chat.hear(other(side), said.envelope)
        const now = chat.sessions[other(side)]
        const opened = encodeSession(now)
        const turned = now.rootKey !== old.rootKey
        for (const secret of turned ? secretsOf(old) : [old.receiving!.key]) {
          // One's own sending chain goes on until one's own next step: it opens nothing.
          if (secret !== old.sending?.key) expect(contains(opened, secret)).toBe(false)
        }
      }
    })

    test('a state opens nothing that was opened before', async () => {
      chat = await begin()
      const heard: Uint8Array[] = []
      for (let turn = 0; turn < 12; turn++) {
        const side: Side = turn % 2 === 0 ? 'b' : 'a'
        const { sealed } = chat.tell(side)
        if (side === 'a') heard.push(sealed.envelope)
        for (const envelope of heard) {
          expect(['late', 'foreign']).toContain(outcomeOf(() => chat.hear('b', envelope)))
        }
      }
    })
  })

  test('contents that are no Content are malformed, and change nothing', async () => {
    chat = await begin()
    const said = seal(people.ana, chat.sessions.a, { ...text('x'), messageId: new Uint8Array(3) })
    const state = encodeSession(chat.sessions.b)
    expect(outcomeOf(() => chat.hear('b', said.envelope))).toBe('malformed')
    expect(encodeSession(chat.sessions.b)).toEqual(state)
  })
})

describe('a message in a session that was put aside', () => {
  test.each([
    ['live', 'live'],
    ['superseded', 'recalled'],
    ['recalled', 'recalled'],
    ['dead', 'revived'],
    ['revived', 'revived'],
  ] as const)('%s: from then on it is %s', async (before, after) => {
    const { ana, ben } = await cast(Object.keys(PROVIDERS)[0]!)
    const chat = await Conversation.begin(ana, ben)
    chat.sessions.a = { ...chat.sessions.a, standing: before }
    chat.tell('b')
    expect(chat.sessions.a.standing).toBe(after)
  })
})
