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
  mutant(
    'id table: what leaves it still points to what came before it',
    [SOURCE.idTable, '    entry.chained = undefined\n', ''],
    [TEST.idTable, 'what is dead keeps nothing'],
  ),
  mutant(
    'id table: it turns the order of entries with one id around when it grows',
    [SOURCE.idTable, 'chain.unshift(entry)', 'chain.push(entry)'],
    [TEST.idTable, 'finds, in their order, what a list would find'],
  ),
  mutant(
    'id table: what is removed takes along what was before it in its chain',
    [SOURCE.idTable, 'at.chained = entry.chained', 'at.chained = undefined'],
    [TEST.idTable, 'finds, in their order, what a list would find'],
  ),
  mutant(
    'lists: the last one leaves in place of the one that is meant',
    [SOURCE.lists, 'at = place + 1', 'at = entries.length'],
    [TEST.idTable, 'loses one without disturbing the others'],
  ),
  mutant(
    'messages: a payload of 126 bytes has its length in the second byte',
    [SOURCE.webSocketMessage, 'const MAX_SHORT = 125', 'const MAX_SHORT = 126'],
    [TEST.webSocketMessage, 'read as the frames they are'],
  ),
  mutant(
    'messages: a payload of 65,536 bytes has its length in two bytes',
    [SOURCE.webSocketMessage, 'const MAX_MEDIUM = 0xffff', 'const MAX_MEDIUM = 0x10000'],
    [TEST.webSocketMessage, 'read as the frames they are'],
  ),
  mutant(
    'messages: they are sent behind a goodbye',
    [
      SOURCE.frameSocket,
      'this.#ended || this.#webSocket.readyState !== WebSocket.OPEN',
      'this.#ended',
    ],
    [TEST.webSocketMessage, 'when the peer has said goodbye'],
  ),
  mutant(
    'commit window: what is held is not found by its repetition',
    [SOURCE.commitWindow, ' || this.#held.find(envelope.id)', ''],
    [TEST.commitWindow, 'nothing of it is written afterwards'],
  ),
  mutant(
    'commit window: a question about what is held is answered without it',
    [
      SOURCE.commitWindow,
      'sameBytes(held.envelope.sender, sender)',
      '!sameBytes(held.envelope.sender, sender)',
    ],
    [TEST.commitWindow, 'is waiting for whom asks about it'],
  ),
  mutant(
    'store: a commit does not wait for the disk',
    [SOURCE.sqliteSchema, 'PRAGMA synchronous = FULL', 'PRAGMA synchronous = NORMAL'],
    [TEST.powerLoss, 'none is lost with the power'],
  ),
  mutant(
    'metered store: a put is heard of after what the store did later',
    [SOURCE.meteredStore, 'return putting', 'return putting.then(async (result) => result)'],
    [TEST.deliveryOrder, 'its sender hears it in that order'],
  ),
  mutant(
    'identities: whoever is connected is registered, whatever was missed',
    [SOURCE.identities, '!this.#missed && ', ''],
    [TEST.deliveryOrder, 'the directory is asked'],
  ),
  mutant(
    'messages: one in a backlog keeps 64 KiB of the pool',
    [SOURCE.webSocketMessage, 'backlog <= MAX_POOLED_BACKLOG', 'true'],
    [TEST.webSocketMessage, 'keep no memory but their own'],
  ),
]
