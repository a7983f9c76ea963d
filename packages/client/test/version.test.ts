import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CLIENT_VERSION } from '../src/version.ts'

test('a client tells the version of its package', () => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  expect(CLIENT_VERSION).toBe((JSON.parse(manifest) as { version: string }).version)
})
