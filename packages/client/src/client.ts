/** One user's client: the parts put together behind the interface of api.ts. */
import { MAX_TEXT_BYTES } from '@couplet/protocol'
import {
  type AccountInfo,
  type Bytes,
  type PhoneNumber,
  type PushSubscription,
  toHex,
  utf8,
} from '@couplet/wire'
import { ownIdentity, signerOf } from './account.ts'
import type {
  ConnectionState,
  Contact,
  Conversation,
  Couplet,
  CoupletEvents,
  IncomingMessage,
  MessageRequest,
  OutgoingMessage,
  SafetyNumber,
  SendOptions,
  SentMessage,
  Settings,
} from './api.ts'
import { ContactBook, contactsNamed, publicContact } from './contact-book.ts'
import type { Context } from './context.ts'
import { ClientError, isFaultOfServer } from './errors.ts'
import { Expiry, requireTimeToLive } from './expiry.ts'
import { Inbox } from './inbox.ts'
import { Link } from './link.ts'
import { refuseMoved } from './moved.ts'
import { Outbox } from './outbox.ts'
import { PeerDirectory } from './peer-directory.ts'
import type { Platform } from './platform.ts'
import type { Connector, Plain, ServerApi, Store } from './ports.ts'
import { PrekeyRotation } from './prekey-rotation.ts'
import {
  conversation,
  conversations,
  inList,
  outgoingMessage,
  type PlacedConversation,
  unreadMessages,
} from './reader.ts'
import { type ContactRecord, OUTBOX_PHASES, type OutgoingRecord } from './records.ts'
import { requirePhoneNumber } from './registration.ts'
import { noteAllSeen, noteSeen, unreadPlace } from './seen.ts'
import { inTransaction, type Tables } from './tables.ts'
import { Watch } from './watch.ts'

export interface ClientPorts {
  readonly store: Store
  readonly platform: Platform
  readonly createApi: (server: string) => ServerApi
  readonly createConnector: (server: string) => Connector
}

/**
 * Opens the client of a registered home. Takes the store over: `close` closes it.
 *
 * @throws {ClientError} `not-registered`, `home-moved`, `export-unfinished`.
 */
export async function openClient(ports: ClientPorts): Promise<Couplet> {
  const { store, platform } = ports
  const account = await inTransaction(store, async (tables) => {
    await refuseMoved(tables)
    return tables.requireAccount()
  })
  const self = await ownIdentity(platform, account)
  const client = new Client(ports, account.phone, account.server, (tell) => ({
    store,
    platform,
    api: ports.createApi(account.server),
    self,
    signer: signerOf(platform.primitives, self),
    tell,
  }))
  await client.start()
  return client
}

class Client implements Couplet {
  readonly phone: PhoneNumber
  readonly server: string
  readonly #context: Context
  readonly #book: ContactBook
  readonly #outbox: Outbox
  readonly #link: Link
  readonly #expiry: Expiry
  readonly #watch = new Watch()
  /** Settles when what was kept has been told. */
  #telling: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined
  #fault: unknown

