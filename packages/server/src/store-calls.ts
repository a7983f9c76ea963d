/** What crosses between the server's thread and its store thread: calls in batches, and answers. */
import type { DirectoryStore, MailboxStore, RecordStore, RegistrationStore } from './ports.ts'

/** A port as its store thread implements it: the same methods, answering at once. */
export type Synchronous<Port> = {
  [Name in keyof Port]: Port[Name] extends (...args: infer Args) => Promise<infer Result>
    ? (...args: Args) => Result
    : never
}

/** The ports that live in the store thread, and one method of its own. */
export interface StorePorts {
  readonly mailboxes: MailboxStore
  readonly directory: DirectoryStore
  readonly registrations: RegistrationStore
  readonly records: RecordStore
  readonly self: { probe(): Promise<void>; isCurrent(): Promise<boolean> }
}

/** Every method that can be called from another thread or process; the compiler misses none. */
export function methodsOf(port: keyof StorePorts): readonly string[] {
  return Object.keys(METHODS[port])
}

const METHODS: {
  readonly [Port in keyof StorePorts]: Readonly<
    Record<Exclude<keyof StorePorts[Port], 'watch'>, true>
  >
} = {
  mailboxes: {
    put: true,
    fetch: true,
    count: true,
    ack: true,
    hasRoom: true,
    status: true,
    expire: true,
    drop: true,
  },
  directory: { byPhone: true, byIdentity: true, compareAndSet: true, remove: true, list: true },
  registrations: { open: true, find: true, takeTry: true, finish: true, expire: true },
  records: { get: true, compareAndSet: true, remove: true, list: true, expire: true },
  self: { probe: true, isCurrent: true },
}

export interface StoreCall {
  readonly port: keyof StorePorts
  readonly method: string
  readonly args: readonly unknown[]
}

/** One for each call, in order; given only after the commit that holds them all. */
export type StoreAnswer = { readonly value: unknown } | { readonly error: string }

export type ToStore =
  | { readonly kind: 'batch'; readonly calls: readonly StoreCall[] }
  | { readonly kind: 'close' }

export type FromStore =
  | { readonly kind: 'ready' }
  /** It could not open its data; the message is for the operator. */
  | { readonly kind: 'unusable'; readonly message: string }
  | { readonly kind: 'answers'; readonly answers: readonly StoreAnswer[] }
  | { readonly kind: 'closed' }

export interface StoreThreadData {
  readonly folder: string
  readonly capacity: number
  /** Longest time between a deletion and its disappearance from the write-ahead log. */
  readonly checkpointMs: number
}
