/** Moving a home into a file and out of one, in a browser. (export.ts) */
import type { Bytes } from '@couplet/wire'
import { exportHome, type Imported, importHome, takeBackExport } from '../export.ts'
import type { Store } from '../ports.ts'
import { writeHint } from './hint.ts'
import { DEFAULT_NAME, openHome, type WebHomeOptions } from './home.ts'
import { webPlatform } from './platform.ts'
import { stretchHere } from './stretch.ts'

export interface BlobExport {
  readonly file: Blob
  /**
   * To be called when the person has the file: the home is emptied, and says from now on that it
   * moved. Until then it cannot be opened (`export-unfinished`).
   */
  readonly finish: () => Promise<void>
  /** To be called when there is no file: the home is as it was. */
  readonly cancel: () => Promise<void>
}

/**
 * Retires the home of this browser and gives it as a file. It must not be open. A page cannot know
 * whether a download was saved: the person says so.
 *
 * @throws {ClientError} as `openHome` and `exportHome`.
 */
export async function exportToBlob(
  options: WebHomeOptions & { readonly filePassphrase: string | Uint8Array },
): Promise<BlobExport> {
  const store = await storeOf(options)
  const stretch = options.stretch ?? stretchHere
  try {
    const { file, finish, cancel } = await exportHome(
      { store, platform: webPlatform, stretch },
      options.filePassphrase,
    )
    const pieces: Bytes[] = []
    try {
      for await (const piece of file) pieces.push(piece)
    } catch (error) {
      await cancel()
      throw error
    }
    const ends = (work: () => Promise<void>) => async () => {
      await work()
      await store.close()
    }
    const type = 'application/octet-stream'
    return { file: new Blob(pieces, { type }), finish: ends(finish), cancel: ends(cancel) }
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * Makes the home of this browser from a file.
 *
 * @throws {ClientError} as `importHome`.
 */
export async function importFromBlob(
  file: Blob,
  options: WebHomeOptions & { readonly filePassphrase: string | Uint8Array },
): Promise<Imported> {
  const { store } = await openHome({ ...options, create: true })
  try {
    const ports = { store, platform: webPlatform, stretch: options.stretch ?? stretchHere }
    const imported = await importHome(ports, piecesOf(file), options.filePassphrase)
    const { phone, server } = imported
    writeHint(options.name ?? DEFAULT_NAME, { phone, server, since: Date.now() })
    return imported
  } finally {
    await store.close()
  }
}

/** Takes an interrupted export back, so that the home can be opened again. (export.ts) */
export async function takeBackHomeExport(options: WebHomeOptions = {}): Promise<void> {
  const store = await storeOf(options)
  try {
    await takeBackExport(store)
  } finally {
    await store.close()
  }
}

async function storeOf(options: WebHomeOptions): Promise<Store> {
  return (await openHome({ ...options, create: false })).store
}

/** Not every browser can iterate a stream yet. */
async function* piecesOf(file: Blob): AsyncIterable<Uint8Array> {
  const reader = file.stream().getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
