/**
 * Wycheproof, ACVP, CCTV, RFC and weak-key vectors through our own wrappers, on both providers.
 * (protocol.md, "Proofs and tests"; origins: test/vectors/README.md)
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ExchangePrivateKey } from '../src/index.ts'
import { importExchangeKey as importNodeKey } from '../src/node/index.ts'
import { importExchangeKey as importWebKey } from '../src/web/index.ts'
import { KNOWN_ANSWERS, type VectorFile } from './known-answers.ts'
import { PROVIDERS } from './support.ts'

const FOLDER = join(import.meta.dirname, '../../../test/vectors')
const IMPORTERS: Record<string, (pkcs8: Uint8Array) => Promise<ExchangePrivateKey>> = {
  'node:crypto': async (pkcs8) => importNodeKey(pkcs8),
  'noble and WebCrypto': importWebKey,
}

describe.each(Object.entries(PROVIDERS))('%s', (name, primitives) => {
  const subject = { primitives, importExchangeKey: IMPORTERS[name]! }

  test.each(KNOWN_ANSWERS)('$file: $what', async (suite) => {
    const { cases } = await suite.run(subject, parseVectors(read(suite.file)))
    expect(cases).toBe(suite.cases)
  })
})

describe('the loader', () => {
  test('every file that is there is used, and the README says where it comes from', () => {
    const files = (readdirSync(FOLDER, { recursive: true }) as string[])
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.json'))
    expect(KNOWN_ANSWERS.map(({ file }) => file).toSorted()).toEqual(files.toSorted())
    const readme = read('README.md')
    for (const file of files) expect(readme).toContain(`\`${file}\``)
  })

  test('refuses an empty or short file, so that a lost vector does not pass as held', () => {
    const good = read('rfc/rfc5869_hkdf_sha256.json')
    expect(() => parseVectors(good)).not.toThrow()
    for (const text of ['', '{}', '[]', '{"tests": []}', '{"testGroups": [{"tests": []}]}']) {
      expect(() => parseVectors(text)).toThrow(/no vectors|JSON/)
    }
    expect(() => parseVectors(good.slice(0, good.length / 2))).toThrow(/JSON/)
    const hmac = JSON.parse(read('wycheproof/hmac_sha256_test.json'))
    hmac.testGroups[0].tests.pop()
    expect(() => parseVectors(JSON.stringify(hmac))).toThrow('116')
  })

  test('a run over fewer cases than it should have seen does not count as one', async () => {
    const suite = KNOWN_ANSWERS.find(({ file }) => file === 'rfc/rfc4231_hmac_sha256.json')!
    const data = JSON.parse(read(suite.file)) as VectorFile & { tests: unknown[] }
    data.tests.pop()
    const subject = {
      primitives: PROVIDERS['node:crypto']!,
      importExchangeKey: IMPORTERS['node:crypto']!,
    }
    const { cases } = await suite.run(subject, data)
    expect(cases).not.toBe(suite.cases)
  })
})

function read(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8')
}

/** @throws for a file without vectors, or with fewer than it says itself (Wycheproof). */
function parseVectors(text: string): VectorFile {
  const data = JSON.parse(text) as VectorFile
  const groups = (data.testGroups ?? []) as readonly { readonly tests: readonly unknown[] }[]
  const grouped = groups.flatMap(({ tests }) => tests).length
  const single = [data.tests, data.keys].filter(Array.isArray).flat().length
  if (grouped + single === 0) throw new Error('no vectors in this file')
  const promised = data.numberOfTests
  if (promised !== undefined && promised !== grouped) {
    throw new Error(`the file has ${grouped} vectors of ${Number(promised)}`)
  }
  return data
}
