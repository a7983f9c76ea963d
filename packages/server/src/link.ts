/**
 * Messages between processes of one machine, over a socket in the file system. Whatever one turn of
 * the event loop brings goes in one write, since a write costs more than a message.
 *
 * Both ends run the same program, so messages are whatever a structured clone can hold.
 */
import type { Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'

export class Link {
  readonly #socket: Socket
  readonly #onMessage: (message: unknown) => void
  #gathering: unknown[] = []
  #received: Buffer = EMPTY

  /** @param onEnd - called once. */
  constructor(socket: Socket, onMessage: (message: unknown) => void, onEnd: () => void) {
    this.#socket = socket
    this.#onMessage = onMessage
    socket.on('data', (data) => this.#receive(data as Buffer))
    socket.on('error', () => {})
    socket.on('close', onEnd)
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
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
    while (this.#received.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#received.readUInt32BE(0)
      if (this.#received.length < end) return
      const messages = deserialize(this.#received.subarray(LENGTH_BYTES, end)) as unknown[]
      this.#received = this.#received.subarray(end)
      for (const message of messages) this.#onMessage(message)
    }
  }
}

const EMPTY: Buffer = Buffer.alloc(0)
const LENGTH_BYTES = 4
