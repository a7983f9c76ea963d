/**
 * Moving a home to another device: its identity, its sessions and its messages, in one encrypted
 * file. (spec/export.md)
 *
 * A session's state must never be in two places that both send: so a home is moved, not copied. It
 * is retired before the first byte of the file is written, and emptied when the file is safe. A home
 * whose export was interrupted is retired still, says so, and lets the export be repeated or, by its
 * owner's decision, taken back.
 *
 *     const { file, finish, cancel } = await exportHome(ports, 'a long passphrase')
 *     try {
 *       for await (const piece of file) await write(piece)
 *       await sync()
 *     } catch (error) {
 *       await cancel()                      // and remove the unfinished file
 *       throw error
 *     }
 *     await finish()                        // from here on the file is the only home
 */
import type { Bytes, PhoneNumber } from '@couplet/wire'
import { toHex } from '@couplet/wire'
import { ownIdentity } from './account.ts'
import { ClientError } from './errors.ts'
import { type FileCrypto, type Manifest, readFile, writeFile } from './export-format.ts'
import { refuseMoved } from './moved.ts'
import type { Stretch } from './passphrase.ts'
import { passphraseBytes } from './passphrase.ts'
import type { Platform } from './platform.ts'
import type { NamedRecord, Plain, Store, Transaction } from './ports.ts'
import type { MovedRecord } from './records.ts'
import { MOVED, Tables } from './tables.ts'

export interface MovePorts {
  /** Of a home that no client has open. */
  readonly store: Store
  readonly platform: Platform
  readonly stretch: Stretch
}

export interface HomeExport {
  /** The file, piece by piece; to be read once. No piece is large. */
  readonly file: AsyncIterable<Bytes>
  /** To be called when the file is on disk: empties the home, which says from now on that it moved. */
  readonly finish: () => Promise<void>
  /** To be called when there is no file: the home is as it was. */
  readonly cancel: () => Promise<void>
}

/** Whose home was imported. */
export interface Imported {
  readonly phone: PhoneNumber
  readonly server: string
  /** 64 hex digits. */
  readonly identityId: string
  /** When it was exported, milliseconds since 1970. */
  readonly exportedAt: number
}

/**
 * Retires a home and gives it as a file. May be called again when an earlier export was interrupted.
 *
 * @throws {ClientError} `not-registered`; `home-moved`; `passphrase-required` when it is empty;
 *   `unreadable-home` for a home that was made by version 0.1.
 */
export async function exportHome(
  { store, platform, stretch }: MovePorts,
  passphrase: string | Uint8Array,
): Promise<HomeExport> {
  passphraseBytes(passphrase)
  const exportedAt = platform.clock.now()
  const { phone, server } = await store.transaction(async (tx) => {
    const tables = new Tables(tx)
    await refuseMoved(tables, 'exporting')
    const account = await tables.requireAccount()
    // Such a store cannot be moved: better to know now.
    for await (const _ of tx.everything()) break
    await tables.putMoved({ state: 'exporting', at: exportedAt })
    return account
  })
  const crypto = { primitives: platform.primitives, random: platform.random, stretch }
  return {
    file: inOneTransaction(store, (tx) =>
      writeFile(crypto, passphrase, { phone, server, exportedAt }, recordsToMove(tx)),
    ),
    finish: () => emptyHome(store, platform.clock.now()),
    cancel: () => takeBack(store),
  }
}

/**
 * Takes an interrupted export back: the home can be opened again. Its owner must be sure that no
 * file of that export is imported anywhere: two homes with one session would lose messages.
 *
 * @throws {ClientError} `home-moved` when the export was finished.
 */
export async function takeBackExport(store: Store): Promise<void> {
  await takeBack(store)
}

/**
 * Fills a fresh home from a file: all of it, or nothing.
 *
 * @throws {ClientError} `already-registered` when the home is not fresh; `wrong-passphrase`;
 *   `unreadable-export`.
 */
export async function importHome(
  { store, platform, stretch }: MovePorts,
  file: AsyncIterable<Uint8Array>,
  passphrase: string | Uint8Array,
): Promise<Imported> {
  await store.transaction(requireFresh)
  const crypto: FileCrypto = { primitives: platform.primitives, random: platform.random, stretch }
  const { manifest, records } = await readFile(crypto, passphrase, file)
  return store.transaction(async (tx) => {
    await requireFresh(tx)
    for await (const { collection, partition, position, value } of records) {
      await tx.put(collection, partition, position, value)
    }
    return imported(tx, platform, manifest)
  })
}

/** What came must be whole: an identity with keys that this device can use. */
async function imported(
  tx: Transaction,
  platform: Platform,
  { exportedAt }: Manifest,
): Promise<Imported> {
  try {
    const account = await new Tables(tx).requireAccount()
    const self = await ownIdentity(platform, account)
    const { phone, server } = account
    return { phone, server, identityId: toHex(self.id), exportedAt }
  } catch (error) {
    throw new ClientError('unreadable-export', 'there is no usable identity in this file', {
      cause: error,
    })
  }
}

async function requireFresh(tx: Transaction): Promise<void> {
  for await (const _ of tx.everything()) {
    throw new ClientError(
      'already-registered',
      'a home is imported into a new place, and there is something in this one',
    )
  }
}

async function* recordsToMove(tx: Transaction): AsyncIterable<NamedRecord<Plain>> {
  for await (const record of tx.everything()) {
    const isMark = record.collection === MOVED.collection && record.partition === MOVED.partition
    if (!isMark) yield record
  }
}

async function emptyHome(store: Store, now: number): Promise<void> {
  await store.transaction(async (tx) => {
    const tables = new Tables(tx)
    await refuseMoved(tables, 'exporting')
    await tx.clear()
    await tables.putMoved({ state: 'moved', at: now } satisfies MovedRecord)
  })
  await store.scrub()
}

async function takeBack(store: Store): Promise<void> {
  await store.transaction(async (tx) => {
    const tables = new Tables(tx)
    await refuseMoved(tables, 'exporting')
    await tables.deleteMoved()
  })
}

/**
 * What a transaction gives piece by piece, while it lasts: it goes on when a piece is asked for, and
 * ends with the last one, or when the reader leaves.
 */
async function* inOneTransaction<T>(
  store: Store,
  pieces: (tx: Transaction) => AsyncIterable<T>,
): AsyncIterable<T> {
  const begun = Promise.withResolvers<Transaction>()
  const over = Promise.withResolvers<void>()
  const done = store.transaction((tx) => {
    begun.resolve(tx)
    return over.promise
  })
  done.catch((error: unknown) => begun.reject(error))
  try {
    yield* pieces(await begun.promise)
  } finally {
    over.resolve()
    await done
  }
}
