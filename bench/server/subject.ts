import type { ServerProcess } from './processes.ts'

/**
 * A server that carries messages between people, as the benchmark sees it. Each adapter starts the
 * real program with accounts 0, 1, 2 …, and speaks the server's own protocol over its real sockets,
 * with as little of its own as it can: the driver shares the machine.
 */
export interface ServerSubject {
  /** What is compared: version, durability, what is missing. One line for the report. */
  readonly remark: string
  /** Whether messages to people who are away are kept. */
  readonly stores: boolean
  /** @param folder - an empty one, for everything that the server writes. */
  start(folder: string, users: number): Promise<RunningServer>
}

export interface RunningServer {
  readonly process: ServerProcess
  connect(user: number, events: ClientEvents): Promise<Client>
}

export interface ClientEvents {
  /** A message arrived. Where the protocol has acknowledgements the adapter has sent one. */
  readonly onMessage: () => void
  /** The server has taken responsibility for a message of this client. */
  readonly onAccepted?: (() => void) | undefined
}

export interface Client {
  /** Sends a message of 1 KiB that was never sent before. */
  send(to: number): void
  /**
   * Where nothing is said to have been accepted: resolves when the server has read what was sent.
   */
  processed?(): Promise<void>
  /** Ends the connection in good order. */
  close(): Promise<void>
}

export const PAYLOAD_BYTES = 1024
