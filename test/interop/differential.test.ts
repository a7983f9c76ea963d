/**
 * Random bytes, and random changes to good ones, read by both implementations: what one refuses or
 * understands, the other does, too. A difference is a sentence that `spec/` lacks.
 *
 * COUPLET_DIFFERENTIAL_RUNS=100000 compares more of each kind, COUPLET_DIFFERENTIAL_SEED repeats a run.
 */
import { env } from 'node:process'
import { parseEnvelope } from '@couplet/protocol'
import {
  concatBytes,
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
} from '@couplet/wire'
import * as fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { decodeContent, encodeContent } from '../../packages/protocol/src/content.ts'
import { runPython } from './python.ts'

const RUNS = Number(env.COUPLET_DIFFERENTIAL_RUNS ?? 1000)
const SEED = Number(env.COUPLET_DIFFERENTIAL_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** As `differential.py` answers. */
const READERS: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  content(bytes) {
    const content = decodeContent(bytes)
    const body = content.body.kind === 'heartbeat' ? 'control' : content.body.kind
    return `${body} ${toHex(encodeContent(content))}`
  },
  'client-frame': (bytes) => toHex(encodeClientFrame(decodeClientFrame(bytes))),
  'server-frame': (bytes) => toHex(encodeServerFrame(decodeServerFrame(bytes))),
  envelope(bytes) {
    const { handshake, prefix, encryptedHeader, sealed } = parseEnvelope(bytes)
    const parts = [prefix, encryptedHeader, sealed].map(toHex)
    return [handshake?.prekeyId ?? 0, ...parts].join(' ')
  },
}

let compared: ReadonlyMap<string, Compared>

beforeAll(async () => {
  compared = await askPython()
})

test.each(Object.keys(READERS))('%s: both read random bytes alike', (kind) => {
  const { inputs, theirs } = compared.get(kind)!
  const ours = inputs.map((bytes) => answer(kind, bytes))
  const at = ours.findIndex((each, i) => each !== theirs[i])
  const different =
    at < 0 ? 'none' : { seed: SEED, bytes: toHex(inputs[at]!), ours: ours[at], theirs: theirs[at] }
  expect(different).toBe('none')
  // Both sides of the line were met, or nothing was compared.
  const refused = ours.filter((each) => /^[a-z-]+$/.test(each)).length
  expect(Math.min(refused, ours.length - refused)).toBeGreaterThan(RUNS / 50)
})

interface Compared {
  readonly inputs: readonly Uint8Array[]
  readonly theirs: readonly string[]
}

/** All kinds in one process: to start Python takes longer than what it does here. */
async function askPython(): Promise<ReadonlyMap<string, Compared>> {
  const samples = Object.entries(ARBITRARIES).map(
    ([kind, arbitrary]) => [kind, fc.sample(arbitrary, { numRuns: RUNS, seed: SEED })] as const,
  )
  const lines = samples.flatMap(([kind, all]) => all.map((bytes) => `${kind} ${toHex(bytes)}\n`))
  const answers = (await runPython('differential.py', [], lines.join(''))).split('\n')
  expect(answers).toHaveLength(lines.length + 1)
  return new Map(
    samples.map(([kind, inputs], i) => [
      kind,
      { inputs, theirs: answers.slice(i * RUNS, (i + 1) * RUNS) },
    ]),
  )
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function answer(kind: string, bytes: Uint8Array): string {
  try {
    return READERS[kind]!(bytes)
  } catch (error) {
    return (error as { code: string }).code
  }
}

// -------------------------------------------------------------------------------------------------
// Protobuf, mostly well-formed, in every spelling

/** A varint, at times longer than it has to be. */
const varint = (value: fc.Arbitrary<bigint>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(value, fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(9)))
    .map(([n, zeros]) => {
      const bytes: number[] = []
      for (let rest = n; rest > 0n || bytes.length === 0; rest >>= 7n)
        bytes.push(Number(rest & 127n))
      bytes.push(...Array<number>(zeros).fill(0))
      return Uint8Array.from(bytes, (byte, i) => (i < bytes.length - 1 ? byte | 128 : byte))
    })

const fieldNumber = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt(1n, 9n) },
  fc.constantFrom(0n, 2n ** 29n - 1n, 2n ** 29n, 2n ** 32n + 2n),
)
const tag = (type: bigint) => varint(fieldNumber.map((number) => number * 8n + type))
const anyNumber = fc.oneof(
  fc.bigInt(0n, 300n),
  fc.bigInt(0n, 2n ** 64n),
  fc.constantFrom(2n ** 32n + 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n + 1n),
)
const shortBytes = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc.uint8Array({ maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => new TextEncoder().encode(text)),
)
const delimited = shortBytes.chain((bytes) =>
  varint(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant(BigInt(bytes.length)) },
      fc.constantFrom(2n ** 32n + BigInt(bytes.length), 100n),
    ),
  ).map((length) => concatBytes(length, bytes)),
)
const join = (...parts: fc.Arbitrary<Uint8Array>[]) =>
  fc.tuple(...parts).map((all) => concatBytes(...all))
