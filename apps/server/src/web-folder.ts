/** Where the built web client lies: beside this package when it was published, or in the checkout. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** `undefined` when there is none; the server then has a page about itself. */
export function webFolder(): string | undefined {
  return CANDIDATES.find((folder) => existsSync(join(folder, 'index.html')))
}

const CANDIDATES = [
  join(import.meta.dirname, '..', 'web'),
  join(import.meta.dirname, '..', '..', 'web', 'dist'),
]
