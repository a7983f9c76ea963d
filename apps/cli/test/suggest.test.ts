import { expect, test } from 'vitest'
import { suggest } from '../src/suggest.ts'

const WORDS = ['register', 'send', 'receive', 'chat', 'verify', 'outbox', 'contacts', 'status']

test.each([
  ['sned', 'send'],
  ['recieve', 'receive'],
  ['reg', 'register'],
  ['contact', 'contacts'],
  ['chta', 'chat'],
  ['frobnicate', undefined],
  ['x', undefined],
])('%s → %s', (typed, meant) => {
  expect(suggest(typed, WORDS)).toBe(meant)
})
