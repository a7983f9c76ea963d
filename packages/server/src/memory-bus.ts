/** A bus inside one process: for tests, and the plainest reading of what a bus must do. */
import type { AskResult, Bus, Hearer, Hearing } from './bus.ts'

/** What several servers in one process share; each takes an end of its own. */
export class MemoryBus {
  readonly #ends = new Set<MemoryEnd>()

  end(): MemoryEnd {
    const end = new MemoryEnd(this.#ends)
    this.#ends.add(end)
    return end
  }
}

export class MemoryEnd implements Bus {
  readonly #ends: Set<MemoryEnd>
  readonly #hearers = new Map<string, Set<Hearer>>()
  readonly #gaps: (() => void)[] = []

  constructor(ends: Set<MemoryEnd>) {
    this.#ends = ends
  }

  hear(subject: string, hearer: Hearer): Hearing {
    const hearers = this.#hearers.get(subject) ?? new Set()
    this.#hearers.set(subject, hearers.add(hearer))
    const end = (): void => {
      hearers.delete(hearer)
      if (hearers.size === 0) this.#hearers.delete(subject)
    }
    return { ready: Promise.resolve(), end }
  }

  say(subject: string, message: Uint8Array): void {
    const copy = Uint8Array.from(message)
    setImmediate(() => {
      for (const hearer of this.#others(subject)) hearer(copy)
    })
  }

  ask(
    subject: string,
    message: Uint8Array,
    timeoutMs: number,
    answered: (result: AskResult) => void,
  ): void {
    const copy = Uint8Array.from(message)
    let open = true
    const settle = (result: AskResult): void => {
      if (open) answered(result)
      open = false
    }
    setImmediate(() => {
      const hearers = this.#others(subject)
      if (hearers.length === 0) settle('nobody')
      for (const hearer of hearers) {
        hearer(copy, (answer) => {
          const copied = Uint8Array.from(answer)
          setImmediate(() => settle(copied))
        })
      }
    })
    setTimeout(() => settle('unknown'), timeoutMs).unref()
  }

  onGap(listener: () => void): void {
    this.#gaps.push(listener)
  }

  /** For tests: as if messages had been lost. */
  gap(): void {
    for (const listener of this.#gaps) listener()
  }

  async close(): Promise<void> {
    this.#ends.delete(this)
  }

  #others(subject: string): Hearer[] {
    const others = [...this.#ends].filter((end) => end !== this)
    return others.flatMap((end) => [...(end.#hearers.get(subject) ?? [])])
  }
}
