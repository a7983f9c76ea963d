/**
 * A whole device in small, by the rules that protocol.md and delivery.md give: several sessions with
 * one peer, replays, nacks, resends, replacement. Its store holds bytes, as a real one does, and
 * changes only by a commit: a crash is a step whose commit never came.
 */
import { toHex } from '@couplet/wire'
import {
  acceptSession,
  addAcceptedSession,
  type Content,
  createPrekeys,
  decodeSession,
  encodeSession,
  handshakeHash,
  importPrekeys,
  initiateSession,
  mustWaitForReceipt,
  noteReceipt,
  type OwnPrekeys,
  openMessage,
  type Position,
  ProtocolError,
  parseEnvelope,
  type Sealed,
  type Session,
  sealMessage,
  sessionToSendIn,
  unwrapSessionSecret,
} from '../src/index.ts'
import { handshakeEntropy, messageEntropy, NOW, type Person, type Random } from './support.ts'

export type Refusal = 'late' | 'unknown-session' | 'retired-prekey' | 'invalid'

/** What a device makes of an envelope. `again`: opened before, acknowledged with the same receipt. */
export type Received =
  | { readonly kind: 'opened'; readonly content: Content; readonly receipt: Uint8Array }
  | { readonly kind: 'again'; readonly receipt: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: Refusal }

/** An envelope that is out, and how its receipt is recognised. */
interface Out {
  readonly receipt: Uint8Array
  readonly position: Position
}

interface OutboxEntry {
  readonly content: Content
  readonly out: Map<string, Out>
  state: 'pending' | 'sent' | 'delivered'
}

export class Device {
  readonly person: Person
  readonly #random: Random
  now = NOW
  /** In the order in which they came, each as the store’s bytes gave it back. */
  #sessions: readonly Session[] = []
  readonly #seenHandshakes = new Set<string>()
  readonly #opened = new Map<string, Uint8Array>()
  readonly inbox = new Map<string, Content>()
  readonly outbox = new Map<string, OutboxEntry>()
  readonly #receiptedChains = new Map<string, number>()
  #prekeys: OwnPrekeys[]
  #replacements = 0
  /** Of each envelope that was made: what a thief’s luck is judged by. */
  onSealed: ((sealed: Sealed, session: Session) => void) | undefined

  constructor(person: Person, random: Random) {
    this.person = person
    this.#random = random
    this.#prekeys = [person.prekeys]
  }

  get sessions(): readonly Session[] {
    return this.#sessions
  }

