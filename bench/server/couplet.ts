import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { join } from 'node:path'
import {
  decodeServerFrame,
  encodeClientFrame,
  encodeIdentityRecord,
  identityIdPreimage,
  joinSigned,
  loginSignedBytes,
  type PhoneNumber,
  PREKEY_SET_BYTES,
  RSA_SPKI_BYTES,
  SIGNATURE_BYTES,
  SOCKET_PATH,
  SOCKET_PROTOCOL,
} from '@couplet/wire'
import { WebSocket } from 'ws'
import { embeddedStore } from '../../packages/server/src/embedded-store.ts'
import { freePort, ServerProcess } from './processes.ts'
import {
  type Client,
  type ClientEvents,
  PAYLOAD_BYTES,
  type RunningServer,
  type ServerSubject,
} from './subject.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export const couplet: ServerSubject = {
  remark:
    'acknowledged by the recipient and proven to the sender; durable (fsync) where not acknowledged within 100 ms; a mailbox of two',
  stores: true,
  async start(folder, count) {
    const port = await freePort()
    const users = Array.from({ length: count }, (_, number) => account(number))
    await register(folder, users)
    const server = await ServerProcess.start(
      {
        command: process.execPath,
        args: [
          '--conditions=source',
          join(ROOT, 'apps', 'server', 'src', 'main.ts'),
          `--port=${port}`,
          `--data=${folder}`,
          `--code-sender=file:${join(folder, 'codes.jsonl')}`,
          '--log-level=warn',
          // All people come from one address here, and write faster than any person.
          '--no-limits',
        ],
      },
      port,
    )
    const running: RunningServer = {
      process: server,
      connect: (user, events) => connect(port, users, user, events),
    }
    return running
  },
}

/** Somebody who can log in. The server looks at no key but the one that signs. */
interface Account {
  readonly phone: PhoneNumber
  readonly identityId: Uint8Array
  readonly identity: Uint8Array
  readonly signingKey: KeyObject
}

function account(number: number): Account {
  const phone = `+1555${String(number).padStart(7, '0')}` as PhoneNumber
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const encoded = encodeIdentityRecord({
    phone,
    exchangeKey: randomBytes(RSA_SPKI_BYTES),
    signingKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    identityKey: randomBytes(32),
    createdAt: 0,
  })
  const identityId = createHash('sha256').update(identityIdPreimage(encoded)).digest()
  const identity = joinSigned({ encoded, signature: randomBytes(SIGNATURE_BYTES) })
  return { phone, identityId, identity, signingKey: privateKey }
}

/** Into the directory, past the door: codes by text message are not what is measured. */
async function register(folder: string, accounts: readonly Account[]): Promise<void> {
  const store = await embeddedStore({ folder, capacity: 2 })
  const written = accounts.map(({ phone, identityId, identity }) =>
    store.directory.compareAndSet(
      {
        phone,
        identityId,
        identity,
        prekeys: randomBytes(PREKEY_SET_BYTES + SIGNATURE_BYTES),
        prekeysId: 1,
        registeredAt: Date.now(),
        seenAt: Date.now(),
        revision: 1,
      },
      undefined,
    ),
  )
  await Promise.all(written)
  await store.close()
}

function connect(
  port: number,
  accounts: readonly Account[],
  user: number,
  { onMessage, onAccepted }: ClientEvents,
): Promise<Client> {
  const { identityId, signingKey } = accounts[user]!
  const serverName = `127.0.0.1:${port}`
  const webSocket = new WebSocket(`ws://${serverName}${SOCKET_PATH}`, SOCKET_PROTOCOL, {
    perMessageDeflate: false,
  })
  const send = (frame: Parameters<typeof encodeClientFrame>[0]): void =>
    webSocket.send(encodeClientFrame(frame))
  let ref = 0
  const client: Client = {
    send(to) {
      const recipient = accounts[to]!.identityId
      send({ type: 'put', ref: ++ref, mode: 'evict', recipient, envelope: freshEnvelope() })
    },
    close: () =>
      new Promise((resolve) => {
        webSocket.once('close', () => resolve())
        webSocket.close()
      }),
  }
  return new Promise((resolve, reject) => {
    webSocket.on('error', reject)
    webSocket.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data)
      if (frame.type === 'challenge') {
        const { challenge } = frame
        const signed = loginSignedBytes({ serverName, challenge, identityId })
        send({ type: 'login', identityId, signature: sign(null, signed, signingKey) })
      } else if (frame.type === 'welcome') {
        resolve(client)
      } else if (frame.type === 'deliver') {
        const id = createHash('sha256').update(frame.envelope).digest()
        send({ type: 'ack', id, receipt: id })
        onMessage()
      } else if (frame.type === 'put-result') {
        onAccepted?.()
      } else if (frame.type === 'error') {
        reject(new Error(`the server says ${frame.code}`))
      }
    })
  })
}

/** No two alike: their ids are their hashes. */
function freshEnvelope(): Uint8Array {
  const envelope = Uint8Array.from(TEMPLATE)
  new DataView(envelope.buffer).setFloat64(0, ++sent)
  return envelope
}

const TEMPLATE = randomBytes(PAYLOAD_BYTES)
let sent = 0
