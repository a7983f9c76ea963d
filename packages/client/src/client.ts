/** One user's client: the parts put together behind the interface of api.ts. */
import { importIdentity, MAX_TEXT_BYTES, safetyNumber } from '@couplet/protocol'
import { type PhoneNumber, toHex, utf8 } from '@couplet/wire'
import { ownIdentity, signerOf } from './account.ts'
import type {
  ConnectionState,
  Contact,
  Couplet,
  CoupletEvents,
  IncomingMessage,
  OutgoingMessage,
  SafetyNumber,
  SentMessage,
  Warning,
} from './api.ts'
import type { Context } from './context.ts'
import { ClientError, type ClientErrorCode } from './errors.ts'
import { Inbox } from './inbox.ts'
import { Link } from './link.ts'
import { Outbox } from './outbox.ts'
import { PeerDirectory, switchIdentity } from './peer-directory.ts'
import type { Platform } from './platform.ts'
import type { Connector, ServerApi, Store } from './ports.ts'
import { PrekeyRotation } from './prekey-rotation.ts'
import { conversation, outgoingMessage, unreadMessages } from './reader.ts'
import { requirePhoneNumber } from './registration.ts'
import {
  type ContactRecord,
  inTransaction,
  OUTBOX_PHASES,
  type OutgoingRecord,
  type Tables,
} from './tables.ts'

export interface ClientPorts {
  readonly store: Store
  readonly platform: Platform
  readonly createApi: (server: string) => ServerApi
  readonly createConnector: (server: string) => Connector
}

/**
 * Opens the client of a registered home. Takes the store over: `close` closes it.
 *
 * @throws {ClientError} `not-registered`.
 */
export async function openClient(ports: ClientPorts): Promise<Couplet> {
  const { store, platform } = ports
  const account = await inTransaction(store, (tables) => tables.requireAccount())
  const self = await ownIdentity(platform, account)
  return new Client(ports, account.phone, account.server, (tell) => ({
    store,
    platform,
    api: ports.createApi(account.server),
    self,
    signer: signerOf(platform.primitives, self),
    tell,
  }))
}

