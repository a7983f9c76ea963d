/**
 * Small faults in the code that a test must notice, one each, and the test that does. A mutant that
 * survives means that its test holds nothing.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Mutant {
  /** What the fault is, in words. */
  readonly name: string
  readonly edits: readonly Edit[]
  /** Test file, from the root, and part of the test’s name. */
  readonly killedBy: readonly [file: string, test: string]
}

/** An exact text in a file below packages/, where it occurs once, and what stands there instead. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A mutant of one edit. */
export function mutant(
  name: string,
  [file, find, replace]: readonly [string, string, string],
  killedBy: readonly [string, string],
): Mutant {
  return { name, edits: [{ file, find, replace }], killedBy }
}

/**
 * The file of an edit as the edit makes it.
 *
 * @param root - folder in which packages/ is.
 * @throws {Error} when the text is not there, or more than once: the code has moved on.
 */
export function edited(root: string, { file, find, replace }: Edit): string {
  const text = readFileSync(join(root, 'packages', file), 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${file}: not exactly once: ${find}`)
  return text.replace(find, () => replace)
}

export const SOURCE = {
  etm: 'protocol/src/etm.ts',
  envelope: 'protocol/src/envelope.ts',
  content: 'protocol/src/content.ts',
  protobuf: 'protocol/src/protobuf.ts',
  identity: 'protocol/src/identity.ts',
  prekeys: 'protocol/src/prekeys.ts',
  keys: 'protocol/src/key-validation.ts',
  handshake: 'protocol/src/handshake.ts',
  schedule: 'protocol/src/key-schedule.ts',
  ratchet: 'protocol/src/ratchet.ts',
  step: 'protocol/src/ratchet-step.ts',
  chain: 'protocol/src/chain.ts',
  header: 'protocol/src/message-header.ts',
  choice: 'protocol/src/session-choice.ts',
  codec: 'protocol/src/session-codec.ts',
  safety: 'protocol/src/safety-number.ts',
  node: 'protocol/src/node/index.ts',
  nodeHmac: 'protocol/src/node/hmac.ts',
  returning: 'protocol/src/node/returning-keys.ts',
  web: 'protocol/src/web/index.ts',
  wireIdentity: 'wire/src/identity.ts',
  authentication: 'wire/src/authentication.ts',
  labels: 'wire/src/labels.ts',
  connection: 'server/src/connection.ts',
  login: 'server/src/login.ts',
  requests: 'server/src/signed-requests.ts',
  registration: 'server/src/registration.ts',
  recentEnds: 'server/src/recent-ends.ts',
  idTable: 'server/src/id-table.ts',
  lists: 'server/src/lists.ts',
  webSocketMessage: 'server/src/web-socket-message.ts',
  frameSocket: 'server/src/frame-socket.ts',
  commitWindow: 'server/src/commit-window.ts',
  sqliteSchema: 'server/src/sqlite-schema.ts',
  meteredStore: 'server/src/metered-store.ts',
  identities: 'server/src/identities.ts',
  inbox: 'client/src/inbox.ts',
  sealer: 'client/src/sealer.ts',
  held: 'client/src/held-messages.ts',
  reactions: 'client/src/reactions.ts',
  directory: 'client/src/peer-directory.ts',
  contactBook: 'client/src/contact-book.ts',
  opener: 'client/src/session-opener.ts',
  outbox: 'client/src/outbox.ts',
  link: 'client/src/link.ts',
  followed: 'client/src/followed-number.ts',
  numberChange: 'client/src/number-change.ts',
  housekeeping: 'client/src/housekeeping.ts',
  continuity: 'client/src/continuity.ts',
  rotation: 'client/src/prekey-rotation.ts',
  tables: 'client/src/tables.ts',
} as const

export const TEST = {
  attacks: 'packages/protocol/test/attacks.test.ts',
  choice: 'packages/protocol/test/session-choice.test.ts',
  codec: 'packages/protocol/test/session-codec.test.ts',
  content: 'packages/protocol/test/content.test.ts',
  envelope: 'packages/protocol/test/envelope.test.ts',
  etm: 'packages/protocol/test/etm.test.ts',
  handshake: 'packages/protocol/test/handshake.test.ts',
  identity: 'packages/protocol/test/identity.test.ts',
  keys: 'packages/protocol/test/key-validation.test.ts',
  prekeys: 'packages/protocol/test/prekeys.test.ts',
  primitives: 'packages/protocol/test/primitives.test.ts',
  ratchet: 'packages/protocol/test/ratchet.test.ts',
  safety: 'packages/protocol/test/safety-number.test.ts',
  simulation: 'packages/protocol/test/session.simulation.test.ts',
  vectors: 'packages/protocol/test/primitives.vectors.test.ts',
  wireIdentity: 'packages/wire/test/identity.test.ts',
  gateway: 'packages/server/test/gateway.test.ts',
  http: 'packages/server/test/http.test.ts',
  registration: 'packages/server/test/registration.test.ts',
  recentEnds: 'packages/server/test/recent-ends.test.ts',
  idTable: 'packages/server/test/id-table.test.ts',
  webSocketMessage: 'packages/server/test/web-socket-message.test.ts',
  commitWindow: 'packages/server/test/commit-window.test.ts',
  deliveryOrder: 'packages/server/test/delivery-order.test.ts',
  powerLoss: 'packages/server/test/power-loss/power-loss.test.ts',
  clientAttacks: 'test/client-attacks.test.ts',
  hostile: 'test/hostile-server.test.ts',
  numberTrust: 'test/number-change-trust.test.ts',
  deliveryRules: 'test/delivery-rules.test.ts',
  people: 'test/people-and-time.test.ts',
} as const
