/** The words of the SDK: what a program that uses it sees. */
import type { AccountInfo, Bytes, PhoneNumber, PushSubscription } from '@couplet/wire'
import type { Plain } from './ports.ts'

/**
 * Where an outgoing message is.
 *
 * `pending`: not yet accepted by the server. `sent`: the server has it. `delivered`: proven by the
 * recipient's device. `waiting-for-room`: the recipient's mailbox was full; it goes out again by
 * itself. `failed`: will not be sent; `failure` says why.
 */
export type DeliveryState = 'pending' | 'sent' | 'delivered' | 'waiting-for-room' | 'failed'

export type Failure =
  /** Nobody is registered under the number. */
  | 'unknown-recipient'
  /** The recipient's key changed; decide with `acceptKey`. */
  | 'key-changed'
  /** The message's time to live passed before it was delivered. */
  | 'expired'

export interface Message {
  /** 32 hex digits, the same at both ends. */
  readonly id: string
  readonly direction: 'incoming' | 'outgoing'
  /** The other end's number. */
  readonly peer: PhoneNumber
  readonly text: string
  /** Milliseconds since 1970, the sender's clock. */
  readonly sentAt: number
  /** When this device deletes it, in milliseconds since 1970; undefined for never, or not yet known. */
  readonly expiresAt?: number
}

export interface IncomingMessage extends Message {
  readonly direction: 'incoming'
  /** The sender's number; the same as `peer`. */
  readonly from: PhoneNumber
  readonly receivedAt: number
  /** Counts this sender's messages to us from 1; a jump is a gap. */
  readonly sequence: number
  /** How many of this sender's earlier messages are still on the sender's device. */
  readonly missingBefore: number
  /** Set when it came from a new key of the contact that the user has not accepted yet. */
  readonly fromChangedKey?: true
}

export interface OutgoingMessage extends Message {
  readonly direction: 'outgoing'
  readonly to: PhoneNumber
  readonly state: DeliveryState
  readonly failure?: Failure
  /** When the state was reached. */
  readonly stateAt: number
}

/** What `send` gives back: the message, and promises for what becomes of it. */
export interface SentMessage {
  readonly message: OutgoingMessage
  /** Resolves when the server has it, or it was delivered. Rejects with `ClientError` when it fails. */
  readonly sent: Promise<OutgoingMessage>
  /** Resolves when the recipient's device has proven that it has the message. */
  readonly delivered: Promise<OutgoingMessage>
}

export interface Contact {
  readonly phone: PhoneNumber
  /** 64 hex digits: SHA-256 name of the pinned identity. */
  readonly identityId: string
  readonly verified: boolean
  /** Whether the user accepted this contact or wrote to it: only then do receipts go there. */
  readonly accepted: boolean
  readonly blocked: boolean
  /** The number that this contact had before it changed to this one, under the same keys. */
  readonly formerPhone?: PhoneNumber
  /** Set when the server shows another key for this number than the pinned one. */
  readonly changedKey?: { readonly identityId: string; readonly seenAt: number }
  /**
   * Of a verified contact in `contacts`: the session began anew, under the same key and without
   * proof of the one before. What is written waits until `acceptKey` with `identityId`.
   */
  readonly sessionReplaced?: true
}

/** Somebody who wrote, and whom the user has not accepted yet. Sees no receipt until then. */
export interface MessageRequest {
  readonly contact: Contact
  /** Oldest first. */
  readonly messages: readonly IncomingMessage[]
}

/** A conversation as a list of them shows it. */
export interface Conversation {
  /** `identityId` is empty while nobody's key is known. */
  readonly contact: Contact
  /** How many of the contact's messages nobody has seen. */
  readonly unread: number
  readonly last: IncomingMessage | OutgoingMessage
}

export interface Settings {
  /**
   * Whether senders are given proof that their messages arrived. Without it they see `sent`, never
   * `delivered`, and that nothing is lost then rests on the server's honesty.
   */
  readonly receipts: boolean
  /** Whether a first message from somebody unknown is shown at once, or waits as a request. */
  readonly strangers: 'accept' | 'ask'
  /** `expiresAfterMs` of messages that are sent without one; 0 for none. */
  readonly expiresAfterMs: number
}

