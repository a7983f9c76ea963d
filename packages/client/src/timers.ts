/** Timers by name: what one waits for must not push out what another waits for. */
import type { Clock } from './ports.ts'

export class Timers {
  readonly #clock: Clock
  readonly #waiting = new Map<string, { readonly time: number; readonly cancel: () => void }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `task` at this time, in milliseconds since 1970; the earliest asked for under its name. */
  at(name: string, time: number, task: () => void): void {
    const earlier = this.#waiting.get(name)
    if (earlier && earlier.time <= time) return
    earlier?.cancel()
    const cancel = this.#clock.schedule(Math.max(0, time - this.#clock.now()), () => {
      this.#waiting.delete(name)
      task()
    })
    this.#waiting.set(name, { time, cancel })
  }

  clear(): void {
    for (const { cancel } of this.#waiting.values()) cancel()
    this.#waiting.clear()
  }
}
