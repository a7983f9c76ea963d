/**
 * A WebSocket of frames, and what keeps its peer from costing more than it brings: who does not
 * read is not read from either, and is cut when that goes on; who has much that is being worked on
 * is not read from until it is done. (spec/socket.md)
 *
 * What frames mean is none of its business: connection.ts.
 */
import type { Socket } from 'node:net'
import type { ServerFrame } from '@couplet/wire'
import { WebSocket } from 'ws'
import { corkForThisTurn } from './cork.ts'
import { messageOf } from './web-socket-message.ts'

export interface FrameHearer {
  /** A whole message, which is binary or is no frame. */
  message(data: Buffer, isBinary: boolean): void
  /** There is room to send again. */
  drained(): void
  /** The reader fell behind, and stayed there. */
  slow(): void
  /** The socket has closed. May be said twice. */
  gone(): void
}

export class FrameSocket {
  readonly #webSocket: WebSocket
  readonly #socket: Socket
  readonly #hearer: FrameHearer
  readonly #slowReaderMs: number
  #slowTimer: NodeJS.Timeout | undefined
  /** Bytes of frames that are being worked on. */
  #workBytes = 0
  #paused = false
  #stopping = false
  #alive = true
  #ended = false

  /**
   * @param socket - under the WebSocket.
   * @param slowReaderMs - for a reader that fell behind to catch up.
   */
  constructor(webSocket: WebSocket, socket: Socket, hearer: FrameHearer, slowReaderMs: number) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#hearer = hearer
    this.#slowReaderMs = slowReaderMs
    webSocket.on('message', (data, isBinary) => {
      this.#alive = true
      hearer.message(data as Buffer, isBinary)
    })
    webSocket.on('pong', () => {
      this.#alive = true
    })
    webSocket.on('ping', () => this.#watchReader())
    webSocket.on('close', () => hearer.gone())
    webSocket.on('error', () => hearer.gone())
    socket.on('drain', () => this.#drained())
  }

  /** Whether the reader takes what it is sent. */
  get hasRoom(): boolean {
    return this.#webSocket.bufferedAmount < MAX_BUFFERED_BYTES
  }

  /** Whether nothing is read at the moment. */
  get paused(): boolean {
    return this.#paused
  }

  /** @returns whether it was sent. */
  send(frame: ServerFrame): boolean {
    if (this.#ended || this.#webSocket.readyState !== WebSocket.OPEN) return false
    corkForThisTurn(this.#socket)
    // Past the library, which would write header and payload as two: nothing is compressed here, so a
    // whole message may go between any two of its own.
    this.#socket.write(messageOf(frame, this.#socket.writableLength))
    this.#watchReader()
    return true
  }

  /**
   * Until it is lifted: so many bytes, those of frames that are not complete included.
   *
   * @param exceeded - called for every byte beyond.
   * @returns lifts it.
   */
  limitBytes(most: number, exceeded: () => void): () => void {
    let bytes = 0
    const count = ({ length }: Buffer): void => {
      bytes += length
      if (bytes > most) exceeded()
    }
    this.#socket.on('data', count)
    return () => this.#socket.off('data', count)
  }

  /** Work on a frame of so many bytes begins. @returns its cost, for `workEnded`. */
  workBegan(length: number): number {
    const bytes = length + FRAME_OVERHEAD_BYTES
    this.#workBytes += bytes
    this.#updateReading()
    return bytes
  }

  workEnded(bytes: number): void {
    this.#workBytes -= bytes
    this.#updateReading()
  }

  /** Nothing more is read; what is sent still goes out. */
  stopReading(): void {
    this.#stopping = true
    this.#updateReading()
  }

  /** Pings. @returns whether the peer gave a sign of life since the last time. */
  ping(): boolean {
    if (!this.#alive) return false
    this.#alive = false
    this.#webSocket.ping()
    return true
  }

  /** Sends nothing any more. */
  retire(): void {
    this.#ended = true
    clearTimeout(this.#slowTimer)
  }

  /** Says goodbye, and does not wait long for an answer. */
  end(code: number): void {
    this.retire()
    // A paused socket would not hear the peer's goodbye.
    this.#webSocket.resume()
    this.#webSocket.close(code)
    setTimeout(() => this.cut(), GOODBYE_MS).unref()
  }

  cut(): void {
    this.#webSocket.terminate()
  }

  #watchReader(): void {
    if (this.#slowTimer || this.hasRoom) return
    this.#slowTimer = setTimeout(() => this.#hearer.slow(), this.#slowReaderMs)
    this.#updateReading()
  }

  #drained(): void {
    clearTimeout(this.#slowTimer)
    this.#slowTimer = undefined
    this.#updateReading()
    this.#hearer.drained()
  }

  #updateReading(): void {
    const pause =
      this.#stopping || this.#slowTimer !== undefined || this.#workBytes > MAX_WORK_BYTES
    if (pause === this.#paused || this.#ended) return
    this.#paused = pause
    if (pause) this.#webSocket.pause()
    else this.#webSocket.resume()
  }
}

/** Not yet taken by the reader: past it nothing is pushed and nothing is read. */
const MAX_BUFFERED_BYTES: number = 1024 * 1024
/** Being worked on: past it nothing is read. */
const MAX_WORK_BYTES: number = 1024 * 1024
/** What a frame costs beyond its bytes. */
const FRAME_OVERHEAD_BYTES = 512
/** Time for the peer to answer a close. */
const GOODBYE_MS = 2000
