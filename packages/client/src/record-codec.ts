/**
 * Records as bytes: what a store keeps for a plain value. (ports.ts, `Plain`)
 *
 *     record = 0x01 || item
 *
 * `item` is CBOR (RFC 8949), the part of it that `Plain` needs and one spelling for each value:
 * definite lengths, shortest heads, integers where a number is a safe one, 64-bit floats for all
 * others, text keys, no tags. Bytes stay bytes. Whoever seals the bytes is elsewhere.
 */
import { type Bytes, fromUtf8, utf8, wipe } from '@couplet/wire'
import { ClientError } from './errors.ts'
import type { Plain } from './ports.ts'

/**
 * A value as bytes, owned by the caller. Fields that are `undefined` are left out.
 *
 * @throws {TypeError} for what is not plain: numbers that are not finite, text with half a
 *   surrogate pair, holes in arrays, objects with a class, more than MAX_DEPTH levels.
 */
export function encodeRecord(value: Plain): Bytes {
  const encoder = new Encoder()
  try {
    encoder.item(value, 0)
    return encoder.finish()
  } finally {
    encoder.wipe()
  }
}

/**
 * The value again, sharing nothing with `bytes`.
 *
 * @throws {ClientError} `unreadable-home` for bytes that `encodeRecord` cannot have made.
 */
export function decodeRecord(bytes: Uint8Array): Plain {
  const decoder = new Decoder(bytes)
  const value = decoder.item(0)
  decoder.finish()
  return value
}

/**
 * A record with the name of its partition in front, for stores that hide names on disk:
 *
 *     u16 length || name || record
 */
export function withName(name: string, record: Uint8Array): Bytes {
  const encoded = utf8(name)
  if (encoded.length > 0xffff) throw new TypeError('the name of a partition is too long')
  const joined = new Uint8Array(NAME_HEAD_BYTES + encoded.length + record.length)
  joined.set([encoded.length >>> 8, encoded.length & 0xff])
  joined.set(encoded, NAME_HEAD_BYTES)
  joined.set(record, NAME_HEAD_BYTES + encoded.length)
  return joined
}

/** The two again; `record` is a view. */
export function splitName(joined: Uint8Array): { name: string; record: Uint8Array } {
  const end = NAME_HEAD_BYTES + ((joined[0] ?? 0) << 8) + (joined[1] ?? 0)
  if (joined.length < end) throw new ClientError('unreadable-home', 'a record is damaged')
  return {
    name: fromUtf8(joined.subarray(NAME_HEAD_BYTES, end)),
    record: joined.subarray(end),
  }
}

class Encoder {
  #bytes: Bytes = new Uint8Array(INITIAL_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #length = 1

  constructor() {
    this.#bytes[0] = VERSION
  }

  item(value: Plain | undefined, depth: number): void {
    if (depth > MAX_DEPTH) throw new TypeError('a record is nested too deeply, or in itself')
    switch (typeof value) {
      case 'string':
        this.#text(value)
        break
      case 'number':
        this.#number(value)
        break
      case 'boolean':
        this.#byte(value ? TRUE : FALSE)
        break
      case 'object':
        this.#object(value, depth)
        break
      case 'undefined':
      case 'function':
      case 'symbol':
      case 'bigint':
        throw new TypeError(`a record cannot hold ${typeof value}`)
    }
  }

  finish(): Bytes {
    return this.#bytes.slice(0, this.#length)
  }

  wipe(): void {
    wipe(this.#bytes)
  }

  #object(value: Exclude<Plain, string | number | boolean>, depth: number): void {
    if (value === null) {
      this.#byte(NULL)
    } else if (value instanceof Uint8Array) {
      this.#head(MAJOR.bytes, value.length)
      this.#raw(value)
    } else if (Array.isArray(value)) {
      this.#head(MAJOR.array, value.length)
      // By index: `for of` would do the same, `forEach` would skip holes.
      for (const element of value as readonly Plain[]) this.item(element, depth + 1)
    } else {
      this.#map(value as { readonly [field: string]: Plain | undefined }, depth)
    }
  }

