/**
 * The file that carries a home from one device to another. (spec/export.md)
 *
 *     file   = header ‖ chunk ‖ chunk ‖ …
 *     header = "CPLTHOME" ‖ u8(1) ‖ u32(memoryKiB) ‖ u32(passes) ‖ u8(parallelism) ‖ salt
 *     chunk  = u32(length) ‖ EtM(ke ‖ km, iv, P, label("export/chunk") ‖ header ‖ u64(n) ‖ u8(last))
 *
 * Chunk 0 says whose home it is; every other one holds whole records. The number of a chunk and
 * whether it is the last are authenticated, so that nothing can be cut, repeated or exchanged.
 */
import { ETM_OVERHEAD_BYTES, etmOpen, etmSeal, type Primitives } from '@couplet/protocol'
import {
  type Bytes,
  concatBytes,
  equalBytes,
  fromUtf8,
  label,
  Reader,
  utf8,
  Writer,
  wipe,
} from '@couplet/wire'
import { ClientError } from './errors.ts'
import {
  ARGON2ID,
  type Argon2id,
  isArgon2id,
  passphraseBytes,
  SALT_BYTES,
  type Stretch,
} from './passphrase.ts'
import type { NamedRecord, Plain, Random } from './ports.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'

export interface FileCrypto {
  readonly primitives: Primitives
  readonly random: Random
  readonly stretch: Stretch
}

/** What the first chunk says. */
export type Manifest = {
  readonly phone: string
  readonly server: string
  /** Milliseconds since 1970. */
  readonly exportedAt: number
}

/** The file of a manifest and its records, piece by piece. */
export async function* writeFile(
  crypto: FileCrypto,
  passphrase: string | Uint8Array,
  manifest: Manifest,
  records: AsyncIterable<NamedRecord<Plain>>,
): AsyncIterable<Bytes> {
  const header = encodeHeader(ARGON2ID, crypto.random(SALT_BYTES))
  const sealer = await sealerFor(crypto, passphrase, header)
  yield header
  yield sealer.seal(encodeRecord(manifest), false)
  let parts: Bytes[] = []
  let length = 0
  for await (const record of records) {
    const part = encodeNamed(record)
    parts.push(part)
    length += part.length
    if (length < CHUNK_BYTES) continue
    yield sealer.seal(joined(parts), false)
    parts = []
    length = 0
  }
  yield sealer.seal(joined(parts), true)
}

/** One plaintext of several parts, which are wiped. */
function joined(parts: readonly Bytes[]): Bytes {
  const plaintext = concatBytes(...parts)
  wipe(...parts)
  return plaintext
}

/**
 * Reads a file in pieces of any size. The records are to be believed only when all have come: the
 * last chunk says that nothing is missing.
 *
 * @throws {ClientError} `wrong-passphrase` when the first chunk does not open; `unreadable-export`
 *   for anything else, from here or from `records`.
 */
export async function readFile(
  crypto: FileCrypto,
  passphrase: string | Uint8Array,
  file: AsyncIterable<Uint8Array>,
): Promise<{ manifest: Manifest; records: AsyncIterable<NamedRecord<Plain>> }> {
  const input = new Pieces(file)
  const header = await input.take(HEADER_BYTES)
  checkHeader(header)
  const opener = await sealerFor(crypto, passphrase, header)
  const first = opener.open(await takeChunk(input))
  if (!first || first.last) {
    throw new ClientError('wrong-passphrase', 'the passphrase is not the one of this file')
  }
  const manifest = readManifest(first.plaintext)
  return { manifest, records: readRecords(input, opener) }
}

async function* readRecords(input: Pieces, opener: ChunkSealer): AsyncIterable<NamedRecord<Plain>> {
  for (let last = false; !last; ) {
    const opened = opener.open(await takeChunk(input))
    if (!opened) throw unreadable('a part of the file is damaged')
    for (const record of decodeChunk(opened.plaintext)) yield record
    ;({ last } = opened)
  }
  if (!(await input.isOver())) throw unreadable('there is something after the end of the file')
}

// ------------------------------------------------------------------------------------------------

class ChunkSealer {
  readonly #crypto: FileCrypto
  readonly #keys: Bytes
  readonly #header: Uint8Array
  #number = 0

  constructor(crypto: FileCrypto, keys: Bytes, header: Uint8Array) {
    this.#crypto = crypto
    this.#keys = keys
    this.#header = header
  }

  /** Wipes the plaintext. */
  seal(plaintext: Uint8Array, last: boolean): Bytes {
    const { primitives, random } = this.#crypto
    const sealed = etmSeal(primitives, {
      keys: this.#keys,
      iv: random(IV_BYTES),
      plaintext,
      associatedData: this.#associatedData(last),
    })
    wipe(plaintext)
    this.#number++
    return new Writer(4 + sealed.length).bytes32(sealed).finish()
  }

  /** The next chunk; `undefined` when it is not the one that belongs here. */
  open(sealed: Uint8Array): { plaintext: Bytes; last: boolean } | undefined {
    for (const last of [false, true]) {
      const plaintext = etmOpen(this.#crypto.primitives, {
        keys: this.#keys,
        sealed,
        associatedData: this.#associatedData(last),
      })
      if (!plaintext) continue
      this.#number++
      return { plaintext, last }
    }
    return undefined
  }

  #associatedData(last: boolean): readonly Uint8Array[] {
    const place = new Writer()
      .u64(this.#number)
      .u8(last ? 1 : 0)
      .finish()
    return [LABEL_CHUNK, this.#header, place]
  }
}

