/**
 * The strict binary codec under every structure of Couplet: fixed field order, big-endian integers,
 * length checks before reads, trailing bytes refused. (spec/conventions.md)
 */
import type { Bytes } from './bytes.ts'
import { WireError } from './errors.ts'

/**
 * Writes fields in order, into bytes of exactly their length. It is on the path of every frame, so
 * whoever knows how long the whole becomes says so: then nothing is copied twice. What was outgrown is
 * overwritten: it may have held secrets, and nobody else can.
 *
 * @throws {RangeError} for a number, or a length, that its field cannot hold: cutting it would make
 *   one encoding of two values.
 */
export class Writer {
  #written: Bytes
  #length = 0

  /**
   * @param room - bytes of the whole, of which any number is right and the true one the fastest; or
   *   where it goes, if it is exactly as long.
   */
  constructor(room: number | Bytes = SMALL_BYTES) {
    this.#written = typeof room === 'number' ? new Uint8Array(room) : room
  }

  u8(value: number): this {
    return this.#number(value, 1, 0xff)
  }

  u16(value: number): this {
    return this.#number(value, 2, 0xffff)
  }

  u32(value: number): this {
    return this.#number(value, 4, 0xffff_ffff)
  }

  /** An unsigned 64-bit integer from a safe integer. */
  u64(value: number): this {
    return this.#number(value, 8, Number.MAX_SAFE_INTEGER)
  }

  /** Bytes of a length that the reader knows. */
  bytes(value: Uint8Array): this {
    const at = this.#take(value.length)
    this.#written.set(value, at)
    return this
  }

  /** Bytes behind their length as a u16. */
  bytes16(value: Uint8Array): this {
    return this.u16(value.length).bytes(value)
  }

  /** Bytes behind their length as a u32. */
  bytes32(value: Uint8Array): this {
    return this.u32(value.length).bytes(value)
  }

  /** Room that somebody else fills. */
  zeros(length: number): this {
    this.#take(length)
    return this
  }

  /** Nothing is written after it. */
  finish(): Bytes {
    if (this.#length === this.#written.length) return this.#written
    const exact = this.#written.slice(0, this.#length)
    this.#written.fill(0)
    return exact
  }

  #number(value: number, width: number, max: number): this {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new RangeError('number does not fit its field')
    }
    const at = this.#take(width)
    writeBigEndian(this.#written, value, at, at + width)
    return this
  }

  /** Where the next so many bytes go. */
  #take(length: number): number {
    const at = this.#length
    this.#length += length
    if (this.#length > this.#written.length) {
      const longer = new Uint8Array(Math.max(this.#length, 2 * this.#written.length))
      longer.set(this.#written)
      this.#written.fill(0)
      this.#written = longer
    }
    return at
  }
}

/** Small enough to lie on the engine's own heap, large enough for most answers. */
const SMALL_BYTES = 64

/**
 * Reads fields in order. Every read checks that its bytes are there.
 * Byte fields are views into the input: copy what must outlive it.
 *
 * @throws {WireError} `malformed` from every method when the input is too short, and from
 *   `finish` when bytes are left over.
 */
export class Reader {
  readonly #input: Uint8Array
  #offset = 0

  constructor(input: Uint8Array) {
    this.#input = input
  }

  u8(): number {
    return this.#input[this.#skip(1)]!
  }

  u16(): number {
    const at = this.#skip(2)
    return (this.#input[at]! << 8) | this.#input[at + 1]!
  }

  u32(): number {
    const at = this.#skip(4)
    const input = this.#input
    const value = (input[at]! << 24) | (input[at + 1]! << 16) | (input[at + 2]! << 8)
    return (value | input[at + 3]!) >>> 0
  }

  /** An unsigned 64-bit integer that fits a safe integer; a larger one is malformed. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32()
    if (!Number.isSafeInteger(value)) throw new WireError('malformed', 'integer too large')
    return value
  }

  bytes(length: number): Uint8Array {
    const at = this.#skip(length)
    return this.#input.subarray(at, at + length)
  }

  bytes16(): Uint8Array {
    return this.bytes(this.u16())
  }

  bytes32(): Uint8Array {
    return this.bytes(this.u32())
  }

  /** A byte that must have exactly this value: a version, a type, a reserved zero. */
  expect(value: number, what: string): this {
    if (this.u8() !== value) throw new WireError('malformed', `unexpected ${what}`)
    return this
  }

  /** Everything that is left, which may be nothing. */
  rest(): Uint8Array {
    return this.bytes(this.#input.length - this.#offset)
  }

  get remaining(): number {
    return this.#input.length - this.#offset
  }

  /** Refuses trailing bytes. */
  finish(): void {
    if (this.remaining !== 0) throw new WireError('malformed', 'trailing bytes')
  }

  /** Where the next bytes begin, which are read then. */
  #skip(length: number): number {
    const at = this.#offset
    if (at + length > this.#input.length) throw new WireError('malformed', 'input too short')
    this.#offset = at + length
    return at
  }
}

function writeBigEndian(into: Uint8Array, value: number, start: number, end: number): void {
  let rest = value
  for (let at = end - 1; at >= start; at--) {
    into[at] = rest
    rest = Math.floor(rest / 256)
  }
}
