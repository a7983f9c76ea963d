/**
 * Signal's own library: Rust, as a native add-on. PQXDH and the Triple Ratchet (SPQR), X25519 and
 * ML-KEM-1024. Stores are in memory and hold serialized records, like those of its own tests.
 */
import {
  type CiphertextMessage,
  CiphertextMessageType,
  type Direction,
  IdentityChange,
  IdentityKeyPair,
  IdentityKeyStore,
  KEMKeyPair,
  KyberPreKeyRecord,
  KyberPreKeyStore,
  PreKeyBundle,
  type PreKeyRecord,
  PreKeySignalMessage,
  PreKeyStore,
  PrivateKey,
  ProtocolAddress,
  type PublicKey,
  processPreKeyBundle,
  SessionRecord,
  SessionStore,
  SignalMessage,
  SignedPreKeyRecord,
  SignedPreKeyStore,
  signalDecrypt,
  signalDecryptPreKey,
  signalEncrypt,
} from '@signalapp/libsignal-client'
import { expectText, other, type Role, type Subject, toBytes, toText } from './subject.ts'

type Bytes = Uint8Array<ArrayBuffer>

export function libsignalClient(): Subject {
  let ends: Record<Role, Device>

  async function prepare(): Promise<void> {
    ends ??= { initiator: new Device('initiator'), responder: new Device('responder') }
  }

  async function setUp(text: string): Promise<number> {
    const { initiator, responder } = ends
    initiator.sessions.clear()
    responder.sessions.clear()
    await processPreKeyBundle(
      responder.bundle(),
      responder.address,
      initiator.address,
      initiator.sessions,
      initiator.identity,
    )
    const size = await send({ sender: 'initiator', text })
    await send({ sender: 'responder', text })
    return size
  }

  async function send({ sender, text }: { sender: Role; text: string }): Promise<number> {
    const from = ends[sender]
    const to = ends[other(sender)]
    const message = await signalEncrypt(
      toBytes(text),
      to.address,
      from.address,
      from.sessions,
      from.identity,
    )
    const sent = message.serialize()
    expectText(toText(await to.open(from.address, message, sent)), text)
    return sent.length
  }

  return {
    remark:
      'native (Rust); PQXDH and Triple Ratchet with ML-KEM; no one-time prekey; records serialized in memory',
    prepare,
    setUp,
    send,
  }
}

class Device {
  readonly address: ProtocolAddress
  readonly sessions: Sessions = new Sessions()
  readonly identity: Identities
  readonly #signedPrekeys: SignedPrekeys
  readonly #kyberPrekeys: KyberPrekeys
  readonly #published: SignedPreKeyRecord
  readonly #publishedKyber: KyberPreKeyRecord
  readonly #key: IdentityKeyPair = IdentityKeyPair.generate()

  constructor(name: string) {
    this.address = ProtocolAddress.new(name, 1)
    this.identity = new Identities(this.#key)
    const secret = PrivateKey.generate()
    const publicKey = secret.getPublicKey()
    const signature = this.#key.privateKey.sign(publicKey.serialize())
    this.#published = SignedPreKeyRecord.new(1, Date.now(), publicKey, secret, signature)
    const kem = KEMKeyPair.generate()
    const kemSignature = this.#key.privateKey.sign(kem.getPublicKey().serialize())
    this.#publishedKyber = KyberPreKeyRecord.new(1, Date.now(), kem, kemSignature)
    this.#signedPrekeys = new SignedPrekeys(this.#published)
    this.#kyberPrekeys = new KyberPrekeys(this.#publishedKyber)
  }

  bundle(): PreKeyBundle {
    return PreKeyBundle.new(
      1,
      1,
      null,
      null,
      1,
      this.#published.publicKey(),
      this.#published.signature(),
      this.#key.publicKey,
      1,
      this.#publishedKyber.publicKey(),
      this.#publishedKyber.signature(),
    )
  }

  open(from: ProtocolAddress, message: CiphertextMessage, sent: Bytes): Promise<Bytes> {
    if (message.type() !== (CiphertextMessageType.PreKey as number)) {
      const parsed = SignalMessage.deserialize(sent)
      return signalDecrypt(parsed, from, this.address, this.sessions, this.identity)
    }
    return signalDecryptPreKey(
      PreKeySignalMessage.deserialize(sent),
      from,
      this.address,
      this.sessions,
      this.identity,
      new NoOneTimePrekeys(),
      this.#signedPrekeys,
      this.#kyberPrekeys,
    )
  }
}

class Sessions extends SessionStore {
  readonly #records = new Map<string, Bytes>()

  clear(): void {
    this.#records.clear()
  }

  override async saveSession(name: ProtocolAddress, record: SessionRecord): Promise<void> {
    this.#records.set(name.toString(), record.serialize())
  }

  override async getSession(name: ProtocolAddress): Promise<SessionRecord | null> {
    const record = this.#records.get(name.toString())
    return record ? SessionRecord.deserialize(record) : null
  }

  override async getExistingSessions(names: ProtocolAddress[]): Promise<SessionRecord[]> {
    const records = await Promise.all(names.map((name) => this.getSession(name)))
    return records.filter((record) => record !== null)
  }
}

class Identities extends IdentityKeyStore {
  readonly #own: IdentityKeyPair
  readonly #known = new Map<string, PublicKey>()

  constructor(own: IdentityKeyPair) {
    super()
    this.#own = own
  }

  override getIdentityKey(): Promise<PrivateKey> {
    return Promise.resolve(this.#own.privateKey)
  }

  override async getIdentityKeyPair(): Promise<IdentityKeyPair> {
    return this.#own
  }

  override getLocalRegistrationId(): Promise<number> {
    return Promise.resolve(1)
  }

  override async saveIdentity(name: ProtocolAddress, key: PublicKey): Promise<IdentityChange> {
    this.#known.set(name.toString(), key)
    return IdentityChange.NewOrUnchanged
  }

  override async isTrustedIdentity(
    name: ProtocolAddress,
    key: PublicKey,
    _direction: Direction,
  ): Promise<boolean> {
    return this.#known.get(name.toString())?.equals(key) ?? true
  }

  override async getIdentity(name: ProtocolAddress): Promise<PublicKey | null> {
    return this.#known.get(name.toString()) ?? null
  }
}

class SignedPrekeys extends SignedPreKeyStore {
  readonly #record: SignedPreKeyRecord

  constructor(record: SignedPreKeyRecord) {
    super()
    this.#record = record
  }

  override saveSignedPreKey(): Promise<void> {
    return unused()
  }

  override getSignedPreKey(): Promise<SignedPreKeyRecord> {
    return Promise.resolve(this.#record)
  }
}

class KyberPrekeys extends KyberPreKeyStore {
  readonly #record: KyberPreKeyRecord

  constructor(record: KyberPreKeyRecord) {
    super()
    this.#record = record
  }

  override saveKyberPreKey(): Promise<void> {
    return unused()
  }

  override getKyberPreKey(): Promise<KyberPreKeyRecord> {
    return Promise.resolve(this.#record)
  }

  /** It is the key of last resort, and stays. */
  override markKyberPreKeyUsed(): Promise<void> {
    return Promise.resolve()
  }
}

class NoOneTimePrekeys extends PreKeyStore {
  override savePreKey(): Promise<void> {
    return unused()
  }

  override getPreKey(): Promise<PreKeyRecord> {
    return unused()
  }

  override removePreKey(): Promise<void> {
    return unused()
  }
}

async function unused(): Promise<never> {
  throw new Error('this store is not used here')
}
