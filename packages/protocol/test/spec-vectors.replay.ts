/**
 * The code under test, led through the events of a conversation: what the vectors say that it was
 * given, and whether it makes of that what the vectors say.
 */
import { type Bytes, fromHex, parsePhoneNumber, toHex } from '@couplet/wire'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { expect } from 'vitest'
import { encodeContent } from '../src/content.ts'
import {
  type Accepted,
  acceptSession,
  type Content,
  createIdentity,
  createPrekeys,
  type ExchangePrivateKey,
  handshakeHash,
  type Identity,
  importIdentity,
  importPrekeys,
  initiateSession,
  noteReceipt,
  type OwnIdentity,
  type OwnPrekeys,
  openMessage,
  PREKEY_LIFETIME_MS,
  type Primitives,
  ProtocolError,
  parseEnvelope,
  type Session,
  sealMessage,
  sessionToSendIn,
  unwrapSessionSecret,
} from '../src/index.ts'
import { importExchangeKey as importNodeKey } from '../src/node/index.ts'
import { importExchangeKey as importWebKey } from '../src/web/index.ts'
import { readVectors, type Vector } from './spec-vectors.files.ts'
import { PROVIDERS } from './support.ts'

export interface Player {
  readonly primitives: Primitives
  readonly own: OwnIdentity
  readonly public: Identity
  /** By name. */
  readonly prekeys: ReadonlyMap<string, OwnPrekeys>
}

/** The people of people.json, made by one provider from their seeds. */
export async function players(provider: string): Promise<ReadonlyMap<string, Player>> {
  const made = new Map<string, Player>()
  for (const vector of readVectors('people.json').vectors) {
    made.set(vector.name, await player(provider, vector))
  }
  return made
}

async function player(provider: string, vector: Vector): Promise<Player> {
  const primitives = PROVIDERS[provider]!
  const own = createIdentity(primitives, {
    phone: parsePhoneNumber(`+${vector.phone}`),
    createdAt: vector.createdAt,
    exchangePublicKey: fromHex(vector.exchangePublicKey),
    exchangeKey: await importExchangeKey(provider, fromHex(vector.exchangePrivateKey)),
    signingSeed: fromHex(vector.signingSeed),
    identitySecret: fromHex(vector.identitySecret),
  })
  const prekeys = new Map<string, OwnPrekeys>()
  for (const set of vector.prekeys) {
    const { id, notAfter } = set
    const [secret, kemSeed] = [fromHex(set.secret), fromHex(set.kemSeed)]
    const now = notAfter - PREKEY_LIFETIME_MS
    prekeys.set(set.name, createPrekeys(primitives, { owner: own, id, now, secret, kemSeed }))
  }
  return { primitives, own, public: importIdentity(primitives, own.signed), prekeys }
}

function importExchangeKey(provider: string, key: Uint8Array): Promise<ExchangePrivateKey> {
  return provider === 'node:crypto' ? Promise.resolve(importNodeKey(key)) : importWebKey(key)
}

/** A provider whose randomness is recorded: coins of ML-KEM, and what RSA-OAEP gave. */
export function withRecorded(
  primitives: Primitives,
  recorded: { readonly kemCoins?: string; readonly wrappedSecret?: string },
): Primitives {
  return {
    ...primitives,
    kemEncapsulate(publicKey) {
      if (!recorded.kemCoins) throw new Error('test: a KEM secret was not to be mixed here')
      const made = ml_kem768.encapsulate(publicKey, fromHex(recorded.kemCoins))
      return {
        ciphertext: new Uint8Array(made.cipherText),
        sharedSecret: new Uint8Array(made.sharedSecret),
      }
    },
    rsaOaepEncrypt: async () => fromHex(recorded.wrappedSecret ?? ''),
  }
}

export class Replay {
  readonly #players: Readonly<Record<string, ReadonlyMap<string, Player>>>
  readonly sessions = new Map<string, Session>()
  readonly #owners = new Map<string, string>()
  readonly #envelopes = new Map<string, Bytes>()

  /** @param providers - who is played by which provider's people. */
  constructor(providers: Readonly<Record<string, ReadonlyMap<string, Player>>>) {
    this.#players = providers
  }

  async run(events: readonly Vector[]): Promise<void> {
    for (const event of events) await this.#play(event)
  }

