/**
 * `npm run check`: format, lint, types and architecture, in seconds. `npm run fix` formats and
 * fixes what can be fixed by itself.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'

const ROOT = dirname(import.meta.dirname)
const fix = process.argv.includes('--fix')

const steps: readonly (readonly [name: string, tool: string, ...args: string[]])[] = [
  ['format', 'biome', 'check', ...(fix ? ['--write'] : []), '.'],
  ['lint', 'oxlint', '--type-aware', ...(fix ? ['--fix'] : []), '.'],
  ['types', 'tsc', '-b'],
  ['architecture', 'vitest', 'run', 'test/architecture.test.ts'],
]

const failed = steps.filter(([name, tool, ...args]) => {
  process.stdout.write(`\n── ${name}\n`)
  return run(tool, args).status !== 0
})

process.stdout.write(`\n${steps.length - failed.length} passed, ${failed.length} failed\n`)
process.exitCode = failed.length === 0 ? 0 : 1

function run(tool: string, args: readonly string[]): SpawnSyncReturns<Buffer> {
  const bin = join(ROOT, 'node_modules', '.bin', tool)
  return spawnSync(bin, args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    // Tools start `node` by name: the one that runs this script.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` },
  })
}