/** ke ‖ km = HKDF(salt = header, ikm = argon2id(passphrase), info = label("export/keys"), 64) */
async function sealerFor(
  crypto: FileCrypto,
  passphrase: string | Uint8Array,
  header: Uint8Array,
): Promise<ChunkSealer> {
  const { parameters, salt } = decodeHeader(header)
  const ikm = await crypto.stretch(passphraseBytes(passphrase), salt, parameters, KEY_BYTES)
  const keys = crypto.primitives.hkdfSha256({ salt: header, ikm, info: LABEL_KEYS, length: 64 })
  return new ChunkSealer(crypto, keys, header)
}

function encodeHeader({ memoryKiB, passes, parallelism }: Argon2id, salt: Uint8Array): Bytes {
  const writer = new Writer().bytes(MAGIC).u8(VERSION)
  return writer.u32(memoryKiB).u32(passes).u8(parallelism).bytes(salt).finish()
}

function decodeHeader(header: Uint8Array): { parameters: Argon2id; salt: Uint8Array } {
  const reader = new Reader(header)
  reader.bytes(MAGIC.length + 1)
  const parameters = { memoryKiB: reader.u32(), passes: reader.u32(), parallelism: reader.u8() }
  return { parameters, salt: reader.bytes(SALT_BYTES) }
}

function checkHeader(header: Uint8Array): void {
  if (!equalBytes(header.subarray(0, MAGIC.length), MAGIC)) {
    throw unreadable('this file is not a home that Couplet has exported')
  }
  if (header[MAGIC.length] !== VERSION) {
    throw unreadable('this file was written by a newer version of Couplet')
  }
  if (!isArgon2id(decodeHeader(header).parameters)) {
    throw unreadable('this file asks for more than this device does')
  }
}

function readManifest(plaintext: Uint8Array): Manifest {
  const manifest = decodeItem(plaintext) as Partial<Manifest> | null
  const { phone, server, exportedAt } = manifest ?? {}
  if (typeof phone !== 'string' || typeof server !== 'string' || typeof exportedAt !== 'number') {
    throw unreadable('the file does not say whose home it is')
  }
  return { phone, server, exportedAt }
}

/** u16(length) ‖ collection ‖ u16(length) ‖ partition ‖ f64(position) ‖ u32(length) ‖ record */
function encodeNamed({ collection, partition, position, value }: NamedRecord<Plain>): Bytes {
  const place = new Uint8Array(8)
  new DataView(place.buffer).setFloat64(0, position)
  const names = [utf8(collection), utf8(partition)] as const
  const record = encodeRecord(value)
  const length = 2 + names[0].length + 2 + names[1].length + place.length + 4 + record.length
  const writer = new Writer(length).bytes16(names[0]).bytes16(names[1])
  const encoded = writer.bytes(place).bytes32(record).finish()
  wipe(record)
  return encoded
}

function decodeChunk(plaintext: Uint8Array): NamedRecord<Plain>[] {
  const reader = new Reader(plaintext)
  const records: NamedRecord<Plain>[] = []
  try {
    while (reader.remaining > 0) {
      const collection = fromUtf8(reader.bytes16())
      const partition = fromUtf8(reader.bytes16())
      const place = reader.bytes(8)
      const position = new DataView(place.buffer, place.byteOffset).getFloat64(0)
      if (!Number.isSafeInteger(position)) throw unreadable('a record has no place')
      records.push({ collection, partition, position, value: decodeItem(reader.bytes32()) })
    }
  } catch (error) {
    throw unreadable('a part of the file is damaged', error)
  }
  return records
}

function decodeItem(bytes: Uint8Array): Plain {
  try {
    return decodeRecord(bytes)
  } catch (error) {
    throw unreadable('a part of the file is damaged', error)
  }
}

/** Bytes that come in pieces of any size, taken in pieces of a wanted one. */
class Pieces {
  readonly #pieces: AsyncIterator<Uint8Array>
  #held: Uint8Array = new Uint8Array()

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  async take(length: number): Promise<Uint8Array> {
    const parts = [this.#held]
    let held = this.#held.length
    while (held < length) {
      const next = await this.#pieces.next()
      if (next.done) throw unreadable('the file is cut off')
      parts.push(next.value)
      held += next.value.length
    }
    const all = parts.length === 1 ? this.#held : concatBytes(...parts)
    this.#held = all.subarray(length)
    return all.subarray(0, length)
  }

  async isOver(): Promise<boolean> {
    while (this.#held.length === 0) {
      const next = await this.#pieces.next()
      if (next.done) return true
      this.#held = next.value
    }
    return false
  }
}

async function takeChunk(input: Pieces): Promise<Uint8Array> {
  const length = new Reader(await input.take(4)).u32()
  if (length < ETM_OVERHEAD_BYTES || length > MAX_CHUNK_BYTES) {
    throw unreadable('a part of the file has no possible length')
  }
  return input.take(length)
}

function unreadable(message: string, cause?: unknown): ClientError {
  return new ClientError('unreadable-export', message, { cause })
}

const MAGIC = utf8('CPLTHOME')
const VERSION = 1
const HEADER_BYTES = MAGIC.length + 1 + 4 + 4 + 1 + SALT_BYTES
const LABEL_KEYS = label('export/keys')
const LABEL_CHUNK = label('export/chunk')
const KEY_BYTES = 32
const IV_BYTES = 16
/** A chunk ends with the record that fills it. */
const CHUNK_BYTES = 65_536
/** What a reader keeps in memory at most: no record is that large. */
const MAX_CHUNK_BYTES = 16 * 1024 * 1024