export interface SendOptions {
  /**
   * Both devices delete the message so many milliseconds after it was sent or read: at most ten
   * years. Left out, the one of the settings; 0 for never.
   */
  readonly expiresAfterMs?: number
}

/** What two people compare. */
export interface SafetyNumber {
  readonly phone: PhoneNumber
  /** 64 hex digits: the contact's identity that these digits are of. */
  readonly identityId: string
  /** Sixty digits; the same at both ends. */
  readonly digits: string
  /** The bytes of the QR code that the contact scans. (spec/safety-number.md) */
  readonly code: Bytes
  readonly verified: boolean
  /** The number is that of a new key, which the user has not accepted yet. */
  readonly keyChanged: boolean
}

export type ConnectionState = 'offline' | 'connecting' | 'online' | 'replaced'

/** Things that happen, for `on`. */
export interface CoupletEvents {
  /** An outgoing message changed its state. */
  status: (message: OutgoingMessage) => void
  connection: (state: ConnectionState) => void
  /**
   * There may be something new in `messages`, `conversations` and `history`: of this contact, or of
   * anybody when it is undefined.
   */
  arrival: (peer: PhoneNumber | undefined) => void
  /**
   * A contact's key changed, a session was replaced by one that could not prove its past, or a
   * contact has another number. What there was to warn of while this home's own number changed, and
   * nobody could listen, is told to the next listener.
   */
  warning: (warning: Warning) => void
  /** Somebody unknown wrote; only with `strangers: 'ask'`. */
  request: (contact: Contact) => void
  /** A message was deleted because its time was over. */
  expired: (message: { readonly id: string; readonly peer: PhoneNumber }) => void
}

export type Warning =
  | { readonly kind: 'key-changed'; readonly contact: Contact }
  | { readonly kind: 'session-replaced'; readonly contact: Contact }
  /** The same keys have another number: the contact moved along, from its `formerPhone`. */
  | { readonly kind: 'number-changed'; readonly contact: Contact }

/** A registration that waits for the code. */
export interface PendingRegistration {
  readonly phone: PhoneNumber
  readonly server: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** The server prints codes where it runs instead of sending them. */
  readonly development: boolean
}

export interface Registered {
  readonly phone: PhoneNumber
  readonly server: string
  readonly identityId: string
  /** The number had another identity before; its contacts will be warned. */
  readonly replaced: boolean
}

/** One user's client. */
export interface Couplet {
  readonly phone: PhoneNumber
  readonly server: string
  readonly identityId: string
  readonly connection: ConnectionState

