/**
 * The strict binary codec under every structure of Couplet: fixed field order, big-endian integers,
 * length checks before reads, trailing bytes refused. (spec/conventions.md)
 */
import { type Bytes, concatBytes } from './bytes.ts'
import { WireError } from './errors.ts'

/**
 * Collects fields in order and joins them once.
 *
 * @throws {RangeError} for a number, or a length, that its field cannot hold: cutting it would make
 *   one encoding of two values.
 */
export class Writer {
  readonly #parts: Uint8Array[] = []

  u8(value: number): this {
    checkRange(value, 0xff)
    return this.bytes(Uint8Array.of(value))
  }

  u16(value: number): this {
    checkRange(value, 0xffff)
    return this.bytes(Uint8Array.of(value >>> 8, value))
  }

  u32(value: number): this {
    checkRange(value, 0xffff_ffff)
    return this.bytes(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value))
  }

  /** An unsigned 64-bit integer from a safe integer. */
  u64(value: number): this {
    checkRange(value, Number.MAX_SAFE_INTEGER)
    return this.u32(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32)
  }

  /** Bytes of a length that the reader knows. Shared until `finish`, not copied. */
  bytes(value: Uint8Array): this {
    this.#parts.push(value)
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

  finish(): Bytes {
    return concatBytes(...this.#parts)
  }
}

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
    return this.bytes(1)[0]!
  }

  u16(): number {
    const at = this.bytes(2)
    return (at[0]! << 8) | at[1]!
  }

  u32(): number {
    const at = this.bytes(4)
    return ((at[0]! << 24) | (at[1]! << 16) | (at[2]! << 8) | at[3]!) >>> 0
  }

  /** An unsigned 64-bit integer that fits a safe integer; a larger one is malformed. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32()
    if (!Number.isSafeInteger(value)) throw new WireError('malformed', 'integer too large')
    return value
  }

  bytes(length: number): Uint8Array {
    const end = this.#offset + length
    if (end > this.#input.length) throw new WireError('malformed', 'input too short')
    const field = this.#input.subarray(this.#offset, end)
    this.#offset = end
    return field
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
}

function checkRange(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError('number does not fit its field')
  }
}
