/**
 * Makes `spec/vectors` from seeds, with the reference in `packages/protocol/test`, and the worked
 * examples in `spec/*.md` from the vectors. `--check` writes nothing and fails on any difference.
 *
 *   node --conditions=source scripts/vectors.ts [--check]
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withExamples } from '../packages/protocol/test/spec-vectors.examples.ts'
import { makeFiles, RECORDED, SPEC, VECTORS } from '../packages/protocol/test/spec-vectors.files.ts'
import { type RecordedRsa, recordRsa } from '../packages/protocol/test/spec-vectors.people.ts'

const check = process.argv.includes('--check')
const differences: string[] = []

const files = makeFiles(recorded())
for (const [name, text] of files) settle(join(VECTORS, name), text)
for (const name of jsonFiles()) {
  if (name !== RECORDED && !files.has(name)) differences.push(`spec/vectors/${name} is left over`)
}
const vectors = new Map(Array.from(files, ([name, text]) => [name, JSON.parse(text)]))
for (const name of readdirSync(SPEC)) {
  if (!name.endsWith('.md')) continue
  const path = join(SPEC, name)
  settle(path, withExamples(readFileSync(path, 'utf8'), vectors))
}

for (const difference of differences) process.stderr.write(`${difference}\n`)
process.stdout.write(`${files.size} files of vectors, ${differences.length} differences\n`)
process.exitCode = differences.length === 0 ? 0 : 1

/** RSA pairs take no seed: what was drawn once stays. */
function recorded(): RecordedRsa {
  const path = join(VECTORS, RECORDED)
  const text = read(path)
  if (text !== undefined) return JSON.parse(text)
  if (check) throw new Error(`${path} is missing`)
  const drawn = recordRsa()
  mkdirSync(VECTORS, { recursive: true })
  writeFileSync(path, `${JSON.stringify(drawn, null, 1)}\n`)
  return drawn
}

function settle(path: string, text: string): void {
  if (read(path) === text) return
  if (check) {
    differences.push(`${path} differs from a fresh run`)
    return
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function jsonFiles(): string[] {
  const names = readdirSync(VECTORS, { recursive: true }) as string[]
  return names.map((name) => name.replaceAll('\\', '/')).filter((name) => name.endsWith('.json'))
}
