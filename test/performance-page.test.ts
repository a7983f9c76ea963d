/** What docs/performance.md says is what was measured. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { performancePages } from '../bench/page.ts'

test.for(Object.entries(performancePages()))(
  'docs/%s is generated from the results',
  ([path, text]) => {
    const stale = `docs/${path}: run npm run bench -- page`
    expect(readFileSync(join(import.meta.dirname, '../docs', path), 'utf8'), stale).toBe(text)
  },
)
