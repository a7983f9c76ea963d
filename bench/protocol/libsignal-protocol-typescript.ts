/**
 * The maintained port of Signal's retired JavaScript library: X3DH and the Double Ratchet, without
 * post-quantum keys. Curve25519 in compiled C (asm.js), the rest by WebCrypto. Its sessions are
 * strings, which a store keeps.
 */
import {
  type DeviceType,
  KeyHelper,
  type KeyPairType,
  type MessageType,
  SessionBuilder,
  SessionCipher,
  type SessionRecordType,
  SignalProtocolAddress,
  type SignedPreKeyPairType,
  type StorageType,
} from '@privacyresearch/libsignal-protocol-typescript'
import { expectText, other, type Role, type Subject, toBytes, toText } from './subject.ts'

export function libsignalProtocolTypescript(): Subject {
  let ends: Record<Role, Device>

  async function prepare(): Promise<void> {
    ends ??= { initiator: await Device.create(), responder: await Device.create() }
  }

  async function setUp(text: string): Promise<number> {
    const { initiator, responder } = ends
    initiator.sessions.clear()
    responder.sessions.clear()
    await new SessionBuilder(initiator, ADDRESSES.responder).processPreKey(responder.bundle())
    const size = await send({ sender: 'initiator', text })
    await send({ sender: 'responder', text })
    return size
  }

  async function send({ sender, text }: { sender: Role; text: string }): Promise<number> {
    const recipient = other(sender)
    const cipher = new SessionCipher(ends[sender], ADDRESSES[recipient])
    const message = await cipher.encrypt(toBytes(text).buffer)
    expectText(toText(await open(ends[recipient], ADDRESSES[sender], message)), text)
    return message.body!.length
  }

  return {
    remark: 'X3DH without one-time prekey, Double Ratchet; sessions as strings in memory',
    prepare,
    setUp,
    send,
  }
}

function open(
  device: Device,
  from: SignalProtocolAddress,
  { type, body }: MessageType,
): Promise<ArrayBuffer> {
  const cipher = new SessionCipher(device, from)
  return type === PREKEY_MESSAGE
    ? cipher.decryptPreKeyWhisperMessage(body!, 'binary')
    : cipher.decryptWhisperMessage(body!, 'binary')
}

class Device implements StorageType {
  readonly sessions = new Map<string, SessionRecordType>()
  readonly #identity: KeyPairType
  readonly #signedPrekey: SignedPreKeyPairType

  static async create(): Promise<Device> {
    const identity = await KeyHelper.generateIdentityKeyPair()
    return new Device(identity, await KeyHelper.generateSignedPreKey(identity, 1))
  }

  constructor(identity: KeyPairType, signedPrekey: SignedPreKeyPairType) {
    this.#identity = identity
    this.#signedPrekey = signedPrekey
  }

  bundle(): DeviceType {
    const { keyId, keyPair, signature } = this.#signedPrekey
    return {
      identityKey: this.#identity.pubKey,
      signedPreKey: { keyId, publicKey: keyPair.pubKey, signature },
      registrationId: 1,
    }
  }

  getIdentityKeyPair = async (): Promise<KeyPairType> => this.#identity
  getLocalRegistrationId = async (): Promise<number> => 1
  isTrustedIdentity = async (): Promise<boolean> => true
  saveIdentity = async (): Promise<boolean> => false
  loadPreKey = async (): Promise<undefined> => undefined
  storePreKey = async (): Promise<void> => {}
  removePreKey = async (): Promise<void> => {}
  loadSignedPreKey = async (): Promise<KeyPairType> => this.#signedPrekey.keyPair
  storeSignedPreKey = async (): Promise<void> => {}
  removeSignedPreKey = async (): Promise<void> => {}
  loadSession = async (address: string): Promise<SessionRecordType | undefined> =>
    this.sessions.get(address)
  storeSession = async (address: string, record: SessionRecordType): Promise<void> => {
    this.sessions.set(address, record)
  }
}

const PREKEY_MESSAGE = 3
const ADDRESSES: Record<Role, SignalProtocolAddress> = {
  initiator: new SignalProtocolAddress('initiator', 1),
  responder: new SignalProtocolAddress('responder', 1),
}
