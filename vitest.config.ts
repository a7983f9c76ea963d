import { defineConfig } from 'vitest/config'

/** The sources run as they are: every package names `src/index.ts` under the condition `source`. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source', 'node', 'module', 'import', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    maxWorkers: '100%',
    testTimeout: 120_000,
    // Browsers, clusters and torture share two cores there: what fails once because a machine was
    // busy for a minute is tried again, and the report says so. What fails twice has failed.
    retry: process.env.CI === 'true' ? 1 : 0,
    hookTimeout: 60_000,
  },
})
