/**
 * A home with a long past: so many conversations, and one of them long. Made on this machine by the
 * SDK's own tables and moved into the browser in a file, as a person would move.
 */
import { randomBytes } from 'node:crypto'
import { importIdentity } from '@couplet/protocol'
import { type Bytes, parsePhoneNumber, toHex } from '@couplet/wire'
import { exportHome } from '../../packages/client/src/export.ts'
import { stretch } from '../../packages/client/src/node/stretch.ts'
import { inTransaction, type Tables } from '../../packages/client/src/tables.ts'
import { TestPerson, type TestServer } from '../../test/people.ts'

export interface Past {
  readonly conversations: number
  /** In the first conversation. */
  readonly long: number
  /** In each of the others. */
  readonly short: number
}

/** @returns the file, and its passphrase. */
export async function homeWithPast(
  server: Pick<TestServer, 'url' | 'codes'>,
  phone: string,
  past: Past,
): Promise<{ readonly file: Buffer; readonly passphrase: string }> {
  const person = await TestPerson.register(server, phone)
  // One person stands for all: who they are is not what takes its time.
  const other = await TestPerson.register(server, '+12025559999')
  const { identity: signed } = await other.directoryEntry()
  const identity = { id: importIdentity(person.ports.platform.primitives, signed).id, signed }
  for (let from = 0; from < past.conversations; from += BATCH) {
    const to = Math.min(past.conversations, from + BATCH)
    await inTransaction(person.store, async (tables) => {
      for (let i = from; i < to; i++) await addConversation(tables, i, past, identity)
    })
  }
  const passphrase = 'correct horse battery'
  const ports = { store: person.store, platform: person.ports.platform, stretch }
  const { file, finish } = await exportHome(ports, passphrase)
  const pieces: Uint8Array[] = []
  for await (const piece of file) pieces.push(piece)
  await finish()
  return { file: Buffer.concat(pieces), passphrase }
}

async function addConversation(
  tables: Tables,
  index: number,
  past: Past,
  identity: { readonly id: Bytes; readonly signed: Bytes },
): Promise<void> {
  const phone = parsePhoneNumber(`+1303555${String(index).padStart(4, '0')}`)
  const contact = await tables.addContact(phone, true)
  const count = index === 0 ? past.long : past.short
  await tables.putContact({
    ...contact,
    identity,
    highestSeen: count,
    nextSequence: count + 1,
  })
  const begun = Date.now() - (index + 1) * 3_600_000
  for (let i = 0; i < count; i++) {
    const at = begun - (count - i) * 60_000
    const common = {
      id: toHex(randomBytes(16)),
      text: `${WORDS[(i * 7 + index) % WORDS.length]} ${i} of ${index}: ${TEXTS[i % TEXTS.length]}`,
      sentAt: at,
      sequence: i + 1,
      expiresAfter: 0,
    }
    await tables.appendMessage(
      contact.no,
      i % 3 === 0
        ? {
            ...common,
            direction: 'outgoing',
            state: 'delivered',
            stateAt: at,
            phase: { kind: 'done' },
          }
        : { ...common, direction: 'incoming', sender: toHex(identity.id), receivedAt: at },
    )
  }
}

const BATCH = 20
const WORDS = ['Lighthouse', 'Station', 'Dinner', 'Garden', 'Letter', 'Bicycle', 'Harbour']
const TEXTS = [
  'see you there.',
  'I am on my way, and a little late because of the rain.',
  'yes',
  'Could you bring the book that we talked about? It should be on the shelf beside the window, between the atlas and the dictionary.',
]
