/**
 * Messages between processes of one machine, over a socket in the file system. Whatever one turn of
 * the event loop brings goes in one write, since a write costs more than a message.
 *
 * Both ends run the same program, so messages are whatever a structured clone can hold.
 *
 * Nothing is refused here: an end that has much to say asks first whether the other one keeps up.
 */
import type { Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'

export class Link {
  readonly #socket: Socket
  readonly #onMessage: (message: unknown) => void
  #gathering: unknown[] = []
  /** Parts of a batch that is not complete. */
  #parts: Buffer[] = []
  #partBytes = 0

  /** @param onEnd - called once. @param onDrain - the other end has caught up. */
  constructor(
    socket: Socket,
    onMessage: (message: unknown) => void,
    onEnd: () => void,
    onDrain: () => void = () => {},
  ) {
    this.#socket = socket
    this.#onMessage = onMessage
    socket.on('data', (data) => this.#receive(data as Buffer))
    socket.on('drain', onDrain)
    socket.on('error', () => {})
    socket.on('close', onEnd)
  }

  /** The other end does not read: what is sent now waits in this process's memory. */
  get isFull(): boolean {
    return this.#socket.writableLength >= FULL_BYTES
  }

  send(message: unknown): void {
    if (this.#gathering.length === 0) setImmediate(() => this.#write())
    this.#gathering.push(message)
  }

  /** After what was sent. */
  end(): void {
    this.#write()
    this.#socket.end()
  }

  #write(): void {
    if (this.#gathering.length === 0) return
    const batch = serialize(this.#gathering)
    this.#gathering = []
    if (this.#socket.writableEnded || this.#socket.destroyed) return
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(batch.length)
    this.#socket.cork()
    this.#socket.write(length)
    this.#socket.write(batch)
    this.#socket.uncork()
  }

  #receive(data: Buffer): void {
    this.#parts.push(data)
    this.#partBytes += data.length
    while (this.#partBytes >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#together(LENGTH_BYTES).readUInt32BE(0)
      if (this.#partBytes < end) return
      const received = this.#together(end)
      this.#parts = [received.subarray(end)]
      this.#partBytes -= end
      const messages = deserialize(received.subarray(LENGTH_BYTES, end)) as unknown[]
      for (const message of messages) this.#onMessage(message)
    }
  }

  /** The first part, made as long as this: parts are joined once, however many a batch came in. */
  #together(bytes: number): Buffer {
    if (this.#parts[0]!.length < bytes) this.#parts = [Buffer.concat(this.#parts)]
    return this.#parts[0]!
  }
}

const LENGTH_BYTES = 4
/** More than a busy second brings. */
const FULL_BYTES: number = 8 * 2 ** 20