class Client implements Couplet {
  readonly phone: PhoneNumber
  readonly server: string
  readonly #context: Context
  readonly #directory: PeerDirectory
  readonly #outbox: Outbox
  readonly #link: Link
  readonly #listeners: { readonly [E in keyof CoupletEvents]: Set<CoupletEvents[E]> } = {
    status: new Set(),
    connection: new Set(),
    warning: new Set(),
  }
  /** Promises of `send` that wait for a state, by message id. */
  readonly #waiting = new Map<string, Waiting>()
  /** Resolved whenever there may be something new to read. */
  #arrival = Promise.withResolvers<void>()
  #closed = false
  #fault: unknown

  constructor(
    ports: ClientPorts,
    phone: PhoneNumber,
    server: string,
    context: (tell: Context['tell']) => Context,
  ) {
    this.phone = phone
    this.server = server
    this.#context = context({
      status: (contact, message) => this.#status(outgoingMessage(contact, message)),
      received: () => this.#arrived(),
      warning: (kind, contact) => this.#warn({ kind, contact: publicContact(contact) }),
      broken: (error) => this.#broken(error),
    })
    this.#directory = new PeerDirectory(this.#context)
    this.#outbox = new Outbox(this.#context, this.#directory)
    this.#link = new Link(
      this.#context,
      ports.createConnector(server),
      {
        outbox: this.#outbox,
        inbox: new Inbox(this.#context, this.#directory),
        prekeys: new PrekeyRotation(this.#context),
      },
      (state) => {
        for (const listener of this.#listeners.connection) listener(state)
      },
    )
  }

  get identityId(): string {
    return toHex(this.#context.self.id)
  }

  get connection(): ConnectionState {
    return this.#link.state
  }

  connect(): Promise<void> {
    return this.#link.connect()
  }

  async settled(): Promise<void> {
    await this.#link.settled()
    this.#throwFault()
  }

  // ----- sending

  async send(to: string, text: string): Promise<SentMessage> {
    this.#throwIfClosed()
    const phone = this.#peer(to)
    if (text.length === 0) throw new ClientError('malformed', 'a message needs some text')
    if (utf8(text).length > MAX_TEXT_BYTES) {
      throw new ClientError('message-too-long', `a message has at most ${MAX_TEXT_BYTES} bytes`)
    }
    const { no } = await this.#contactToWriteTo(phone)
    const { contact, record } = await this.#transaction((tables) => this.#append(tables, no, text))
    const message = outgoingMessage(contact, record)
    const waiting = newWaiting()
    this.#waiting.set(record.id, waiting)
    this.#outbox.kick(no)
    return { message, sent: waiting.sent.promise, delivered: waiting.delivered.promise }
  }

  async #append(
    tables: Tables,
    contactNo: number,
    text: string,
  ): Promise<{ contact: ContactRecord; record: OutgoingRecord }> {
    const { platform } = this.#context
    const contact = await tables.requireContact(contactNo)
    if (contact.changed) {
      throw new ClientError('key-changed', `the key of ${contact.phone} has changed`)
    }
    const now = platform.clock.now()
    const record: OutgoingRecord = {
      direction: 'outgoing',
      id: toHex(platform.random(16)),
      text,
      sentAt: now,
      sequence: contact.nextSequence,
      writtenFor: contact.identity && toHex(contact.identity.id),
      state: 'pending',
      stateAt: now,
      phase: { kind: 'fresh' },
    }
    const position = await tables.appendMessage(contactNo, record)
    await tables.putOutgoing(contactNo, position, record)
    // Writing to somebody is accepting them.
    const after = { ...contact, nextSequence: contact.nextSequence + 1, accepted: true }
    await tables.putContact(after)
    return { contact: after, record }
  }

  /** A contact that is known, or that the server knows, or that the server cannot be asked about. */
  async #contactToWriteTo(phone: PhoneNumber): Promise<ContactRecord> {
    const known = await this.#transaction((tables) => tables.contactByPhone(phone))
    if (known?.identity) return known
    try {
      return await this.#lookup(phone)
    } catch (error) {
      if (!(error instanceof ClientError && UNANSWERED.includes(error.code))) throw error
      return this.#transaction(
        async (tables) =>
          (await tables.contactByPhone(phone)) ?? (await tables.addContact(phone, true)),
      )
    }
  }

  /** Asks the server and pins what it says. */
  async #lookup(phone: PhoneNumber): Promise<ContactRecord> {
    const peer = await this.#directory.lookup(phone)
    if (!peer) throw new ClientError('unknown-recipient', `nobody is registered as ${phone}`)
    const { no } = await this.#transaction(
      async (tables) =>
        (await tables.contactByPhone(phone)) ?? (await tables.addContact(phone, true)),
    )
    await this.#directory.note(no, peer.identity)
    return this.#transaction((tables) => tables.requireContact(no))
  }

  // ----- reading

  async *messages(options: { readonly follow?: boolean } = {}): AsyncIterable<IncomingMessage> {
    const follow = options.follow ?? true
    for (;;) {
      if (this.#closed) return
      const arrival = this.#arrival.promise
      // Offline there is nothing to wait for: what is missing cannot come.
      const now = this.connection === 'online' ? this.#context.platform.clock.now() : Infinity
      const { ready, heldUntil } = await this.#transaction((tables) => unreadMessages(tables, now))
      for (const { position, message } of ready) {
        yield message
        if (this.#closed) return
        await this.#transaction((tables) => tables.removeUnread(position))
      }
      if (ready.length > 0) continue
      if (heldUntil !== undefined) {
        await Promise.race([arrival, this.#until(heldUntil)])
      } else if (follow) {
        await arrival
      } else {
        return
      }
    }
  }

  async history(
    peer: string,
    options: { readonly limit?: number } = {},
  ): Promise<readonly (IncomingMessage | OutgoingMessage)[]> {
    const phone = this.#peer(peer)
    return this.#transaction(async (tables) => {
      const contact = await tables.contactByPhone(phone)
      return contact ? conversation(tables, contact, options.limit ?? HISTORY_LIMIT) : []
    })
  }

  async outbox(): Promise<readonly OutgoingMessage[]> {
    return this.#transaction(async (tables) => {
      const found: { position: number; message: OutgoingMessage }[] = []
      for (const contact of await tables.contacts()) {
        for (const phase of OUTBOX_PHASES) {
          for (const { position, value } of await tables.outbox(contact.no, phase)) {
            found.push({ position, message: outgoingMessage(contact, value) })
          }
        }
      }
      return found.toSorted((a, b) => a.position - b.position).map(({ message }) => message)
    })
  }

  // ----- contacts

  async contacts(): Promise<readonly Contact[]> {
    const contacts = await this.#transaction((tables) => tables.contacts())
    return contacts.filter(({ identity }) => identity !== undefined).map(publicContact)
  }

  async verify(peer: string): Promise<SafetyNumber> {
    const phone = this.#peer(peer)
    const { primitives } = this.#context.platform
    const contact = await this.#currentContact(phone)
    const shown = contact.changed ?? contact.identity
    if (!shown) throw new ClientError('unknown-recipient', `nobody is registered as ${phone}`)
    const identity = importIdentity(primitives, shown.signed)
    return {
      phone,
      digits: safetyNumber(primitives, this.#context.self, identity),
      verified: contact.verified && !contact.changed,
      keyChanged: contact.changed !== undefined,
    }
  }

  /** As the server has it now; as this device has it when the server does not answer. */
  async #currentContact(phone: PhoneNumber): Promise<ContactRecord> {
    try {
      return await this.#lookup(phone)
    } catch (error) {
      const known = await this.#transaction((tables) => tables.contactByPhone(phone))
      const isAway = error instanceof ClientError && UNANSWERED.includes(error.code)
      if (!isAway || !known?.identity) throw error
      return known
    }
  }

  async markVerified(peer: string, verified = true): Promise<void> {
    const contact = await this.#knownContact(peer)
    if (verified && contact.changed) {
      throw new ClientError('key-changed', `the key of ${contact.phone} has changed`)
    }
    await this.#transaction(async (tables) => {
      await tables.putContact({ ...(await tables.requireContact(contact.no)), verified })
    })
  }

  async acceptKey(peer: string): Promise<Contact> {
    const { no } = await this.#knownContact(peer)
    const { contact, requeued } = await this.#transaction(async (tables) => {
      const before = await tables.requireContact(no)
      const after = before.changed ? await switchIdentity(tables, before, before.changed) : before
      await this.#acceptSessions(tables, no)
      return { contact: after, requeued: await this.#requeueHeld(tables, after) }
    })
    for (const record of requeued) this.#status(outgoingMessage(contact, record))
    this.#outbox.kick(no)
    return publicContact(contact)
  }

  async #acceptSessions(tables: Tables, contactNo: number): Promise<void> {
    for (const entry of await tables.sessions(contactNo)) {
      if (!entry.session.unproven) continue
      await tables.putSession(contactNo, {
        ...entry,
        session: { ...entry.session, unproven: false },
      })
    }
  }

  /** What was written for the old key goes to the new one: the user has said so. */
  async #requeueHeld(tables: Tables, contact: ContactRecord): Promise<OutgoingRecord[]> {
    const now = this.#context.platform.clock.now()
    const requeued: OutgoingRecord[] = []
    for (const { position, value } of await tables.outbox(contact.no, 'held')) {
      const record: OutgoingRecord = {
        ...value,
        writtenFor: contact.identity && toHex(contact.identity.id),
        state: 'pending',
        failure: undefined,
        stateAt: now,
        phase: { kind: 'fresh' },
      }
      await tables.putOutgoing(contact.no, position, record, value)
      requeued.push(record)
    }
    return requeued
  }

  async #knownContact(peer: string): Promise<ContactRecord> {
    const phone = this.#peer(peer)
    const contact = await this.#transaction((tables) => tables.contactByPhone(phone))
    if (!contact?.identity) {
      throw new ClientError('unknown-recipient', `${phone} is not among your contacts`)
    }
    return contact
  }

  // ----- events

  on<E extends keyof CoupletEvents>(event: E, listener: CoupletEvents[E]): () => void {
    this.#listeners[event].add(listener)
    return () => this.#listeners[event].delete(listener)
  }

  #status(message: OutgoingMessage): void {
    const waiting = this.#waiting.get(message.id)
    if (waiting && message.state === 'failed') waiting.reject(failure(message))
    if (message.state === 'sent' || message.state === 'delivered') waiting?.sent.resolve(message)
    if (message.state === 'delivered') waiting?.delivered.resolve(message)
    if (message.state === 'delivered' || message.state === 'failed')
      this.#waiting.delete(message.id)
    for (const listener of this.#listeners.status) listener(message)
  }

  #warn(warning: Warning): void {
    for (const listener of this.#listeners.warning) listener(warning)
  }

  #arrived(): void {
    this.#arrival.resolve()
    this.#arrival = Promise.withResolvers<void>()
  }

  /** This device failed (a full disk, say): stop, rather than promise what cannot be kept. */
  #broken(error: unknown): void {
    this.#fault ??= error
    void this.close()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#arrived()
    await this.#link.close()
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new ClientError('closed', 'the client was closed', { cause: this.#fault }))
    }
    await this.#context.store.close()
  }

  // ----- odds and ends

  #transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return inTransaction(this.#context.store, work)
  }

  /** @throws {ClientError} `invalid-phone-number`; `malformed` for one's own number. */
  #peer(text: string): PhoneNumber {
    const phone = requirePhoneNumber(text)
    if (phone === this.phone) throw new ClientError('malformed', 'this is your own number')
    return phone
  }

  async #until(time: number): Promise<void> {
    const { clock } = this.#context.platform
    await new Promise<void>((resolve) => {
      clock.schedule(Math.max(0, time - clock.now()), resolve)
    })
  }

  #throwIfClosed(): void {
    this.#throwFault()
    if (this.#closed) throw new ClientError('closed', 'the client was closed')
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault
  }
}

