import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take minutes, mostly of waiting: they begin first, so that none of them is left alone at
 * the end.
 */
const LONGEST = [
  'packages/server/test/nats-cluster',
  'test/torture/',
  'test/story',
  'apps/web/test/',
  'test/packages/',
  'apps/server/test/serve',
  'packages/server/test/durability',
  'test/chat-screen',
  'test/partition',
  'test/examples',
  'test/browser/',
  'test/daemon',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((name) => moduleId.includes(name))
      return place === -1 ? LONGEST.length : place
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

/** The sources run as they are: every package names `src/index.ts` under the condition `source`. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source', 'node', 'module', 'import', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    // Browsers, clusters and torture share two cores there: what fails once because a machine was
    // busy for a minute is tried again, and the report says so. What fails twice has failed.
    retry: process.env.CI === 'true' ? 1 : 0,
    hookTimeout: 60_000,
  },
})
