/**
 * A library with encrypted sessions between two people, as the benchmark sees it. Each adapter
 * keeps both ends in one process, stores state the way its library asks for, passes bytes from end
 * to end as they would travel, and checks that every text arrives as it was sent.
 */
export interface Subject {
  /** Algorithms, how state is kept, and what else is in the figures. One line for the report. */
  readonly remark: string

  /**
   * Makes what exists before anybody writes to anybody: identities, and the published keys that
   * `sessions` set-ups use up. Not measured.
   */
  prepare(sessions: number): Promise<void>

  /**
   * A new session: the initiator checks the responder's published keys and sends `text`, the
   * responder opens it and answers with `text`, the initiator opens that. Later messages go through
   * this session.
   *
   * @returns Size of the initiator's first message on the wire.
   */
  setUp(text: string): Promise<number>

  /**
   * One message, sealed and opened.
   *
   * @param turn - the message has to turn the ratchet. Where each change of direction does that by
   *   itself there is nothing to do.
   * @returns Its size on the wire.
   */
  send(message: {
    readonly sender: Role
    readonly text: string
    readonly turn: boolean
  }): Promise<number>
}

export type Role = 'initiator' | 'responder'

export function other(role: Role): Role {
  return role === 'initiator' ? 'responder' : 'initiator'
}

/** The text has to arrive as it was sent. */
export function expectText(opened: string, sent: string): void {
  if (opened !== sent) throw new Error('a text did not arrive as it was sent')
}

export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return ENCODER.encode(text)
}

export function toText(bytes: ArrayBuffer | Uint8Array): string {
  return DECODER.decode(bytes)
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { fatal: true })