  async #play(event: Vector): Promise<void> {
    switch (event.do) {
      case 'begin':
        return this.#begin(event)
      case 'seal':
        return this.#seal(event)
      case 'accept':
        return this.#accept(event)
      case 'open':
        return this.#open(event)
      case 'receipt':
        return this.#receipt(event)
      case 'choose':
        return this.#choose(event)
      case 'standing': {
        const { session, standing } = event
        this.sessions.set(session, { ...this.session(session), standing })
        return
      }
      case 'refuse':
      case 'note':
        return
      default:
        throw new Error(`test: unknown event ${event.do}`)
    }
  }

  async #begin(event: Vector): Promise<void> {
    const by = this.player(event.by)
    const session = await beginSession(by, this.player(event.to), event, {
      continues: event.continues && this.session(event.continues),
    })
    this.#add(event.session, event.by, session)
  }

  #seal(event: Vector): void {
    const { entropy, derives } = event
    const { primitives } = this.#owner(event.session)
    const before = this.session(event.session)
    expect(before.stepDue).toBe(derives.step !== undefined)
    const sealed = sealMessage(
      withRecorded(primitives, entropy),
      before,
      contentOf(event.content),
      {
        entropy: {
          headerIv: fromHex(entropy.headerIv),
          contentIv: fromHex(entropy.contentIv),
          ratchetSeed: fromHex(entropy.ratchetSeed ?? ''),
          kemSeed: fromHex(entropy.kemSeed ?? ''),
        },
        now: event.now,
      },
    )
    expect(toHex(encodeContent(contentOf(event.content)))).toBe(derives.encodedContent)
    expect(toHex(sealed.envelope)).toBe(event.envelope)
    expect(toHex(sealed.id)).toBe(event.id)
    expect(toHex(sealed.receipt)).toBe(event.receipt)
    expect(sealed.position.chain).toBe(derives.chain)
    expect(sealed.position.number).toBe(derives.number)
    if (derives.step) expect(toHex(sealed.session.rootKey)).toBe(derives.step.rootKey)
    this.sessions.set(event.session, sealed.session)
    this.#envelopes.set(event.message, sealed.envelope)
  }

  async #accept(event: Vector): Promise<void> {
    const by = this.player(event.by)
    const envelope = this.#envelope(event.message)
    const accepted = await acceptEnvelope(by, by.prekeys.get(event.prekeys)!, envelope, event)
    const { derives } = event
    expect(toHex(accepted.peer.id)).toBe(toHex(this.player(event.from).own.id))
    expect(toHex(accepted.session.id)).toBe(derives.sessionId)
    expect(toHex(accepted.session.handshakeHash)).toBe(derives.handshakeHash)
    this.#expectOpened(event, accepted)
    for (const [name, session] of this.sessions) {
      if (this.#owners.get(name) !== event.by) continue
      const proves = derives.continuityProof !== '00'.repeat(32)
      expect(accepted.continues(session), name).toBe(proves && name === 'ben-1')
    }
    this.#add(event.session, event.by, accepted.session)
  }

  #open(event: Vector): void {
    const { primitives } = this.#owner(event.session)
    const before = this.session(event.session)
    const opened = openMessage(primitives, before, this.#envelope(event.message), {
      now: event.now,
    })
    expect(opened.kind).toBe(event.result)
    if (opened.kind !== 'opened') return
    this.#expectOpened(event, opened)
    this.sessions.set(event.session, opened.session)
  }

  #expectOpened(event: Vector, opened: Pick<Accepted, 'content' | 'receipt' | 'session'>): void {
    expect(toHex(opened.receipt)).toBe(event.receipt)
    expect(toHex(encodeContent(opened.content))).toBe(event.derives.encodedContent)
    const { step } = event.derives
    if (step) expect(toHex(opened.session.rootKey)).toBe(step.rootKey)
  }

  #receipt(event: Vector): void {
    const session = this.session(event.session)
    const { chain, number } = event
    const position = { sessionId: session.id, chain, number }
    this.sessions.set(event.session, noteReceipt(session, position))
  }

  #choose(event: Vector): void {
    const sessions: Session[] = event.among.map((name: string) => this.session(name))
    const chosen = sessionToSendIn(sessions)
    const name = chosen ? event.among[sessions.indexOf(chosen)] : null
    expect(name).toBe(event.sendsIn)
  }

  player(name: string): Player {
    return this.#players[name]!.get(name)!
  }

  session(name: string): Session {
    const session = this.sessions.get(name)
    if (!session) throw new Error(`test: no session ${name}`)
    return session
  }

  ownerOf(session: string): Player {
    return this.#owner(session)
  }

  #owner(session: string): Player {
    return this.player(this.#owners.get(session)!)
  }

  #add(name: string, owner: string, session: Session): void {
    this.sessions.set(name, session)
    this.#owners.set(name, owner)
  }

  #envelope(message: string): Bytes {
    const envelope = this.#envelopes.get(message)
    if (!envelope) throw new Error(`test: no message ${message}`)
    return envelope
  }
}