  constructor(
    ports: ClientPorts,
    phone: PhoneNumber,
    server: string,
    context: (tell: Context['tell']) => Context,
  ) {
    this.phone = phone
    this.server = server
    const watch = this.#watch
    this.#context = context({
      status: (contact, message) => watch.status(outgoingMessage(contact, message)),
      received: (contact) => this.#arrived(contact.phone),
      warning: (kind, contact) => watch.emit('warning', { kind, contact: publicContact(contact) }),
      followed: ({ contact, requeued }) => {
        watch.emit('warning', { kind: 'number-changed', contact: publicContact(contact) })
        for (const message of requeued) watch.status(outgoingMessage(contact, message))
        this.#outbox.kick(contact.no)
      },
      request: (contact) => watch.emit('request', publicContact(contact)),
      expired: ({ phone: peer }, id) => watch.expired({ id, peer }),
      broken: (error) => this.#broken(error),
    })
    const directory = new PeerDirectory(this.#context)
    this.#book = new ContactBook(this.#context, directory)
    this.#expiry = new Expiry(this.#context)
    this.#outbox = new Outbox(this.#context, directory)
    const inbox = new Inbox(this.#context, directory)
    const prekeys = new PrekeyRotation(this.#context)
    const parts = { outbox: this.#outbox, inbox, prekeys }
    this.#link = new Link(this.#context, ports.createConnector(server), parts, (state) =>
      watch.emit('connection', state),
    )
  }

  start(): Promise<void> {
    return this.#expiry.start()
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

  disconnect(): Promise<void> {
    return this.#link.disconnect()
  }

  wake(): void {
    this.#link.wake()
  }

  async settled(): Promise<void> {
    await this.#link.settled()
    this.#throwFault()
  }

  // ----- sending

  async send(to: string, text: string, options: SendOptions = {}): Promise<SentMessage> {
    this.#throwIfClosed()
    const phone = this.#peer(to)
    if (text.length === 0) throw new ClientError('malformed', 'a message needs some text')
    if (utf8(text).length > MAX_TEXT_BYTES) {
      throw new ClientError('message-too-long', `a message has at most ${MAX_TEXT_BYTES} bytes`)
    }
    const expiresAfter = options.expiresAfterMs ?? (await this.settings()).expiresAfterMs
    requireTimeToLive(expiresAfter)
    const { accepted } = await this.#book.toWriteTo(phone)
    const { contact, record } = await this.#transaction((tables) =>
      this.#append(tables, phone, text.toWellFormed(), expiresAfter),
    )
    const { sent, delivered } = this.#watch.wait(record.id)
    this.#outbox.kick(contact.no)
    if (expiresAfter > 0) await this.#expiry.plan()
    if (!accepted) await this.#released(phone)
    return { message: outgoingMessage(contact, record), sent, delivered }
  }

  async #append(
    tables: Tables,
    phone: PhoneNumber,
    text: string,
    expiresAfter: number,
  ): Promise<{ contact: ContactRecord; record: OutgoingRecord }> {
    const { platform } = this.#context
    const contact = await tables.contactByPhone(phone)
    if (!contact) throw new ClientError('unknown-recipient', `${phone} has just changed`)
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
      expiresAfter,
      ...(expiresAfter > 0 && { expiresAt: now + expiresAfter }),
      writtenFor: contact.identity && toHex(contact.identity.id),
      state: 'pending',
      stateAt: now,
      phase: { kind: 'fresh' },
    }
    const position = await tables.appendMessage(contact.no, record)
    await tables.putOutgoing(contact.no, position, record)
    if (record.expiresAt) await tables.addExpiring(record.expiresAt, contact.no, position)
    // Writing to somebody is accepting them.
    const after = { ...contact, nextSequence: contact.nextSequence + 1, accepted: true }
    await tables.putContact(after)
    return { contact: after, record }
  }

  // ----- reading

  async *messages(options: { readonly follow?: boolean } = {}): AsyncIterable<IncomingMessage> {
    const { clock } = this.#context.platform
    while (!this.#closing) {
      const arrival = this.#watch.arrival
      // Offline there is nothing to wait for: what is missing cannot come.
      const now = this.connection === 'online' ? clock.now() : Number.POSITIVE_INFINITY
      const { ready, heldUntil } = await this.#transaction((tables) => unreadMessages(tables, now))
      for (const { position, contact, message } of ready) {
        yield message
        if (this.#closing) return
        await this.#seen(contact, position)
      }
      if (ready.length > 0) continue
      if (heldUntil !== undefined) await Promise.race([arrival, this.#until(heldUntil)])
      else if (options.follow ?? true) await arrival
      else return
    }
  }

  /** Its time to live begins when a message is seen. */
  async #seen(contactNo: number, position: number): Promise<void> {
    const now = this.#context.platform.clock.now()
    const ends = await this.#transaction((tables) => noteSeen(tables, contactNo, position, now))
    if (ends) await this.#expiry.plan()
  }

  async markSeen({ peer, id }: IncomingMessage): Promise<void> {
    const place = await this.#transaction((tables) => unreadPlace(tables, peer, id))
    if (place) await this.#seen(...place)
  }

  async markAllSeen(peer: string): Promise<void> {
    const phone = this.#peer(peer)
    const now = this.#context.platform.clock.now()
    const ends = await this.#transaction((tables) => noteAllSeen(tables, phone, now))
    if (ends) await this.#expiry.plan()
  }

  async conversations({
    peers,
  }: {
    readonly peers?: readonly string[]
  } = {}): Promise<readonly Conversation[]> {
    const phones = peers?.map((peer) => this.#peer(peer))
    const found = await this.#transaction(async (tables) =>
      inList(phones ? await contactsNamed(tables, phones) : await tables.contacts()),
    )
    const placed: PlacedConversation[] = []
    // In several transactions: a thousand of them must not keep what is sent and received waiting.
    for (let from = 0; from < found.length; from += LIST_BATCH) {
      const batch = found.slice(from, from + LIST_BATCH)
      placed.push(...(await this.#transaction((tables) => conversations(tables, batch))))
    }
    return placed.sort((a, b) => b.position - a.position).map(({ entry }) => entry)
  }

  async history(
    peer: string,
    { limit = HISTORY_LIMIT, before }: { readonly limit?: number; readonly before?: string } = {},
  ): Promise<readonly (IncomingMessage | OutgoingMessage)[]> {
    const phone = this.#peer(peer)
    return this.#transaction(async (tables) => {
      const contact = await tables.contactByPhone(phone)
      return contact ? conversation(tables, contact, { limit, before }) : []
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

  async deleteMessage(id: string): Promise<void> {
    const { store } = this.#context
    const found = await this.#transaction(async (tables) => {
      const place = await tables.placeOfMessage(id)
      if (place) await tables.deleteMessage(...place)
      return place
    })
    if (!found) throw new ClientError('not-found', 'there is no such message on this device')
    await store.scrub()
  }

  // ----- people

  async contacts({
    peers,
  }: {
    readonly peers?: readonly string[]
  } = {}): Promise<readonly Contact[]> {
    return this.#book.contacts(peers?.map((peer) => this.#peer(peer)))
  }

  async verify(peer: string): Promise<SafetyNumber> {
    return this.#book.verify(this.#peer(peer))
  }

  async markVerified({ phone, identityId }: SafetyNumber): Promise<void> {
    const contact = await this.#book.markVerified(this.#peer(phone), identityId)
    await this.#decided(contact)
  }

  async verifyCode(peer: string, code: Uint8Array): Promise<boolean> {
    const contact = await this.#book.verifyCode(this.#peer(peer), code)
    if (contact) await this.#decided(contact)
    return contact !== undefined
  }

  async unmarkVerified(peer: string): Promise<void> {
    const contact = await this.#book.unmarkVerified(this.#peer(peer))
    await this.#decided(contact)
  }

  async acceptKey(peer: string, identityId: string): Promise<Contact> {
    const { contact, requeued } = await this.#book.acceptKey(this.#peer(peer), identityId)
    await this.#released(contact.phone)
    for (const record of requeued) this.#watch.status(outgoingMessage(contact, record))
    this.#outbox.kick(contact.no)
    return publicContact(contact)
  }

  requests(): Promise<readonly MessageRequest[]> {
    return this.#book.requests()
  }

  async accept(peer: string): Promise<Contact> {
    const contact = await this.#book.accept(this.#peer(peer))
    await this.#released(contact.phone)
    return publicContact(contact)
  }

  async block(peer: string, blocked = true): Promise<Contact> {
    const contact = await this.#book.block(this.#peer(peer), blocked)
    if (!blocked) await this.#released(contact.phone)
    return publicContact(contact)
  }

  /** @param peer - left out, it may be anybody's. */
  #arrived(peer?: PhoneNumber): void {
    this.#watch.arrived()
    this.#watch.emit('arrival', peer)
  }

  /** Nothing waits for the user's word any more. */
  async #decided({ no, phone }: ContactRecord): Promise<void> {
    await this.#released(phone)
    this.#outbox.kick(no)
  }

  /** Somebody is trusted now who was not before: what was held back may be read and proven. */
  async #released(peer?: PhoneNumber): Promise<void> {
    this.#arrived(peer)
    try {
      await this.#link.releaseReceipts()
    } catch (error) {
      // They stay held, and go out at the next connection.
      if (!isFaultOfServer(error)) throw error
    }
  }

  // ----- settings

  memo<T extends Plain>(name: string): Promise<T | undefined> {
    return this.#transaction((tables) => tables.memo<T>(name))
  }

  keepMemo(name: string, value: Plain | undefined): Promise<void> {
    this.#throwIfClosed()
    return this.#transaction((tables) => tables.putMemo(name, value))
  }

  account(): Promise<AccountInfo> {
    this.#throwIfClosed()
    const { api, signer } = this.#context
    return api.account(signer)
  }

  lockRegistration(pin: string | undefined): Promise<void> {
    this.#throwIfClosed()
    const { api, signer } = this.#context
    return api.lockRegistration(pin, signer)
  }

  pushKey(): Promise<Bytes | undefined> {
    return this.#context.api.pushKey()
  }

  subscribeToPush(subscription: PushSubscription): Promise<void> {
    const { api, signer } = this.#context
    return api.subscribeToPush(subscription, signer)
  }

  unsubscribeFromPush(): Promise<void> {
    const { api, signer } = this.#context
    return api.unsubscribeFromPush(signer)
  }

  deleteAccount(): Promise<void> {
    this.#throwIfClosed()
    const { api, signer } = this.#context
    return api.deleteAccount(signer)
  }

  settings(): Promise<Settings> {
    return this.#transaction((tables) => tables.settings())
  }

  async changeSettings(change: Partial<Settings>): Promise<Settings> {
    if (change.expiresAfterMs !== undefined) requireTimeToLive(change.expiresAfterMs)
    const settings = await this.#transaction(async (tables) => {
      const changed = { ...(await tables.settings()), ...change }
      await tables.putSettings(changed)
      return changed
    })
    await this.#released()
    return settings
  }

  // ----- life

  on<E extends keyof CoupletEvents>(event: E, listener: CoupletEvents[E]): () => void {
    const stop = this.#watch.on(event, listener)
    if (event === 'warning' && !this.#closing) this.#telling = this.#tellKept()
    return stop
  }

  /** What nobody has listened for while the number of this home changed. */
  async #tellKept(): Promise<void> {
    try {
      for (const [contact, kind] of await this.#transaction((tables) => tables.takeWarnings()))
        this.#context.tell.warning(kind, contact)
    } catch (error) {
      this.#broken(error)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#expiry.stop()
    this.#watch.arrived()
    try {
      await this.#link.close()
      await this.#telling
    } finally {
      this.#watch.end(new ClientError('closed', 'the client was closed', { cause: this.#fault }))
      this.#context.platform.forgetKeys?.()
      await this.#context.store.close()
    }
  }

  /** This device failed (a full disk, say): stop, rather than promise what cannot be kept. */
  #broken(error: unknown): void {
    this.#fault ??= error
    void this.#giveUp()
  }

  async #giveUp(): Promise<void> {
    try {
      await this.close()
    } catch {
      // The first fault is the one that is reported.
    }
  }

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
    if (this.#closing) throw new ClientError('closed', 'the client was closed')
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault
  }
}

const HISTORY_LIMIT = 200
/** Conversations that are read in one transaction. */
const LIST_BATCH = 100