const scalar = fc.oneof(
  join(tag(0n), varint(anyNumber)),
  join(tag(2n), delimited),
  join(tag(1n), fc.uint8Array({ minLength: 8, maxLength: 8 })),
  join(tag(5n), fc.uint8Array({ minLength: 4, maxLength: 4 })),
)
const group = (fields: fc.Arbitrary<Uint8Array>) =>
  fc
    .bigInt(1n, 12n)
    .chain((number) =>
      join(
        varint(fc.constant(number * 8n + 3n)),
        fields,
        varint(
          fc.oneof(
            { weight: 20, arbitrary: fc.constant(number * 8n + 4n) },
            fc.constantFrom(44n, number * 8n + 3n, number * 8n + 6n),
          ),
        ),
      ),
    )
const deep = fc.constantFrom(2, 99, 100, 101, 5000).map((depth) => {
  return concatBytes(new Uint8Array(depth).fill(0x7b), new Uint8Array(depth).fill(0x7c))
})
const several = (field: fc.Arbitrary<Uint8Array>) =>
  fc.array(field, { maxLength: 4 }).map((all) => concatBytes(...all))
const field = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: group(several(scalar)) },
  { weight: 1, arbitrary: group(several(group(several(scalar)))) },
  { weight: 1, arbitrary: deep },
)
const messageId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => concatBytes(Uint8Array.of(10, 16), id))
const content = join(several(field), messageId, several(field))

// -------------------------------------------------------------------------------------------------
// Frames and envelopes: the right length for each kind, and bytes that matter set to small numbers

const changed = (bytes: fc.Arbitrary<Uint8Array>) =>
  fc.oneof(
    bytes,
    fc.tuple(bytes, fc.nat(), fc.nat(255)).map(([good, at, value]) => {
      const other = good.slice()
      if (other.length > 0) other[at % other.length] = value
      return other
    }),
    fc.tuple(bytes, fc.nat()).map(([good, end]) => good.subarray(0, end % (good.length + 1))),
    fc.tuple(bytes, fc.uint8Array({ maxLength: 3 })).map((parts) => concatBytes(...parts)),
  )

const blob = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const small = fc.nat(16).map((value) => Uint8Array.of(value))
const byte = (...values: number[]) =>
  fc.constantFrom(...values).map((value) => Uint8Array.of(value))
const repeated = (item: fc.Arbitrary<Uint8Array>) =>
  fc
    .array(item, { maxLength: 3 })
    .map((items) => concatBytes(Uint8Array.of(0, items.length), ...items))
const envelopeBytes = fc.constantFrom(1024, 2048, 1000, 512).map((size) => new Uint8Array(size))
const status = fc.oneof(small, join(byte(1), blob(32)), join(byte(3), small))

const clientFrame = fc.oneof(
  join(byte(1), blob(96)),
  join(byte(2), blob(4), small, blob(32), envelopeBytes),
  join(byte(3), blob(32), fc.oneof(byte(0, 1, 2), join(byte(1), blob(32)))),
  join(byte(4), blob(32), small),
  join(byte(5), blob(4), repeated(blob(32))),
  fc.uint8Array({ maxLength: 80 }),
)
const serverFrame = fc.oneof(
  join(byte(0x81), blob(32)),
  join(byte(0x82), blob(4), byte(0), small, blob(6)),
  join(byte(0x83), blob(32), byte(0), small, blob(6), envelopeBytes),
  byte(0x84),
  join(byte(0x85), blob(4), status),
  join(byte(0x86), blob(4), repeated(status)),
  join(byte(0x87, 0x89), blob(32)),
  join(byte(0x88), blob(32), status),
  join(byte(0x8f), blob(4), small, blob(4)),
  fc.uint8Array({ maxLength: 80 }),
)
const preamble = join(
  fc.constant(new TextEncoder().encode('couplet/1')),
  fc.constantFrom('00000000', '00000001', 'ffffffff').map((hex) => Buffer.from(hex, 'hex')),
  fc.constantFrom(0, 96, 97, 1184, 1280, 2368, 945, 60_000).map((n) => Uint8Array.of(n >> 8, n)),
  byte(0, 1, 2),
)
const envelope = fc
  .tuple(preamble, fc.constantFrom(1024, 4096, 1024, 4096, 8192, 512, 1025))
  .map(([start, size]) => concatBytes(start, new Uint8Array(size - start.length)))

const ARBITRARIES: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
  content: changed(content),
  'client-frame': changed(clientFrame),
  'server-frame': changed(serverFrame),
  envelope: changed(envelope),
}