  /**
   * Connects, settles the outbox with the server, and stays connected: reconnects by itself until
   * `close`. Resolves when the first connection is up.
   *
   * @throws {ClientError} `unreachable`, `unauthenticated`.
   */
  connect(): Promise<void>
  /** Goes offline, and stays there until `connect`. */
  disconnect(): Promise<void>
  /**
   * To be called when the network, the machine or the page woke up: a client that waits for its
   * next try tries at once, and one that is connected makes sure that it is.
   */
  wake(): void
  /**
   * Resolves when everything that can be settled now is settled: statuses asked, what can be sent
   * is sent, and the waiting messages that the server had at login are stored here.
   */
  settled(): Promise<void>
  /**
   * Puts a message into the outbox, durably, and lets it go out as soon as it can.
   *
   * @throws {ClientError} `unknown-recipient`, `message-too-long`, `key-changed`: nothing was written.
   */
  send(to: string, text: string, options?: SendOptions): Promise<SentMessage>
  /**
   * Received messages, those first that nobody has seen. One counts as seen when the next is
   * asked for. Ends when the client is closed; with `follow: false` when everything that the
   * server had is read.
   */
  messages(options?: { readonly follow?: boolean }): AsyncIterable<IncomingMessage>
  /**
   * The conversation with one number, oldest first.
   *
   * @param options.before - id of a message: only those that came to this device before it, the last
   *   `limit` of them. One that came late may stand above others that came sooner: they come again.
   */
  history(
    peer: string,
    options?: { readonly limit?: number; readonly before?: string },
  ): Promise<readonly (IncomingMessage | OutgoingMessage)[]>
  /**
   * Everybody whom something was said to or heard from, whoever was heard last first.
   *
   * @param options.peers - only these, for programs that follow events: whatever number there is.
   */
  conversations(options?: { readonly peers?: readonly string[] }): Promise<readonly Conversation[]>
  /**
   * Counts a message as seen, as `messages` does with each that it has given out: for programs
   * that show `history` instead. Seen before, nothing happens.
   */
  markSeen(message: IncomingMessage): Promise<void>
  /** Counts everything of one contact as seen: its conversation is on the screen. */
  markAllSeen(peer: string): Promise<void>
  /** Outgoing messages that are not delivered yet, oldest first. */
  outbox(): Promise<readonly OutgoingMessage[]>
  /** @param options.peers - only these, in their order; whoever is unknown is left out. */
  contacts(options?: { readonly peers?: readonly string[] }): Promise<readonly Contact[]>
  /**
   * The safety number with one contact; asks the server for a contact that is not known yet.
   *
   * @throws {ClientError} `unknown-recipient`, `unreachable`, `untrusted-answer`.
   */
  verify(peer: string): Promise<SafetyNumber>
  /**
   * Records that this number was compared and matches.
   *
   * @throws {ClientError} `key-changed` when the contact's key is not the compared one any more.
   */
  markVerified(compared: SafetyNumber): Promise<void>
  /**
   * Compares the code that the contact's device shows, and on a match marks the contact as verified.
   *
   * @returns whether it matches. If not, somebody may be in between: warn.
   * @throws {ClientError} `malformed` when these are not the bytes of such a code; those of `verify`.
   */
  verifyCode(peer: string, code: Uint8Array): Promise<boolean>
  /** Takes the mark back. */
  unmarkVerified(peer: string): Promise<void>
  /**
   * The user's decision for a changed key: from now on this contact is that identity.
   *
   * @param identityId - the key that the user was shown, 64 hex digits.
   * @throws {ClientError} `key-changed` when it is another one by now.
   */
  acceptKey(peer: string, identityId: string): Promise<Contact>
  /** People who wrote and wait to be accepted. */
  requests(): Promise<readonly MessageRequest[]>
  /** Accepts a request: its messages can be read, and their receipts go out. */
  accept(peer: string): Promise<Contact>
  /** From now on nothing of this contact is shown, and no receipt goes there. Or the opposite. */
  block(peer: string, blocked?: boolean): Promise<Contact>
  /** Deletes one message from this device. Undelivered, it is not sent any more. */
  deleteMessage(id: string): Promise<void>
  /**
   * What the program itself keeps in this home, under a name of its own: names of people, drafts.
   * Encrypted like everything else here, and part of an export.
   */
  memo<T extends Plain>(name: string): Promise<T | undefined>
  /** Durable when it resolves. `undefined` forgets it. */
  keepMemo(name: string, value: Plain | undefined): Promise<void>
  /**
   * What the server keeps of this account besides keys. `lock.failures` counts wrong PINs: then
   * somebody else has had the code of this number.
   *
   * @throws {ClientError} `unreachable`, `unauthenticated`.
   */
  account(): Promise<AccountInfo>
  /** From now on the number can be registered anew only with this PIN; none takes it away. */
  lockRegistration(pin: string | undefined): Promise<void>
  /**
   * The key by which push services know the server, 65 bytes: what a browser subscribes with.
   * `undefined` when the server offers no push.
   */
  pushKey(): Promise<Bytes | undefined>
  /**
   * Lets the server tell this browser that a message waits, once for each absence. The push service
   * learns that something came, and when; not from whom, nor what.
   */
  subscribeToPush(subscription: PushSubscription): Promise<void>
  unsubscribeFromPush(): Promise<void>
  /**
   * Deletes the account at the server: the number is free, what waits there is gone. What is in
   * this home stays; delete the home to delete that.
   */
  deleteAccount(): Promise<void>
  settings(): Promise<Settings>
  changeSettings(change: Partial<Settings>): Promise<Settings>
  on<E extends keyof CoupletEvents>(event: E, listener: CoupletEvents[E]): () => void
  close(): Promise<void>
}
