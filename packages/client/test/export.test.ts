/** The file of an export: its form by a second implementation, and what damage does to it. */
import { argon2Sync, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Primitives } from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import { webPrimitives } from '@couplet/protocol/web'
import { fromHex } from '@couplet/wire'
import { describe, expect, test } from 'vitest'
import { isBlank, recordArrays } from '../../wire/test/arrays.ts'
import { type FileCrypto, readFile, writeFile } from '../src/export-format.ts'
import { stretch } from '../src/node/stretch.ts'
import type { Stretch } from '../src/passphrase.ts'
import type { NamedRecord, Plain } from '../src/ports.ts'
import { decodeRecord } from '../src/record-codec.ts'
import { stretchHere } from '../src/web/stretch.ts'

const MANIFEST = {
  phone: '+12025550101',
  server: 'http://localhost:8080',
  exportedAt: 1_790_000_000_000,
}
const RECORDS: readonly NamedRecord<Plain>[] = [
  { collection: 'account', partition: 'own', position: 0, value: { phone: '+12025550101' } },
  { collection: 'messages', partition: '1', position: 2 ** 53 - 1, value: { text: 'Grüße' } },
  { collection: 'é', partition: '', position: -7, value: Uint8Array.of(0, 255) },
]
const PASSPHRASE = 'correct horse battery staple'

/** Cheap keys: what is tested here is not argon2id. */
const cheap: Stretch = async (passphrase, salt, _, length) =>
  nodePrimitives.hkdfSha256({ salt, ikm: passphrase, info: new Uint8Array(), length })

function crypto(stretcher: Stretch = cheap): FileCrypto {
  return {
    primitives: nodePrimitives,
    random: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
    stretch: stretcher,
  }
}

describe('an export', () => {
  test('gives back what went in, in pieces of any size, by either provider', async () => {
    const file = await write(RECORDS)
    for (const size of [1, 7, 4096, file.length]) {
      expect(await read(file, { size })).toEqual({ manifest: MANIFEST, records: RECORDS })
    }
    const web = { ...crypto(), primitives: webPrimitives }
    expect(await read(file, { with: web })).toEqual({ manifest: MANIFEST, records: RECORDS })
  })

  test('is of many chunks when there is much, none of them large', async () => {
    const many = Array.from({ length: 900 }, (_, i) => ({
      collection: 'messages',
      partition: String(i % 9),
      position: i,
      value: { text: 'x'.repeat(500) },
    }))
    const file = await write(many)
    expect(chunksOf(file).length).toBeGreaterThan(7)
    expect((await read(file)).records).toEqual(many)
  })

  test('leaves nothing in the clear of what it wrote', async () => {
    const plaintexts: Uint8Array[] = []
    const aesCbcEncrypt: Primitives['aesCbcEncrypt'] = (key, iv, plaintext) => {
      plaintexts.push(plaintext)
      return nodePrimitives.aesCbcEncrypt(key, iv, plaintext)
    }
    const { made, stop } = recordArrays()
    const file = await write(RECORDS, { ...nodePrimitives, aesCbcEncrypt })
    stop()
    expect((await read(file)).records).toEqual(RECORDS)
    expect(plaintexts.map(({ length }) => length > 0)).toEqual([true, true])
    expect(plaintexts.every(isBlank)).toBe(true)
    const left = made.filter((bytes) => Buffer.from(bytes).includes('Grüße'))
    expect(left.filter((bytes) => bytes !== file)).toEqual([])
  })

  test('is empty of records and still whole', async () => {
    expect((await read(await write([]))).records).toEqual([])
  })

  test('is what the specification says, read by nothing of ours', async () => {
    const vectors = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../spec/export-vectors.json'), 'utf8'),
    ) as { passphrase: string; file: string; manifest: object; records: unknown[] }
    const file = fromHex(vectors.file)
    const { manifest, records } = await read(file, {
      passphrase: vectors.passphrase,
      with: crypto(stretch),
    })
    expect(manifest).toEqual(vectors.manifest)
    expect(records).toHaveLength(vectors.records.length)
    const { read: readByReference, example } = reference(file, vectors.passphrase)
    expect(readByReference).toEqual(records)
    const document = readFileSync(join(import.meta.dirname, '../../../spec/export.md'), 'utf8')
    expect(/<!-- example -->\n```text\n([\s\S]*?)\n```/.exec(document)?.[1]).toBe(example)
    // And by what browsers have.
    const web = { ...crypto(stretchHere), primitives: webPrimitives }
    expect((await read(file, { passphrase: vectors.passphrase, with: web })).records).toEqual(
      records,
    )
  })

  test('does not open with another passphrase', async () => {
    const file = await write(RECORDS)
    await expect(read(file, { passphrase: 'another' })).rejects.toMatchObject({
      code: 'wrong-passphrase',
    })
  })

  test.each<[string, string, (file: Uint8Array) => Uint8Array]>([
    ['is no export', 'unreadable-export', () => new Uint8Array(200)],
    ['is empty', 'unreadable-export', () => new Uint8Array()],
    ['is newer', 'unreadable-export', (file) => changed(file, 8)],
    ['asks for too much memory', 'unreadable-export', (file) => changed(file, 9, 0xff)],
    ['has another salt', 'wrong-passphrase', (file) => changed(file, 20)],
    ['is cut in the header', 'unreadable-export', (file) => file.subarray(0, 20)],
    ['is cut in a chunk', 'unreadable-export', (file) => file.subarray(0, -1)],
    ['lacks its last chunk', 'unreadable-export', (file) => without(file, -1)],
    ['lacks a chunk in the middle', 'unreadable-export', (file) => without(file, 1)],
    ['has a chunk twice', 'unreadable-export', (file) => twice(file, 1)],
    ['goes on after its end', 'unreadable-export', (file) => Buffer.concat([file, Buffer.of(0)])],
    ['has a changed byte', 'unreadable-export', (file) => changed(file, file.length - 40)],
    ['has an impossible length', 'unreadable-export', (file) => changed(file, 34, 0xff)],
  ])('that %s is refused', async (_, code, damage) => {
    const many = Array.from({ length: 300 }, (__, i) => ({
      collection: 'c',
      partition: 'p',
      position: i,
      value: 'x'.repeat(500),
    }))
    const file = await write(many)
    expect(chunksOf(file).length).toBeGreaterThan(3)
    await expect(read(damage(file))).rejects.toMatchObject({ code })
  })
})

