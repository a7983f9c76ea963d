/// <reference lib="dom" />
/**
 * What runs inside the page: stores in IndexedDB, driven from outside one call at a time, so that
 * the contract of all stores runs on them unchanged. Values cross the border as encoded records.
 */
import { fromBase64Url, toBase64Url } from '@couplet/wire'
import type { Plain, Range, Transaction } from '../../packages/client/src/ports.ts'
import { decodeRecord, encodeRecord } from '../../packages/client/src/record-codec.ts'
import { changePassphrase, openHome, type WebHome } from '../../packages/client/src/web/home.ts'

/** What a call gave, or how it failed. */
export type Outcome<T> =
  | { readonly value: T }
  | { readonly error: { readonly name: string; readonly message: string; readonly code?: string } }

/** A call of a method of `Transaction`, and its arguments; values are encoded. */
export type Call =
  | readonly ['get', string, string, number | undefined]
  | readonly ['put', string, string, number, string]
  | readonly ['delete', string, string, number | undefined]
  | readonly ['list', string, string, Range]
  | readonly ['everything']
  | readonly ['clear']

export interface StorePage {
  open(name: string, passphrase?: string): Promise<Outcome<number>>
  close(store: number): Promise<Outcome<void>>
  /** Begins a transaction; answers its number when its turn has come. */
  begin(store: number): Promise<Outcome<number>>
  call(transaction: number, call: Call): Promise<Outcome<unknown>>
  /** Ends a transaction: commits, or lets its work throw. */
  end(transaction: number, succeeds: boolean): Promise<Outcome<void>>
  changeWhileOpen(store: number, passphrase: string | undefined): Promise<Outcome<void>>
  changePassphrase(name: string, before?: string, after?: string): Promise<Outcome<void>>
  /** Everything that lies in the database, as text: bytes as Latin-1. */
  dump(name: string): Promise<string>
}

interface Open {
  readonly transaction: Transaction
  readonly finish: PromiseWithResolvers<void>
  readonly done: Promise<void>
}

const homes: WebHome[] = []
const transactions: Open[] = []

const page: StorePage = {
  open: (name, passphrase) =>
    outcome(async () => homes.push(await openHome({ name, passphrase, create: true })) - 1),
  close: (store) => outcome(() => homes[store]!.store.close()),
  begin: (store) =>
    outcome(async () => {
      const begun = Promise.withResolvers<number>()
      const done = homes[store]!.store.transaction((transaction) => {
        const finish = Promise.withResolvers<void>()
        begun.resolve(transactions.push({ transaction, finish, done: finished }) - 1)
        return finish.promise
      })
      const finished = done
      done.catch((error: unknown) => begun.reject(error))
      return begun.promise
    }),
  call: (transaction, call) => outcome(() => perform(transactions[transaction]!.transaction, call)),
  end: (transaction, succeeds) =>
    outcome(async () => {
      const { finish, done } = transactions[transaction]!
      if (succeeds) finish.resolve()
      else finish.reject(new Error('undone'))
      await done.catch((error: unknown) => {
        if (succeeds) throw error
      })
    }),
  changeWhileOpen: (store, passphrase) => outcome(() => homes[store]!.changePassphrase(passphrase)),
  changePassphrase: (name, passphrase, newPassphrase) =>
    outcome(() => changePassphrase({ name, passphrase, newPassphrase })),
  dump,
}

Object.assign(globalThis, { storePage: page })

async function perform(tx: Transaction, call: Call): Promise<unknown> {
  switch (call[0]) {
    case 'get': {
      const value = await tx.get<Plain>(call[1], call[2], call[3])
      return value === undefined ? undefined : pack(value)
    }
    case 'put':
      return tx.put(call[1], call[2], call[3], decodeRecord(fromBase64Url(call[4])))
    case 'delete':
      return tx.delete(call[1], call[2], call[3])
    case 'list': {
      const found = await tx.list<Plain>(call[1], call[2], call[3])
      return found.map(({ position, value }) => ({ position, value: pack(value) }))
    }
    case 'everything': {
      const found = []
      for await (const record of tx.everything()) {
        found.push({ ...record, value: pack(record.value) })
      }
      return found
    }
    case 'clear':
      return tx.clear()
  }
}

function pack(value: Plain): string {
  return toBase64Url(encodeRecord(value))
}

async function outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string }
    return { error: { name, message, ...(typeof code === 'string' && { code }) } }
  }
}

async function dump(name: string): Promise<string> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name)
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(new Error('cannot be opened')))
  })
  const texts: string[] = []
  for (const store of database.objectStoreNames) {
    texts.push(store)
    const objects = database.transaction(store).objectStore(store)
    for (const request of [objects.getAllKeys(), objects.getAll()]) {
      const found = await new Promise<unknown>((resolve) => {
        request.addEventListener('success', () => resolve(request.result))
      })
      texts.push(textOf(found))
    }
  }
  database.close()
  return texts.join('\n')
}

function textOf(value: unknown): string {
  if (value instanceof ArrayBuffer) return textOf(new Uint8Array(value))
  if (value instanceof Uint8Array) return String.fromCharCode(...value)
  if (value instanceof CryptoKey) return value.extractable ? 'extractable' : 'kept in'
  if (Array.isArray(value)) return value.map(textOf).join(' ')
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([field, content]) => `${field} ${textOf(content)}`)
      .join(' ')
  }
  return String(value)
}
