/** Moving a home into a file and out of one, on Node. (export.ts) */
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ClientError } from '../errors.ts'
import { exportHome, type Imported, importHome, takeBackExport } from '../export.ts'
import type { Platform } from '../platform.ts'
import { type HomeOptions, openHome } from './home.ts'
import { stretch } from './stretch.ts'

type HomeSettings = Omit<HomeOptions, 'create'>

export interface MoveSettings extends HomeSettings {
  /** Path of the file. */
  readonly file: string
  /** Of the file, not of the home. */
  readonly filePassphrase: string | Uint8Array
}

/**
 * Moves a home into a file that must not exist yet. The home is retired: it cannot be opened any
 * more, and says so. If the file cannot be written, the home is as it was.
 *
 * @throws {ClientError} `not-registered`, `home-moved`, `home-locked`, `passphrase-required`,
 *   `wrong-passphrase`, `unreadable-home`; an error of the file system.
 */
export async function exportToFile(platform: Platform, settings: MoveSettings): Promise<void> {
  const { file: path, filePassphrase, ...home } = settings
  const { store } = await openHome({ ...home, create: false })
  const unfinished = `${path}.unfinished`
  try {
    const file = await open(path, 'wx', 0o600)
    await file.close()
    try {
      const {
        file: pieces,
        finish,
        cancel,
      } = await exportHome({ store, platform, stretch }, filePassphrase)
      try {
        await writeDurably(unfinished, pieces)
        await rename(unfinished, path)
        await syncFolder(dirname(path))
      } catch (error) {
        await cancel()
        throw error
      }
      await finish()
    } catch (error) {
      await rm(unfinished, { force: true })
      await rm(path, { force: true })
      throw error
    }
  } finally {
    await store.close()
  }
}

/**
 * Makes a home from a file. The file stays: it is to be deleted, since a home is imported once.
 *
 * @throws {ClientError} `already-registered` when there is a home; `wrong-passphrase` of the file;
 *   `unreadable-export`; an error of the file system. There is no home then.
 */
export async function importFromFile(
  platform: Platform,
  settings: MoveSettings,
): Promise<Imported> {
  const { file, filePassphrase, ...home } = settings
  // Before a home is made.
  await (await open(file)).close()
  const { store } = await openHome({ ...home, create: true })
  try {
    return await importHome(
      { store, platform, stretch },
      createReadStream(file) as AsyncIterable<Uint8Array>,
      filePassphrase,
    )
  } finally {
    await store.close()
  }
}

/** Takes an interrupted export back. (export.ts, `takeBackExport`) */
export async function takeBackHome(home: HomeSettings): Promise<void> {
  const { store } = await openHome({ ...home, create: false })
  try {
    await takeBackExport(store)
  } finally {
    await store.close()
  }
}

async function writeDurably(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const piece of pieces) await writeAll(file, piece)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, from)
    if (bytesWritten === 0) throw new ClientError('unreadable-export', 'the file takes no more')
    from += bytesWritten
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
