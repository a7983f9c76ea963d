/** What the protocol's tests share: providers, people, and messages between them. */
import { createHash, randomBytes } from 'node:crypto'
import { type Bytes, parsePhoneNumber } from '@couplet/wire'
import {
  acceptSession,
  type Content,
  createIdentity,
  createPrekeys,
  type HandshakeEntropy,
  type Identity,
  importIdentity,
  importPrekeys,
  initiateSession,
  type MessageEntropy,
  type OwnIdentity,
  type OwnPrekeys,
  type Primitives,
  parseEnvelope,
  type Sealed,
  type Session,
  sealMessage,
  unwrapSessionSecret,
} from '../src/index.ts'
import { nodePrimitives } from '../src/node/index.ts'
import { webPrimitives } from '../src/web/index.ts'

export const PROVIDERS: Record<string, Primitives> = {
  'node:crypto': nodePrimitives,
  'noble and WebCrypto': webPrimitives,
}

export const NOW = Date.UTC(2026, 0, 1)

/** Random bytes: of the platform, or of a seed so that a failing run can be repeated. */
export type Random = (length: number) => Bytes

export const systemRandom: Random = (length) => new Uint8Array(randomBytes(length))

/** SHA-256 in counter mode: not secure, but the same every time. */
export function seededRandom(seed: string): Random {
  let counter = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let offset = 0; offset < length; offset += 32) {
      const block = createHash('sha256').update(`${seed}/${counter++}`).digest()
      bytes.set(block.subarray(0, length - offset), offset)
    }
    return bytes
  }
}

export interface Person {
  readonly primitives: Primitives
  readonly own: OwnIdentity
  readonly public: Identity
  readonly prekeys: OwnPrekeys
}

export async function person(
  primitives: Primitives,
  phone: string,
  random: Random = systemRandom,
): Promise<Person> {
  const pair = await primitives.generateExchangeKey()
  const own = createIdentity(primitives, {
    phone: parsePhoneNumber(phone),
    createdAt: NOW,
    exchangePublicKey: pair.publicKey,
    exchangeKey: pair.privateKey,
    signingSeed: random(32),
    identitySecret: random(32),
  })
  const prekeys = createPrekeys(primitives, {
    owner: own,
    id: 1,
    now: NOW,
    secret: random(32),
    kemSeed: random(64),
  })
  return { primitives, own, public: importIdentity(primitives, own.signed), prekeys }
}

export function handshakeEntropy(random: Random = systemRandom): HandshakeEntropy {
  return {
    ephemeralSeed: random(32),
    sessionSecret: random(32),
    identityBlockIv: random(16),
  }
}

export function messageEntropy(random: Random = systemRandom): MessageEntropy {
  return {
    headerIv: random(16),
    contentIv: random(16),
    ratchetSeed: random(32),
    kemSeed: random(64),
  }
}

export function text(body: string, sequence = 1, random: Random = systemRandom): Content {
  return {
    messageId: random(16),
    sequence,
    oldestPending: sequence,
    sentAt: NOW,
    expiresAfter: 0,
    body: { kind: 'text', text: body },
  }
}

export async function initiate(
  from: Person,
  to: Person,
  options: { readonly continues?: Session; readonly random?: Random } = {},
): Promise<Session> {
  const prekeys = importPrekeys(from.primitives, {
    owner: to.public,
    signed: to.prekeys.signed,
    now: NOW,
    highestSeenId: 0,
  })
  return initiateSession(from.primitives, {
    self: from.own,
    peer: to.public,
    prekeys,
    continues: options.continues,
    entropy: handshakeEntropy(options.random),
    now: NOW,
  })
}

export function seal(
  from: Person,
  session: Session,
  content: Content | string,
  options: { readonly now?: number; readonly random?: Random } = {},
): Sealed {
  return sealMessage(
    from.primitives,
    session,
    typeof content === 'string' ? text(content) : content,
    { entropy: messageEntropy(options.random), now: options.now ?? NOW },
  )
}

export async function accept(to: Person, envelope: Uint8Array) {
  const header = parseEnvelope(envelope).handshake
  if (!header) throw new Error('test: no handshake')
  const fallback = systemRandom(32)
  const sessionSecret = await unwrapSessionSecret(to.primitives, to.own, header, fallback)
  return acceptSession(to.primitives, {
    self: to.own,
    prekeys: to.prekeys,
    envelope,
    sessionSecret,
    now: NOW,
  })
}

/** Text of an opened message, for short expectations. */
export function textOf(content: Content): string {
  return content.body.kind === 'text' ? content.body.text : content.body.kind
}
