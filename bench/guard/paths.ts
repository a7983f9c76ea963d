// biome-ignore-all lint/correctness/noUndeclaredDependencies: the workspace's own packages, of the folder above.
/**
 * The hot paths, without sockets and disks: what a message costs in the protocol, in the server that
 * relays it, and in the one that keeps it. (../README.md, "guard")
 */
import { createHash } from 'node:crypto'
import { systemClock } from '@couplet/server'
import { decodeClientFrame, encodeClientFrame, encodeServerFrame } from '@couplet/wire'
import { Delivery } from '../../packages/server/src/delivery.ts'
import { Identities } from '../../packages/server/src/identities.ts'
import type { Channel } from '../../packages/server/src/live-user.ts'
import { memoryStore } from '../../packages/server/src/memory-store.ts'
import { couplet, NODE } from '../protocol/couplet.ts'

/** Does its operation so often. */
export type HotPath = (operations: number) => Promise<void>

export async function hotPaths(): Promise<Readonly<Record<string, HotPath>>> {
  return { ...(await messages()), relay: relay(), keep: keep() }
}

/** Seal, open, and note the receipt: 256 bytes, always in one direction, or to and fro. */
async function messages(): Promise<{ oneWay: HotPath; pingPong: HotPath }> {
  const subject = couplet(NODE)
  await subject.prepare(1)
  await subject.setUp('hello')
  const text = 'x'.repeat(256)
  return {
    async oneWay(operations) {
      for (let i = 0; i < operations; i++)
        await subject.send({ sender: 'initiator', text, turn: false })
    },
    async pingPong(operations) {
      for (let i = 0; i < operations; i++) {
        const sender = i % 2 === 0 ? 'responder' : 'initiator'
        await subject.send({ sender, text, turn: true })
      }
    },
  }
}

/** From the bytes of a put to those of the sender's answer, by way of a recipient who is online. */
function relay(): HotPath {
  const { delivery, ids } = newDelivery()
  const frame = putFrame(ids.recipient)
  let deliveredId = new Uint8Array()
  const channel: Channel = {
    ...SILENT,
    deliver(stored) {
      encodeServerFrame({ type: 'deliver', ...stored })
      deliveredId = Uint8Array.from(stored.id)
    },
  }
  const user = delivery.attach(ids.recipient, channel)
  const receipt = new Uint8Array(32)
  return async (operations) => {
    await user.catchUp()
    for (let i = 0; i < operations; i++) {
      const settled = put(delivery, ids.sender, frame())
      const ack = encodeClientFrame({ type: 'ack', id: deliveredId, receipt })
      const answer = decodeClientFrame(ack)
      if (answer.type !== 'ack' || !answer.receipt) throw new Error('no acknowledgement')
      await delivery.answer(user, answer.id, { kind: 'delivered', receipt: answer.receipt })
      await settled
    }
  }
}

/** The same for somebody who is away: two wait, and each new one pushes out the older. */
function keep(): HotPath {
  const { delivery, ids } = newDelivery()
  const frame = putFrame(ids.recipient)
  return async (operations) => {
    for (let i = 0; i < operations; i++) await put(delivery, ids.sender, frame())
  }
}

function newDelivery(): { delivery: Delivery; ids: { sender: Uint8Array; recipient: Uint8Array } } {
  const { mailboxes, directory } = memoryStore({ capacity: 2 })
  const identities = new Identities(directory)
  const ids = { sender: idOf('sender'), recipient: idOf('recipient') }
  identities.remember(ids.recipient)
  const delivery = new Delivery({ mailboxes, identities, clock: systemClock, window: 64 })
  return { delivery, ids }
}

async function put(delivery: Delivery, sender: Uint8Array, bytes: Uint8Array): Promise<void> {
  const frame = decodeClientFrame(bytes)
  if (frame.type !== 'put') throw new Error('no put')
  const { ref, mode, recipient, envelope } = frame
  await delivery.put({
    sender,
    recipient,
    bytes: envelope,
    mode,
    settle(outcome) {
      encodeServerFrame({ type: 'put-result', ref, outcome })
      return true
    },
  })
}

/** The same bytes each time but for a number, so that the envelopes have ids of their own. */
function putFrame(recipient: Uint8Array): () => Uint8Array {
  const envelope = new Uint8Array(1024)
  const frame = encodeClientFrame({ type: 'put', ref: 1, mode: 'evict', recipient, envelope })
  const view = new DataView(frame.buffer, frame.byteOffset + frame.length - 4)
  let count = 0
  return () => {
    view.setUint32(0, ++count)
    return frame
  }
}

function idOf(name: string): Uint8Array {
  return createHash('sha256').update(name).digest()
}

const SILENT = {
  writable: true,
  caughtUp() {},
  notice() {},
  room() {},
  close() {},
  lookAgain() {},
} satisfies Omit<Channel, 'deliver'>
