/**
 * Makes `spec/export-vectors.json`: one file of a home with fixed randomness.
 *
 *   node --conditions=source scripts/export-vectors.ts
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodePrimitives } from '@couplet/protocol/node'
import { toHex } from '@couplet/wire'
import { writeFile } from '../packages/client/src/export-format.ts'
import { stretch } from '../packages/client/src/node/stretch.ts'
import type { NamedRecord, Plain } from '../packages/client/src/ports.ts'

const passphrase = 'fünf Wörter sind genug'
const manifest = {
  phone: '+12025550101',
  server: 'https://chat.example',
  exportedAt: 1_790_000_000_000,
}
const records: NamedRecord<Plain>[] = [
  {
    collection: 'account',
    partition: 'settings',
    position: 0,
    value: { receipts: true, strangers: 'ask' },
  },
  { collection: 'messages', partition: '1', position: -1, value: [null, 1.5, -2, 'Grüße'] },
  {
    collection: 'sessions',
    partition: '1',
    position: 2 ** 53 - 1,
    value: Uint8Array.of(0, 1, 254, 255),
  },
]

let drawn = 0
const pieces: Uint8Array[] = []
const file = writeFile(
  { primitives: nodePrimitives, random, stretch },
  passphrase,
  manifest,
  (async function* () {
    yield* records
  })(),
)
for await (const piece of file) pieces.push(piece)

const path = join(import.meta.dirname, '..', 'spec', 'export-vectors.json')
const vectors = { passphrase, manifest, records, file: toHex(Buffer.concat(pieces)) }
writeFileSync(path, `${JSON.stringify(vectors, bytesAsHex, 1)}\n`)

/** The first bytes of SHA-256("export-vectors", how often this was called). */
function random(length: number): Uint8Array<ArrayBuffer> {
  const hash = createHash('sha256').update('export-vectors').update(Buffer.of(drawn++)).digest()
  return new Uint8Array(hash.subarray(0, length))
}

function bytesAsHex(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { hex: toHex(value) } : value
}