  #map(value: { readonly [field: string]: Plain | undefined }, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw new TypeError('a record cannot hold an object with a class')
    }
    let count = 0
    const fields = Object.keys(value)
    for (const field of fields) if (value[field] !== undefined) count++
    this.#head(MAJOR.map, count)
    for (const field of fields) {
      const content = value[field]
      if (content === undefined) continue
      this.#text(field)
      this.item(content, depth + 1)
    }
  }

  #number(value: number): void {
    if (isInteger(value)) {
      if (value >= 0) this.#head(MAJOR.unsigned, value)
      else this.#head(MAJOR.negative, -1 - value)
    } else if (Number.isFinite(value)) {
      this.#byte(FLOAT64)
      this.#reserve(8)
      this.#view.setFloat64(this.#length, value)
      this.#length += 8
    } else {
      throw new TypeError('a record cannot hold a number that is not finite')
    }
  }

  /** Most text is short and ASCII, and then it needs no encoder. */
  #text(text: string): void {
    const start = this.#length
    this.#head(MAJOR.text, text.length)
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit >= 0x80) {
        this.#length = start
        this.#wideText(text)
        return
      }
      this.#bytes[this.#length++] = unit
    }
  }

  #wideText(text: string): void {
    if (LONE_SURROGATE.test(text)) {
      throw new TypeError('a record cannot hold text with half a surrogate pair')
    }
    const encoded = utf8(text)
    this.#head(MAJOR.text, encoded.length)
    this.#raw(encoded)
    wipe(encoded)
  }

  #head(major: number, argument: number): void {
    this.#reserve(9)
    const size = headSize(argument)
    const at = this.#length
    this.#bytes[at] = (major << 5) | (size === 0 ? argument : ARGUMENT_OF_SIZE[size]!)
    if (size === 1) this.#bytes[at + 1] = argument
    else if (size === 2) this.#view.setUint16(at + 1, argument)
    else if (size === 4) this.#view.setUint32(at + 1, argument)
    else if (size === 8) {
      this.#view.setUint32(at + 1, Math.floor(argument / 2 ** 32))
      this.#view.setUint32(at + 5, argument % 2 ** 32)
    }
    this.#length = at + 1 + size
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes)
    wipe(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

class Decoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (this.#bytes[this.#take(1)] !== VERSION) throw damaged('unknown version')
  }

  item(depth: number): Plain {
    if (depth > MAX_DEPTH) throw damaged('nested too deeply')
    const first = this.#bytes[this.#take(1)]!
    switch (first >> 5) {
      case MAJOR.unsigned:
        return this.#argument(first)
      case MAJOR.negative:
        return this.#negative(first)
      case MAJOR.bytes: {
        const length = this.#argument(first)
        const start = this.#take(length)
        // `slice` of a Buffer would share: this copies whatever the input is.
        return new Uint8Array(this.#bytes.subarray(start, start + length))
      }
      case MAJOR.text:
        return this.#text(first)
      case MAJOR.array:
        return this.#array(first, depth)
      case MAJOR.map:
        return this.#map(first, depth)
      default:
        return this.#simple(first)
    }
  }

  finish(): void {
    if (this.#offset !== this.#bytes.length) throw damaged('trailing bytes')
  }

  #negative(first: number): number {
    const value = -1 - this.#argument(first)
    if (!Number.isSafeInteger(value)) throw damaged('integer too large')
    return value
  }

  #text(first: number): string {
    const length = this.#argument(first)
    const start = this.#take(length)
    try {
      return fromUtf8(this.#bytes.subarray(start, start + length))
    } catch (error) {
      throw damaged('text is not UTF-8', error)
    }
  }

  #array(first: number, depth: number): Plain[] {
    const count = this.#argument(first)
    // An element has a byte at least: a count beyond that would only cost memory.
    if (count > this.#bytes.length - this.#offset) throw damaged('too short')
    const elements: Plain[] = []
    for (let i = 0; i < count; i++) elements.push(this.item(depth + 1))
    return elements
  }

  #map(first: number, depth: number): Plain {
    const count = this.#argument(first)
    if (count > this.#bytes.length - this.#offset) throw damaged('too short')
    const fields: { [field: string]: Plain } = {}
    for (let i = 0; i < count; i++) {
      const head = this.#bytes[this.#take(1)]!
      if (head >> 5 !== MAJOR.text) throw damaged('a field without a name')
      const field = this.#text(head)
      if (Object.hasOwn(fields, field)) throw damaged('a field twice')
      const value = this.item(depth + 1)
      if (field === '__proto__') define(fields, field, value)
      else fields[field] = value
    }
    return fields
  }

  #simple(first: number): Plain {
    switch (first) {
      case FALSE:
        return false
      case TRUE:
        return true
      case NULL:
        return null
      case FLOAT64: {
        const value = this.#view.getFloat64(this.#take(8))
        if (!Number.isFinite(value) || isInteger(value)) throw damaged('number not as we write it')
        return value
      }
      default:
        throw damaged('unknown kind')
    }
  }

  /** The number in a head: a value or a length. Longer than needed is refused. */
  #argument(first: number): number {
    const short = first & 31
    if (short < 24) return short
    const size = SIZE_OF_ARGUMENT[short - 24]
    if (size === undefined) throw damaged('unknown length')
    const at = this.#take(size)
    const value = this.#unsigned(at, size)
    if (!Number.isSafeInteger(value) || headSize(value) !== size) {
      throw damaged('number not as we write it')
    }
    return value
  }

  #unsigned(at: number, size: number): number {
    if (size === 1) return this.#bytes[at]!
    if (size === 2) return this.#view.getUint16(at)
    if (size === 4) return this.#view.getUint32(at)
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4)
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const start = this.#offset
    if (length > this.#bytes.length - start) throw damaged('too short')
    this.#offset = start + length
    return start
  }
}

/** Numbers that are written as integers; minus zero is not, since it would come back as zero. */
function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}

/** Bytes that an argument takes behind its head. */
function headSize(argument: number): number {
  if (argument < 24) return 0
  if (argument < 0x100) return 1
  if (argument < 0x1_0000) return 2
  return argument < 0x1_0000_0000 ? 4 : 8
}

/** A field of its own, where an assignment would change the prototype. */
function define(fields: object, field: string, value: Plain): void {
  Object.defineProperty(fields, field, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  })
}

function damaged(why: string, cause?: unknown): ClientError {
  return new ClientError('unreadable-home', `a stored record is damaged: ${why}`, { cause })
}

/** Levels of arrays and objects. Ours have four or five; the bound keeps the stack safe. */
const MAX_DEPTH = 64
const INITIAL_BYTES = 512
const NAME_HEAD_BYTES = 2
const VERSION = 0x01

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5 } as const
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const FLOAT64 = 0xfb
const SIZE_OF_ARGUMENT = [1, 2, 4, 8]
const ARGUMENT_OF_SIZE: Record<number, number> = { 1: 24, 2: 25, 4: 26, 8: 27 }
/** With the flag `u` a whole pair is one code point, outside this range. */
const LONE_SURROGATE = /[\uD800-\uDFFF]/u