  set sessions(sessions: readonly Session[]) {
    this.#sessions = sessions.map((session) =>
      this.#sessions.includes(session) ? session : decodeSession(encodeSession(session)),
    )
  }

  get chosen(): Session | undefined {
    return sessionToSendIn(this.sessions)
  }

  get prekeys(): OwnPrekeys {
    return this.#prekeys.at(-1)!
  }

  /** New prekeys; of the old ones only the last private halves are kept. */
  rotatePrekeys(): void {
    const next = createPrekeys(this.person.primitives, {
      owner: this.person.own,
      id: this.prekeys.id + 1,
      now: this.now,
      secret: this.#random(32),
      kemSeed: this.#random(64),
    })
    this.#prekeys = [this.prekeys, next]
  }

  write(content: Content): void {
    this.outbox.set(toHex(content.messageId), { content, out: new Map(), state: 'pending' })
  }

  /** Begins a session where none can be sent in; with proof if one was established. */
  async prepare(peer: Device): Promise<void> {
    if (this.chosen) return
    const continues = this.sessions.findLast(({ established }) => established)
    const session = await initiateSession(this.person.primitives, {
      self: this.person.own,
      peer: peer.person.public,
      prekeys: importPrekeys(this.person.primitives, {
        owner: peer.person.public,
        signed: peer.prekeys.signed,
        now: this.now,
        highestSeenId: 0,
      }),
      continues,
      entropy: handshakeEntropy(this.#random),
      now: this.now,
    })
    this.sessions = [...this.sessions, session]
  }

  /**
   * Encrypts the oldest message that waits, and commits before it releases the envelope.
   * With `crash`, the device stops before the commit: nothing has happened.
   */
  release(crash = false): Sealed | undefined {
    const [id, entry] = [...this.outbox].find(([, { state }]) => state === 'pending') ?? []
    const session = this.chosen
    if (!id || !entry || !session || mustWaitForReceipt(session)) return undefined
    const sealed = sealMessage(this.person.primitives, session, entry.content, {
      entropy: messageEntropy(this.#random),
      now: this.now,
    })
    if (crash) return undefined
    this.#replace(session, sealed.session)
    const { receipt, position } = sealed
    this.outbox.set(id, {
      content: entry.content,
      out: new Map([...entry.out, [toHex(sealed.id), { receipt, position }]]),
      state: 'sent',
    })
    this.onSealed?.(sealed, sealed.session)
    return sealed
  }

  /** With `crash`, the device stops between opening and commit. */
  async receive(envelope: Uint8Array, crash = false): Promise<Received | undefined> {
    const { primitives } = this.person
    const id = toHex(primitives.sha256(envelope))
    const before = this.#opened.get(id)
    if (before) return { kind: 'again', receipt: before }
    try {
      for (const session of this.sessions) {
        const result = openMessage(primitives, session, envelope, { now: this.now })
        if (result.kind === 'foreign') continue
        if (result.kind === 'late') return { kind: 'refused', reason: 'late' }
        if (crash) return undefined
        this.#replace(session, result.session)
        return this.#opens(id, result.content, result.receipt)
      }
      return await this.#acceptHandshake(id, envelope, crash)
    } catch (error) {
      if (error instanceof ProtocolError) return { kind: 'refused', reason: 'invalid' }
      throw error
    }
  }

  async #acceptHandshake(
    id: string,
    envelope: Uint8Array,
    crash: boolean,
  ): Promise<Received | undefined> {
    const { primitives, own } = this.person
    const header = parseEnvelope(envelope).handshake
    if (!header) return { kind: 'refused', reason: 'unknown-session' }
    const prekeys = this.#prekeys.find((set) => set.id === header.prekeyId)
    if (!prekeys) return { kind: 'refused', reason: 'retired-prekey' }
    const hash = toHex(handshakeHash(primitives, { self: own, prekeys, header }))
    if (this.#seenHandshakes.has(hash)) return { kind: 'refused', reason: 'unknown-session' }
    const accepted = acceptSession(primitives, {
      self: own,
      prekeys,
      envelope,
      sessionSecret: await unwrapSessionSecret(primitives, own, header, this.#random(32)),
      now: this.now,
    })
    if (crash) return undefined
    this.#seenHandshakes.add(hash)
    this.sessions = addAcceptedSession(this.sessions, accepted.session, (session) =>
      accepted.continues(session),
    )
    return this.#opens(id, accepted.content, accepted.receipt)
  }

  /** A receipt as the server hands it over; one that does not verify costs a resend. */
  acknowledged(id: string, receipt: Uint8Array): 'delivered' | 'wrong' | 'unknown' {
    const entry = this.#entryOf(id)
    const out = entry?.out.get(id)
    if (!entry || !out) return 'unknown'
    if (toHex(out.receipt) !== toHex(receipt)) {
      this.#again(entry)
      return 'wrong'
    }
    entry.state = 'delivered'
    this.#noteReceipt(out.position)
    return 'delivered'
  }

  /** The server's word that an envelope was of no use, for whatever reason. */
  refused(id: string, reason: Refusal | 'evicted'): void {
    const entry = this.#entryOf(id)
    const out = entry?.out.get(id)
    if (!entry || !out) return
    if (reason === 'unknown-session' || reason === 'retired-prekey') this.#giveUp(out.position)
    this.#again(entry)
  }

  /** Everything that has no receipt is encrypted again. */
  resendAll(): void {
    for (const entry of this.outbox.values()) this.#again(entry)
    this.#replacements = 0
  }

  #again(entry: OutboxEntry): void {
    if (entry.state === 'sent') entry.state = 'pending'
  }

  #entryOf(id: string): OutboxEntry | undefined {
    return [...this.outbox.values()].find(({ out }) => out.has(id))
  }

  /**
   * The current session is dead if nothing at or after that chain was receipted, and no reply came
   * that depends on it: then a new one begins.
   */
  #giveUp(position: Position): void {
    const session = this.chosen
    if (!session || toHex(session.id) !== toHex(position.sessionId)) return
    const receipted = this.#receiptedChains.get(toHex(position.sessionId)) ?? -1
    const answered = session.sending!.index - (session.stepDue ? 0 : 1)
    if (Math.max(receipted, answered) >= position.chain || this.#replacements >= 3) return
    this.#replacements += 1
    this.#replace(session, { ...session, standing: 'dead' })
  }

  #noteReceipt(position: Position): void {
    const key = toHex(position.sessionId)
    this.#receiptedChains.set(key, Math.max(this.#receiptedChains.get(key) ?? -1, position.chain))
    this.sessions = this.sessions.map((session) =>
      toHex(session.id) === key ? noteReceipt(session, position) : session,
    )
  }

  #opens(id: string, content: Content, receipt: Uint8Array): Received {
    this.#opened.set(id, receipt)
    const key = toHex(content.messageId)
    if (!this.inbox.has(key)) this.inbox.set(key, content)
    return { kind: 'opened', content, receipt }
  }

  #replace(old: Session, next: Session): void {
    this.sessions = this.sessions.map((session) =>
      toHex(session.id) === toHex(old.id) ? next : session,
    )
  }
}
