/** The records that were used last, within a number of bytes. */
export class RecordCache<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly bytes: number }>()
  #bytes = 0

  get(subject: string): T | undefined {
    return this.#entries.get(subject)?.value
  }

  set(subject: string, value: T, length: number): void {
    this.delete(subject)
    const bytes = length + ENTRY_OVERHEAD_BYTES
    this.#entries.set(subject, { value, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= CACHE_BYTES) break
      this.delete(oldest)
    }
  }

  delete(subject: string): void {
    const entry = this.#entries.get(subject)
    if (!entry) return
    this.#entries.delete(subject)
    this.#bytes -= entry.bytes
  }
}

const CACHE_BYTES: number = 16 * 1024 * 1024
const ENTRY_OVERHEAD_BYTES = 400
