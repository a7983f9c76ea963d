/** What the server has said about room in the mailboxes of contacts, which are given by number. */
export class KnownRoom {
  readonly #full = new Set<number>()
  /** How often room was told. */
  readonly #told = new Map<number, number>()

  isFull(contactNo: number): boolean {
    return this.#full.has(contactNo)
  }

  /** Whoever asks keeps it: room that was told while a question was open may have come after it. */
  timesTold(contactNo: number): number {
    return this.#told.get(contactNo) ?? 0
  }

  foundNone(contactNo: number): void {
    this.#full.add(contactNo)
  }

  told(contactNo: number): void {
    this.#told.set(contactNo, this.timesTold(contactNo) + 1)
    this.#full.delete(contactNo)
  }

  /** A new connection: whatever was known may be past. */
  forget(): void {
    this.#full.clear()
  }
}