/** `initiateSession` with everything recorded, held against everything derived. */
export async function beginSession(
  by: Player,
  to: Player,
  vector: Vector,
  { continues }: { readonly continues?: Session | undefined },
): Promise<Session> {
  const { entropy, derives, now } = vector
  const prekeys = importPrekeys(by.primitives, {
    owner: to.public,
    signed: to.prekeys.get(vector.prekeys)!.signed,
    now,
    highestSeenId: 0,
  })
  const recorded = { kemCoins: entropy.kemCoins, wrappedSecret: derives.wrappedSecret }
  const session = await initiateSession(withRecorded(by.primitives, recorded), {
    self: by.own,
    peer: to.public,
    prekeys,
    continues,
    entropy: {
      ephemeralSeed: fromHex(entropy.ephemeralSeed),
      sessionSecret: fromHex(entropy.sessionSecret),
      identityBlockIv: fromHex(entropy.identityBlockIv),
    },
    now,
  })
  const { handshake } = session
  expect({
    ephemeralKey: toHex(handshake!.ephemeralKey),
    encapsulatedKey: toHex(handshake!.encapsulatedKey),
    identityBlock: toHex(handshake!.identityBlock),
    handshakeHash: toHex(session.handshakeHash),
    rootKey: toHex(session.rootKey),
    initiatorHeaderKey: toHex(session.nextSendingHeaderKey),
    responderHeaderKey: toHex(session.nextReceivingHeaderKey),
    resetKey: toHex(session.continuity.proving),
    sessionId: toHex(session.id),
  }).toEqual({
    ephemeralKey: derives.ephemeralKey,
    encapsulatedKey: derives.encapsulatedKey,
    identityBlock: derives.identityBlock,
    handshakeHash: derives.handshakeHash,
    rootKey: derives.rootKey,
    initiatorHeaderKey: derives.initiatorHeaderKey,
    responderHeaderKey: derives.responderHeaderKey,
    resetKey: derives.resetKey,
    sessionId: derives.sessionId,
  })
  return session
}

/** The responder's side: RSA first, then everything else. */
export async function acceptEnvelope(
  by: Player,
  prekeys: OwnPrekeys,
  envelope: Bytes,
  vector: Vector,
): Promise<Accepted> {
  const { primitives, own } = by
  const header = parseEnvelope(envelope).handshake
  let sessionSecret: Bytes = fromHex(vector.fallback ?? '00'.repeat(32))
  if (header) {
    sessionSecret = await unwrapSessionSecret(primitives, own, header, sessionSecret)
    const hash = toHex(handshakeHash(primitives, { self: own, prekeys, header }))
    if (vector.derives) expect(hash).toBe(vector.derives.handshakeHash)
  }
  return acceptSession(primitives, {
    self: own,
    prekeys,
    envelope,
    sessionSecret,
    now: vector.now,
  })
}

export function contentOf(vector: Vector): Content {
  const { messageId, sequence, oldestPending, sentAt, expiresAfter, text, control } = vector
  const numbers = { sequence, oldestPending, sentAt, expiresAfter }
  const body =
    text !== undefined
      ? ({ kind: 'text', text } as const)
      : ({ kind: control === 1 ? 'heartbeat' : 'unsupported' } as const)
  return { messageId: fromHex(messageId), ...numbers, body }
}

/** A state in the form of the vectors. */
export function stateOf(name: string, session: Session): Vector {
  const { sending, receiving, remote } = session
  return {
    name,
    role: session.role,
    id: toHex(session.id),
    handshakeHash: toHex(session.handshakeHash),
    standing: session.standing,
    successor: session.successor,
    established: session.established,
    rootKey: toHex(session.rootKey),
    nextSendingHeaderKey: toHex(session.nextSendingHeaderKey),
    nextReceivingHeaderKey: toHex(session.nextReceivingHeaderKey),
    pastHeaderKeys: session.pastHeaderKeys.map(toHex),
    stepDue: session.stepDue,
    stepsSinceKem: session.stepsSinceKem,
    kemMixedAt: session.kemMixedAt,
    proving: toHex(session.continuity.proving),
    accepted: session.continuity.accepted.map(toHex),
    handshakeRides: session.handshake !== undefined,
    ...(sending && {
      sending: {
        index: sending.index,
        key: toHex(sending.key),
        headerKey: toHex(sending.headerKey),
        count: sending.count,
        receipted: sending.receipted,
        publicKey: toHex(sending.publicKey),
        secret: optional(sending.secret),
        ciphertext: optional(sending.ciphertext),
        announce: sending.announce,
        offerSeed: optional(sending.offer?.seed),
      },
    }),
    ...(remote && { remote: { key: toHex(remote.key), offer: optional(remote.offer) } }),
    ...(receiving && {
      receiving: {
        key: toHex(receiving.key),
        headerKey: toHex(receiving.headerKey),
        count: receiving.count,
      },
    }),
  }
}

function optional(bytes: Uint8Array | undefined): string | null {
  return bytes ? toHex(bytes) : null
}

/** The code of the ProtocolError that an action throws, or what it gives. */
export async function resultOf(action: () => unknown): Promise<unknown> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}
