/**
 * What the client needs from its surroundings: a store, a way to the server, a clock, randomness.
 * Everything else in this package is written against these; adapters for Node live in `node/`.
 */
import type {
  AccountInfo,
  Bytes,
  DirectoryEntry,
  EnvelopeStatus,
  NackReason,
  PhoneNumber,
  PushSubscription,
  PutMode,
  PutOutcome,
  RegistrationRequest,
  RegistrationResponse,
  ServerInfo,
  ServerName,
  VerificationRequest,
  VerificationResponse,
} from '@couplet/wire'

/**
 * The client's only memory: records in transactions, encrypted at rest.
 *
 * A record is found by collection, partition and position, and holds a plain value. Partitions are
 * names (never shown on disk in the clear), positions are integers that order the records of one
 * partition.
 */
export interface Store {
  /**
   * Runs `work` alone: transactions of one store never interleave. What it wrote is durable (it
   * survives power loss) when the promise resolves, and undone when `work` throws.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Makes what was deleted or replaced before unrecoverable from the store's own files. */
  scrub(): Promise<void>
  close(): Promise<void>
}

/** Valid only while its `work` runs, and only awaited on its own methods. */
export interface Transaction {
  get<T extends Plain>(
    collection: string,
    partition: string,
    position?: number,
  ): Promise<T | undefined>
  put(collection: string, partition: string, position: number, value: Plain): Promise<void>
  /** Also when there is nothing to delete. */
  delete(collection: string, partition: string, position?: number): Promise<void>
  /** Records of one partition in order of position. */
  list<T extends Plain>(
    collection: string,
    partition: string,
    range?: Range,
  ): Promise<readonly StoredRecord<T>[]>
  /**
   * Every record of the store as it was when the transaction began, in no order that means
   * anything. To be read to its end, or left, before anything else is asked of the transaction.
   *
   * @throws {ClientError} `unreadable-home` for a store of version 0.1, which kept no names.
   */
  everything(): AsyncIterable<NamedRecord<Plain>>
  /** Removes every record. */
  clear(): Promise<void>
}

export interface StoredRecord<T> {
  readonly position: number
  readonly value: T
}

/** A record with the whole of its place. */
export interface NamedRecord<T> extends StoredRecord<T> {
  readonly collection: string
  readonly partition: string
}

export interface Range {
  /** Lowest position, included. */
  readonly from?: number
  /** Highest position, included. */
  readonly to?: number
  readonly limit?: number
  /** From the highest position down. */
  readonly reverse?: boolean
}

/** What a record may hold: JSON, and bytes anywhere in it. `undefined` fields are left out. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [field: string]: Plain | undefined }

/** The HTTP side of a server. Every method throws `ClientError` (errors.ts). */
export interface ServerApi {
  readonly serverName: ServerName
  info(): Promise<ServerInfo>
  register(request: RegistrationRequest): Promise<RegistrationResponse>
  verify(registrationId: string, request: VerificationRequest): Promise<VerificationResponse>
  /** `undefined` when nobody is registered under the number. */
  lookup(phone: PhoneNumber, signer: RequestSigner): Promise<DirectoryEntry | undefined>
  /** The key by which push services know the server; `undefined` when it offers no push. */
  pushKey(): Promise<Bytes | undefined>
  subscribeToPush(subscription: PushSubscription, signer: RequestSigner): Promise<void>
  unsubscribeFromPush(signer: RequestSigner): Promise<void>
  publishPrekeys(signedPrekeys: Bytes, signer: RequestSigner): Promise<void>
  account(signer: RequestSigner): Promise<AccountInfo>
  /** @param pin - none: the lock is taken away. */
  lockRegistration(pin: string | undefined, signer: RequestSigner): Promise<void>
  deleteAccount(signer: RequestSigner): Promise<void>
}

/** Signs requests and logins as one identity. */
export interface RequestSigner {
  readonly identityId: Bytes
  sign(message: Uint8Array): Bytes
}

/** Opens authenticated connections to one server. */
export interface Connector {
  /**
   * Resolves when logged in (`welcome`).
   *
   * @throws {ClientError} `unreachable`, `unauthenticated`, `timed-out`.
   */
  connect(signer: RequestSigner, events: ConnectionEvents): Promise<Connection>
}

/** What a connection tells by itself. Handlers must not throw; they may be called at any time. */
export interface ConnectionEvents {
  /** `envelope` is owned by the handler. */
  deliver(delivery: { sender: Bytes; storedAt: number; envelope: Bytes }): void
  caughtUp(): void
  notice(id: Bytes, status: EnvelopeStatus): void
  room(recipient: Bytes): void
  /** The connection is over; nothing more is called. All open questions are rejected first. */
  closed(reason: CloseReason): void
}

export type CloseReason =
  | { readonly kind: 'closed-by-us' }
  /** A newer connection of the same identity took over. Do not reconnect by yourself. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'unauthenticated' }
  /** Anything else: reconnect with backoff. */
  | { readonly kind: 'lost' }

export interface Connection {
  readonly capacity: number
  /** Server's clock minus ours at login, milliseconds. */
  readonly clockOffset: number
  /** @throws {ClientError} `unreachable` when the connection ended first: the outcome is unknown. */
  put(recipient: Bytes, envelope: Bytes, mode: PutMode): Promise<PutOutcome>
  status(ids: readonly Bytes[]): Promise<readonly EnvelopeStatus[]>
  /** Resolves when the server has applied it. */
  ack(id: Bytes, receipt: Bytes | undefined): Promise<void>
  nack(id: Bytes, reason: NackReason): Promise<void>
  /**
   * Asks the server for a sign of life, to be called when the machine or the page woke: without one
   * within seconds, the connection counts as lost.
   */
  check(): void
  /** Says goodbye; resolves when the socket is closed. */
  close(): Promise<void>
}

/** Milliseconds since 1970, and timers. */
export interface Clock {
  now(): number
  /** Calls `task` once after `delayMs`; the answer cancels it. Never keeps a process alive by itself. */
  schedule(delayMs: number, task: () => void): () => void
}

/** Fresh bytes from the platform's secure generator. */
export type Random = (length: number) => Bytes