async function write(
  records: readonly NamedRecord<Plain>[],
  primitives: Primitives = nodePrimitives,
): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  const using = { ...crypto(), primitives }
  for await (const piece of writeFile(using, PASSPHRASE, MANIFEST, from(records))) {
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

async function read(
  file: Uint8Array,
  options: { size?: number; passphrase?: string; with?: FileCrypto } = {},
): Promise<{ manifest: object; records: NamedRecord<Plain>[] }> {
  const { size = 1000, passphrase = PASSPHRASE } = options
  const pieces = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
    file.subarray(i * size, (i + 1) * size),
  )
  const opened = await readFile(options.with ?? crypto(), passphrase, from(pieces))
  const records: NamedRecord<Plain>[] = []
  for await (const record of opened.records) records.push(record)
  return { manifest: opened.manifest, records }
}

async function* from<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items
}

const HEADER = 34

/** Where each chunk begins, and the end. */
function chunksOf(file: Uint8Array): number[] {
  const view = new DataView(file.buffer, file.byteOffset)
  const starts: number[] = []
  for (let at = HEADER; at < file.length; at += 4 + view.getUint32(at)) starts.push(at)
  return [...starts, file.length]
}

function chunk(file: Uint8Array, index: number): [number, number] {
  const starts = chunksOf(file)
  const at = index < 0 ? starts.length - 1 + index : index
  return [starts[at]!, starts[at + 1]!]
}

function without(file: Uint8Array, index: number): Uint8Array {
  const [start, end] = chunk(file, index)
  return Buffer.concat([file.subarray(0, start), file.subarray(end)])
}

function twice(file: Uint8Array, index: number): Uint8Array {
  const [start, end] = chunk(file, index)
  return Buffer.concat([file.subarray(0, end), file.subarray(start)])
}

function changed(file: Uint8Array, at: number, by = 1): Uint8Array {
  const copy = Uint8Array.from(file)
  copy[at]! ^= by
  return copy
}

/** A second implementation, of spec/export.md and node:crypto alone. */
function reference(file: Uint8Array, passphrase: string): { read: unknown[]; example: string } {
  const header = file.subarray(0, HEADER)
  const view = new DataView(file.buffer, file.byteOffset)
  const key = argon2Sync('argon2id', {
    message: passphrase.normalize('NFC'),
    nonce: header.subarray(18),
    memory: view.getUint32(9),
    passes: view.getUint32(13),
    parallelism: header[17]!,
    tagLength: 32,
  })
  const keys = Buffer.from(hkdfSync('sha256', key, header, labelled('export/keys'), 64))
  const starts = chunksOf(file)
  const plaintexts = starts.slice(0, -1).map((start, number) => {
    const sealed = file.subarray(start + 4, starts[number + 1])
    const body = sealed.subarray(0, -32)
    const place = Buffer.alloc(9)
    place.writeBigUInt64BE(BigInt(number))
    place[8] = number === starts.length - 2 ? 1 : 0
    const ad = Buffer.concat([labelled('export/chunk'), header, place])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(ad.length)
    const tag = createHmac('sha256', keys.subarray(32))
      .update(length)
      .update(ad)
      .update(body)
      .digest()
    expect(tag.equals(sealed.subarray(-32))).toBe(true)
    const decipher = createDecipheriv('aes-256-cbc', keys.subarray(0, 32), body.subarray(0, 16))
    return Buffer.concat([decipher.update(body.subarray(16)), decipher.final()])
  })
  const records: unknown[] = []
  for (const plaintext of plaintexts.slice(1)) {
    for (let at = 0; at < plaintext.length; ) {
      const take = (length: number) => {
        at += length
        return plaintext.subarray(at - length, at)
      }
      const collection = take(take(2).readUInt16BE()).toString()
      const partition = take(take(2).readUInt16BE()).toString()
      const position = take(8).readDoubleBE()
      const value = decodeRecord(take(take(4).readUInt32BE()))
      records.push({ collection, partition, position, value })
    }
  }
  const [first, second] = starts as [number, number, ...number[]]
  const example = shown({
    header,
    passphrase: Buffer.from(passphrase.normalize('NFC')),
    key,
    'ke ‖ km': keys,
    'chunk 0': file.subarray(first, second),
    'its iv': file.subarray(first + 4, first + 20),
    'its P': plaintexts[0]!,
    'its AD': Buffer.concat([labelled('export/chunk'), header, Buffer.alloc(9)]),
  })
  return { read: records, example }
}

/** As the worked example of the document has it: 32 bytes a line. */
function shown(values: Record<string, Uint8Array>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      const lines = Buffer.from(value)
        .toString('hex')
        .match(/.{1,64}/g)!
      return `${name.padEnd(12)}${lines.join(`\n${' '.repeat(12)}`)}`
    })
    .join('\n')
}

function labelled(purpose: string): Buffer {
  const text = Buffer.from(`couplet/v1/${purpose}`)
  return Buffer.concat([Buffer.of(text.length), text])
}
