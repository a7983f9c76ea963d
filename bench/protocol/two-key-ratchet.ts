/**
 * 2key-ratchet: X3DH and a Double Ratchet on P-256, everything by WebCrypto. A ratchet is an object
 * with non-extractable keys; the library asks for no storing after each step, so none is done.
 */
import {
  AsymmetricRatchet,
  Identity,
  MessageSignedProtocol,
  PreKeyBundleProtocol,
  PreKeyMessageProtocol,
  setEngine,
} from '2key-ratchet'
import { expectText, other, type Role, type Subject, toBytes, toText } from './subject.ts'

export function twoKeyRatchet(): Subject {
  let identities: Record<Role, Identity>
  let bundle: ArrayBuffer
  let ratchets: Record<Role, AsymmetricRatchet>

  async function prepare(): Promise<void> {
    if (identities) return
    setEngine('WebCrypto', crypto)
    identities = {
      initiator: await Identity.create(1, 1, 1),
      responder: await Identity.create(2, 1, 1),
    }
    bundle = await published(identities.responder)
  }

  async function setUp(text: string): Promise<number> {
    const keys = await PreKeyBundleProtocol.importProto(bundle)
    const initiator = await AsymmetricRatchet.create(identities.initiator, keys)
    const sent = await (await initiator.encrypt(toBytes(text).buffer)).exportProto()
    const first = await PreKeyMessageProtocol.importProto(sent)
    const responder = await AsymmetricRatchet.create(identities.responder, first)
    expectText(toText(await responder.decrypt(first.signedMessage)), text)
    ratchets = { initiator, responder }
    await send({ sender: 'responder', text })
    return sent.byteLength
  }

  async function send({ sender, text }: { sender: Role; text: string }): Promise<number> {
    const sent = await (await ratchets[sender].encrypt(toBytes(text).buffer)).exportProto()
    const message = await MessageSignedProtocol.importProto(sent)
    expectText(toText(await ratchets[other(sender)].decrypt(message)), text)
    return sent.byteLength
  }

  return {
    remark: 'X3DH on P-256, Double Ratchet, WebCrypto; state stays in objects, not stored',
    prepare,
    setUp,
    send,
  }
}

async function published(identity: Identity): Promise<ArrayBuffer> {
  const bundle = new PreKeyBundleProtocol()
  await bundle.identity.fill(identity)
  bundle.registrationId = identity.id
  bundle.preKey.id = 0
  bundle.preKey.key = identity.preKeys[0]!.publicKey
  bundle.preKeySigned.id = 0
  bundle.preKeySigned.key = identity.signedPreKeys[0]!.publicKey
  await bundle.preKeySigned.sign(identity.signingKey.privateKey)
  return bundle.exportProto()
}