interface Waiting {
  readonly sent: PromiseWithResolvers<OutgoingMessage>
  readonly delivered: PromiseWithResolvers<OutgoingMessage>
  reject(error: ClientError): void
}

function newWaiting(): Waiting {
  const sent = Promise.withResolvers<OutgoingMessage>()
  const delivered = Promise.withResolvers<OutgoingMessage>()
  // Nobody has to listen.
  sent.promise.catch(() => {})
  delivered.promise.catch(() => {})
  const reject = (error: ClientError) => {
    sent.reject(error)
    delivered.reject(error)
  }
  return { sent, delivered, reject }
}

function failure(message: OutgoingMessage): ClientError {
  return message.failure === 'unknown-recipient'
    ? new ClientError('unknown-recipient', `nobody is registered as ${message.to}`)
    : new ClientError('key-changed', `the key of ${message.to} has changed`)
}

function publicContact(contact: ContactRecord): Contact {
  const { identity, changed } = contact
  return {
    phone: contact.phone,
    identityId: identity ? toHex(identity.id) : '',
    verified: contact.verified,
    ...(changed && { changedKey: { identityId: toHex(changed.id), seenAt: changed.seenAt } }),
  }
}

/** Codes that mean that the server could not be asked now. */
const UNANSWERED: readonly ClientErrorCode[] = [
  'unreachable',
  'timed-out',
  'unavailable',
  'internal',
]
const HISTORY_LIMIT = 200
