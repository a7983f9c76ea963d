/**
 * Which mutants were killed in a run that did not come to its end, so that the next one can go on
 * there. A verdict holds for as long as the mutant, the file that it changes and the file of its
 * test are what they were; whoever wants to know about all that lies between tries all again.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mutant } from './mutant.ts'

export class Record {
  readonly #path: string
  readonly #root: string
  readonly #killed: ReadonlySet<string>

  /** @param root - folder in which packages/ and test/ are. */
  constructor(path: string, root: string) {
    this.#path = path
    this.#root = root
    mkdirSync(dirname(path), { recursive: true })
    this.#killed = new Set(read(path).split('\n'))
  }

  isKilled(mutant: Mutant): boolean {
    return this.#killed.has(this.#nameOf(mutant))
  }

  killed(mutant: Mutant): void {
    appendFileSync(this.#path, `${this.#nameOf(mutant)}\n`)
  }

  #nameOf({ name, edits, killedBy }: Mutant): string {
    const hash = createHash('sha256').update(JSON.stringify([name, edits, killedBy]))
    for (const { file } of edits) hash.update(readFileSync(join(this.#root, 'packages', file)))
    hash.update(readFileSync(join(this.#root, killedBy[0])))
    return hash.digest('hex')
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
