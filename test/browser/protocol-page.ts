/**
 * What runs inside the page: the protocol on its web provider. The test outside calls the functions
 * that this makes global; bytes cross the border as base64url.
 */
import { fromBase64Url, parsePhoneNumber, toBase64Url } from '@couplet/wire'
import {
  acceptSession,
  createIdentity,
  createPrekeys,
  type OwnIdentity,
  type OwnPrekeys,
  openMessage,
  parseEnvelope,
  type Session,
  sealMessage,
  unwrapSessionSecret,
} from '../../packages/protocol/src/index.ts'
import { importExchangeKey, webPrimitives } from '../../packages/protocol/src/web/index.ts'
import { KNOWN_ANSWERS, type VectorFile } from '../../packages/protocol/test/known-answers.ts'

export interface ProtocolPage {
  /** Runs one of `KNOWN_ANSWERS`; answers the number of cases that held. */
  knownAnswers(index: number, data: VectorFile): Promise<number>
  /** Makes a person; answers the signed identity and prekeys. */
  becomePerson(phone: string, now: number): Promise<{ identity: string; prekeys: string }>
  /** Accepts a handshake; answers the text that it carried. */
  accept(envelope: string, now: number): Promise<string>
  open(envelope: string, now: number): string
  seal(text: string, now: number): { envelope: string; receipt: string }
}

let own: OwnIdentity
let prekeys: OwnPrekeys
let session: Session

const page: ProtocolPage = {
  async knownAnswers(index, data) {
    const subject = { primitives: webPrimitives, importExchangeKey }
    return (await KNOWN_ANSWERS[index]!.run(subject, data)).cases
  },

  async becomePerson(phone, now) {
    const pair = await webPrimitives.generateExchangeKey()
    own = createIdentity(webPrimitives, {
      phone: parsePhoneNumber(phone),
      createdAt: now,
      exchangePublicKey: pair.publicKey,
      exchangeKey: pair.privateKey,
      signingSeed: random(32),
      identitySecret: random(32),
    })
    prekeys = createPrekeys(webPrimitives, {
      owner: own,
      id: 1,
      now,
      secret: random(32),
      kemSeed: random(64),
    })
    return { identity: toBase64Url(own.signed), prekeys: toBase64Url(prekeys.signed) }
  },

  async accept(text, now) {
    const envelope = fromBase64Url(text)
    const header = parseEnvelope(envelope).handshake!
    const sessionSecret = await unwrapSessionSecret(webPrimitives, own, header, random(32))
    const input = { self: own, prekeys, envelope, sessionSecret, now }
    const accepted = acceptSession(webPrimitives, input)
    session = accepted.session
    return textOf(accepted.content.body)
  },

  open(envelope, now) {
    const opened = openMessage(webPrimitives, session, fromBase64Url(envelope), { now })
    if (opened.kind !== 'opened') throw new Error(opened.kind)
    session = opened.session
    return textOf(opened.content.body)
  },

  seal(text, now) {
    const content = {
      messageId: random(16),
      sequence: 1,
      oldestPending: 1,
      sentAt: now,
      expiresAfter: 0,
      body: { kind: 'text', text },
    } as const
    const entropy = {
      headerIv: random(16),
      contentIv: random(16),
      ratchetSeed: random(32),
      kemSeed: random(64),
    }
    const sealed = sealMessage(webPrimitives, session, content, { entropy, now })
    session = sealed.session
    return { envelope: toBase64Url(sealed.envelope), receipt: toBase64Url(sealed.receipt) }
  },
}

Object.assign(globalThis, { couplet: page })

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length))
}

function textOf(body: { kind: string; text?: string }): string {
  return body.text ?? body.kind
}
