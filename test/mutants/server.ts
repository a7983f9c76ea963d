/** Of what the server remembers between a message and its answer. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const SERVER_MUTANTS: readonly Mutant[] = [
  mutant(
    'recent ends: an end that was replaced stays beside the new one',
    [SOURCE.recentEnds, '    if (before !== NONE) this.#remove(before)\n', ''],
    [TEST.recentEnds, 'it remembers and forgets like a list'],
  ),
  mutant(
    'recent ends: the rest of a chain is cut off with what is removed from it',
    [SOURCE.recentEnds, 'this.#chains[chain] = this.#older[row]!', 'this.#chains[chain] = NONE'],
    [TEST.recentEnds, 'ids that begin alike'],
  ),
  mutant(
    'recent ends: anybody may ask how an envelope ended',
    [SOURCE.recentEnds, 'row !== NONE && this.#is(row, SENDER_AT, sender)', 'row !== NONE'],
    [TEST.recentEnds, 'told to their sender and to nobody else'],
  ),
]
