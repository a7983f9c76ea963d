// biome-ignore-all lint/correctness/noUndeclaredDependencies: the workspace's own packages, of the folder above.
/**
 * Couplet itself, with either provider. Sessions are stored as bytes after every step and read back
 * before the next, as the client does; a receipt is taken note of when its sender next sends.
 */
import {
  acceptSession,
  createIdentity,
  createPrekeys,
  decodeSession,
  encodeSession,
  handshakeHash,
  importIdentity,
  importPrekeys,
  initiateSession,
  noteReceipt,
  type Opened,
  type OwnIdentity,
  type OwnPrekeys,
  openMessage,
  type Position,
  type Primitives,
  parseEnvelope,
  type Sealed,
  sealMessage,
  unwrapSessionSecret,
} from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import { webPrimitives } from '@couplet/protocol/web'
import { type Bytes, equalBytes, parsePhoneNumber } from '@couplet/wire'
// Where the client has its random bytes from.
import { systemRandom as nodeRandom } from '../../packages/client/src/node/system.ts'
import { systemRandom as webRandom } from '../../packages/client/src/web/system.ts'
import { expectText, other, type Role, type Subject } from './subject.ts'

interface Variant {
  readonly primitives: Primitives
  readonly random: (length: number) => Bytes
  readonly remark: string
}

export const NODE: Variant = {
  primitives: nodePrimitives,
  random: nodeRandom,
  remark: 'node:crypto; header encryption, receipts, ML-KEM steps; sessions as bytes in memory',
}

export const WEB: Variant = {
  primitives: webPrimitives,
  random: webRandom,
  remark: 'the same with the provider for browsers (noble, RSA by WebCrypto), run on Node',
}

export function couplet(variant: Variant): Subject {
  const { remark } = variant
  let ends: Record<Role, Device>

  async function prepare(): Promise<void> {
    ends ??= {
      initiator: await createDevice(variant, '+41790000001'),
      responder: await createDevice(variant, '+41790000002'),
    }
  }

  async function setUp(text: string): Promise<number> {
    const { initiator, responder } = ends
    await initiate(initiator, responder)
    const first = seal(initiator, text)
    settle(initiator, first, await accept(responder, first.envelope), text)
    deliver('responder', text)
    return first.envelope.length
  }

  function deliver(sender: Role, text: string): number {
    const sealed = seal(ends[sender], text)
    settle(ends[sender], sealed, open(ends[other(sender)], sealed.envelope), text)
    return sealed.envelope.length
  }

  return { remark, prepare, setUp, send: async ({ sender, text }) => deliver(sender, text) }
}

interface Device {
  readonly primitives: Primitives
  readonly random: Variant['random']
  readonly own: OwnIdentity
  readonly prekeys: OwnPrekeys
  /** Its session as its store holds it. */
  stored: Bytes
  /** Of messages that have their receipts, the one that the session has not heard of yet. */
  delivered: Position | undefined
  sequence: number
}

async function createDevice({ primitives, random }: Variant, phone: string): Promise<Device> {
  const pair = await primitives.generateExchangeKey()
  const own = createIdentity(primitives, {
    phone: parsePhoneNumber(phone),
    createdAt: Date.now(),
    exchangePublicKey: pair.publicKey,
    exchangeKey: pair.privateKey,
    signingSeed: random(32),
    identitySecret: random(32),
  })
  const prekeys = createPrekeys(primitives, {
    owner: own,
    id: 1,
    now: Date.now(),
    secret: random(32),
    kemSeed: random(64),
  })
  return { primitives, random, own, prekeys, stored: random(0), delivered: undefined, sequence: 0 }
}

async function initiate(self: Device, peer: Device): Promise<void> {
  const { primitives } = self
  const now = Date.now()
  const owner = importIdentity(primitives, peer.own.signed)
  const prekeys = importPrekeys(primitives, {
    owner,
    signed: peer.prekeys.signed,
    now,
    highestSeenId: 0,
  })
  const entropy = self.random(80)
  const session = await initiateSession(primitives, {
    self: self.own,
    peer: owner,
    prekeys,
    entropy: {
      ephemeralSeed: entropy.subarray(0, 32),
      sessionSecret: entropy.subarray(32, 64),
      identityBlockIv: entropy.subarray(64, 80),
    },
    now,
  })
  self.stored = encodeSession(session)
  self.delivered = undefined
}

async function accept(self: Device, envelope: Bytes): Promise<Opened> {
  const { primitives } = self
  const { handshake } = parseEnvelope(envelope)
  if (!handshake) throw new Error('the first message has no handshake')
  // A client asks by this whether it has seen the handshake before.
  handshakeHash(primitives, { self: self.own, prekeys: self.prekeys, header: handshake })
  const sessionSecret = await unwrapSessionSecret(primitives, self.own, handshake, self.random(32))
  const accepted = acceptSession(primitives, {
    self: self.own,
    prekeys: self.prekeys,
    envelope,
    sessionSecret,
    now: Date.now(),
  })
  self.stored = encodeSession(accepted.session)
  self.delivered = undefined
  return accepted
}

function seal(self: Device, text: string): Sealed {
  const now = Date.now()
  const loaded = decodeSession(self.stored)
  const session = self.delivered ? noteReceipt(loaded, self.delivered) : loaded
  const sequence = ++self.sequence
  const entropy = self.random(144)
  const sealed = sealMessage(
    self.primitives,
    session,
    {
      messageId: entropy.subarray(128, 144),
      sequence,
      oldestPending: sequence,
      sentAt: now,
      expiresAfter: 0,
      body: { kind: 'text', text },
    },
    {
      entropy: {
        headerIv: entropy.subarray(0, 16),
        contentIv: entropy.subarray(16, 32),
        ratchetSeed: entropy.subarray(32, 64),
        kemSeed: entropy.subarray(64, 128),
      },
      now,
    },
  )
  self.stored = encodeSession(sealed.session)
  return sealed
}

function open(self: Device, envelope: Bytes): Opened {
  const opened = openMessage(self.primitives, decodeSession(self.stored), envelope, {
    now: Date.now(),
  })
  if (opened.kind !== 'opened') throw new Error(`a message was ${opened.kind}`)
  self.stored = encodeSession(opened.session)
  return opened
}

/** The text arrived, and the sender holds the proof of it. */
function settle(sender: Device, sealed: Sealed, { content, receipt }: Opened, text: string): void {
  expectText(content.body.kind === 'text' ? content.body.text : content.body.kind, text)
  if (!equalBytes(receipt, sealed.receipt)) throw new Error('a receipt is wrong')
  sender.delivered = sealed.position
}
