/**
 * The port between the processes of one service: who hears what. An engine brings its own; a server
 * that is alone has none.
 *
 * At most once, and in order from one process to another. What must not be lost is in the store; a
 * bus carries hints, and work that its sender does itself when nobody takes it.
 */

/** Answers a question. Only the first answer counts. */
export type Respond = (answer: Uint8Array) => void

/** Called at once when a message comes. `respond` is there for questions. */
export type Hearer = (message: Uint8Array, respond?: Respond) => void

export interface Hearing {
  /** Resolves when nothing that is said from now on will be missed, gaps aside. */
  readonly ready: Promise<void>
  end(): void
}

/** `nobody` heard the question; or `unknown`: it may have been heard, but no answer came. */
export type AskResult = Uint8Array | 'nobody' | 'unknown'

export interface Bus {
  /** A process does not hear itself. @param subject - letters, digits and dots. */
  hear(subject: string, hearer: Hearer): Hearing
  say(subject: string, message: Uint8Array): void
  /**
   * Asks those who hear the subject. `answered` is called once, in the order in which answers and
   * messages came from one process; never before this returns. An empty answer says that whoever
   * gives it is not who was asked for: another one's counts more, if it comes soon.
   *
   * @param urgent - heard late rather than never by who does not keep up. For what is small, and
   *   has no second chance.
   */
  ask(
    subject: string,
    message: Uint8Array,
    timeoutMs: number,
    answered: (result: AskResult) => void,
    urgent?: boolean,
  ): void
  /** Called when messages of others may have been missed: look at what they would have said. */
  onGap(listener: () => void): void
  close(): Promise<void>
}
