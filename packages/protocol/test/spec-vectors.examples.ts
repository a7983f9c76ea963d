/**
 * Worked examples in the documents of spec/: taken from the vectors, never typed.
 *
 * A block is opened by `<!-- example FILE "NAME" -->` and holds lines `path  value`. The path leads
 * through the vector of that name (or, in files without names, the one at that index); the value is
 * filled in, 32 bytes a line. Bytes longer than 160 are shown by their first and last 16.
 */
import type { Json } from './spec-vectors.files.ts'

const BLOCK = /<!-- example (\S+) "([^"]+)" -->\n```text\n([\s\S]*?)```/g

export function withExamples(markdown: string, files: ReadonlyMap<string, Json>): string {
  return markdown.replaceAll(BLOCK, (_, file: string, name: string, body: string) => {
    const vector = find(files.get(file), name, file)
    const paths = [...body.matchAll(/^\S+/gm)].map(([path]) => path)
    const width = Math.max(...paths.map((path) => path.length))
    const lines = paths.map((path) => {
      const value = shown(at(vector, path)).join(`\n${' '.repeat(width + 2)}`)
      return `${path.padEnd(width)}  ${value}`
    })
    return `<!-- example ${file} "${name}" -->\n\`\`\`text\n${lines.join('\n')}\n\`\`\``
  })
}

/** How many blocks a document has. */
export function countExamples(markdown: string): number {
  return [...markdown.matchAll(BLOCK)].length
}

function find(file: Json | undefined, name: string, fileName: string): Json {
  const vectors = (file as { vectors?: Json[] } | undefined)?.vectors
  const isNamed = (vector: Json) =>
    ['name', 'message', 'purpose', 'session'].some(
      (field) => (vector as Record<string, Json>)[field] === name,
    )
  const vector = /^\d+$/.test(name) ? vectors?.[Number(name)] : vectors?.find(isNamed)
  if (vector === undefined) throw new Error(`no vector "${name}" in ${fileName}`)
  return vector
}

function at(vector: Json, path: string): Json {
  let value: Json | undefined = vector
  for (const field of path.split('.')) value = (value as Record<string, Json> | null)?.[field]
  if (value === undefined) throw new Error(`no field ${path}`)
  return value
}

/** A value as one line or several. */
function shown(value: Json): readonly string[] {
  if (typeof value !== 'string') return [JSON.stringify(value)]
  const isHex = value.length > 0 && value.length % 2 === 0 && /^[0-9a-f]+$/.test(value)
  if (!isHex) return [value]
  if (value.length <= 320) return value.match(/.{1,64}/g) ?? []
  return [`${value.slice(0, 32)}…${value.slice(-32)} (${value.length / 2} bytes)`]
}
