/**
 * As much of Protobuf as a `Content` needs: fields, one after another. (spec/message.md, "Content")
 *
 * Own code, since two implementations have to refuse the same bytes, and libraries differ where the
 * format says little: they cut lengths and numbers to 32 or 64 bits, bound tags in different ways,
 * and skip groups by recursion, which ends with the stack.
 */
import type { Bytes } from '@couplet/wire'
import { MAX_GROUP_DEPTH } from './constants.ts'
import { ProtocolError } from './errors.ts'

export type Field =
  /** Inexact above 2^53, but above it. */
  | { readonly kind: 'number'; readonly number: number; readonly value: number }
  /** A view into the input. */
  | { readonly kind: 'bytes'; readonly number: number; readonly value: Uint8Array }
  /** A group, or a number of fixed width: no field of ours. */
  | { readonly kind: 'other'; readonly number: number }

/** @throws {ProtocolError} `malformed` from every method, for what is not well-formed. */
export class ProtobufReader {
  readonly #input: Uint8Array
  #at = 0

  constructor(input: Uint8Array) {
    this.#input = input
  }

  get isAtEnd(): boolean {
    return this.#at === this.#input.length
  }

  /** The next field, which must be there. */
  field(): Field {
    const tag = this.#tag()
    const number = tag >>> TYPE_BITS
    const type = tag & TYPE_MASK
    if (type === TYPE.varint) return { kind: 'number', number, value: this.#varint() }
    if (type === TYPE.lengthDelimited) return { kind: 'bytes', number, value: this.#delimited() }
    if (type === TYPE.groupStart) this.#skipGroup(number)
    else this.#skipFixed(type)
    return { kind: 'other', number }
  }

  /** To the end of a group that has begun. Not by recursion: its depth is the sender's choice. */
  #skipGroup(number: number): void {
    const open = [number]
    while (open.length > 0) {
      const tag = this.#tag()
      const type = tag & TYPE_MASK
      if (type === TYPE.varint) this.#varint()
      else if (type === TYPE.lengthDelimited) this.#delimited()
      else if (type === TYPE.groupStart) open.push(tag >>> TYPE_BITS)
      else if (type === TYPE.groupEnd)
        require(open.pop() === tag >>> TYPE_BITS, 'another group ends')
      else this.#skipFixed(type)
      require(open.length <= MAX_GROUP_DEPTH, 'groups are nested too deeply')
    }
  }

  #skipFixed(type: number): void {
    require(type === TYPE.fixed64 || type === TYPE.fixed32, 'a field of no type')
    this.#bytes(type === TYPE.fixed64 ? 8 : 4)
  }

  /** Field number and type; like every number it may be written longer than it has to be. */
  #tag(): number {
    const tag = this.#varint()
    require(tag <= MAX_TAG && tag >= 1 << TYPE_BITS, 'a field number that there is not')
    return tag
  }

  #delimited(): Uint8Array {
    return this.#bytes(this.#varint())
  }

  #bytes(length: number): Uint8Array {
    require(length <= this.#input.length - this.#at, 'a field is longer than the content')
    const start = this.#at
    this.#at += length
    return this.#input.subarray(start, this.#at)
  }

  #varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < MAX_VARINT_BYTES && !this.isAtEnd; i++) {
      const byte = this.#input[this.#at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
    throw new ProtocolError('malformed', 'a number has no end')
  }
}

/** Writes fields in the order in which they are given. */
export class ProtobufWriter {
  readonly #parts: ArrayLike<number>[] = []
  /** Bytes of numbers, to which more are added until bytes of somebody else come. */
  #numbers: number[] = []

  /** @throws {RangeError} for what is no unsigned integer that a number holds exactly. */
  number(field: number, value: number): this {
    this.#varint((field << TYPE_BITS) | TYPE.varint)
    this.#varint(value)
    return this
  }

  /** Shared until `finish`, not copied. */
  bytes(field: number, value: Uint8Array): this {
    this.#varint((field << TYPE_BITS) | TYPE.lengthDelimited)
    this.#varint(value.length)
    this.#parts.push(this.#numbers, value)
    this.#numbers = []
    return this
  }

  finish(): Bytes {
    const parts = [...this.#parts, this.#numbers]
    const written = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
    let at = 0
    for (const part of parts) {
      written.set(part, at)
      at += part.length
    }
    return written
  }

  #varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('no unsigned safe integer')
    let rest = value
    while (rest >= 0x80) {
      this.#numbers.push((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#numbers.push(rest)
  }
}

function require(condition: boolean, what: string): void {
  if (!condition) throw new ProtocolError('malformed', what)
}

const TYPE = {
  varint: 0,
  fixed64: 1,
  lengthDelimited: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const
const TYPE_BITS = 3
const TYPE_MASK = 7
const MAX_VARINT_BYTES = 10
/** Field numbers have 29 bits. */
const MAX_TAG = 0xffff_ffff
