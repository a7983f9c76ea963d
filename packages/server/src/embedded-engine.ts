/** The engine of a single machine: the embedded store, and its key beside it. */
import { loadCodeKey } from './code-key.ts'
import { type EmbeddedStoreOptions, embeddedStore } from './embedded-store.ts'
import type { Engine } from './ports.ts'

/** @throws {StoreUnusableError} when the data cannot be used. */
export async function embeddedEngine(options: EmbeddedStoreOptions): Promise<Engine> {
  const store = await embeddedStore(options)
  return { store, codeKey: loadCodeKey(options.folder) }
}
