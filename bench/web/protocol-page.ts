/** What runs inside the page: the protocol with the provider for browsers, timed by the page's clock. */
import { couplet, WEB } from '../protocol/couplet.ts'

export interface ProtocolBench {
  /** So many messages of 256 bytes, all one way or each turning the ratchet; answers milliseconds. */
  run(kind: 'one-way' | 'ping-pong', messages: number): Promise<number>
}

const subject = couplet(WEB)
const text = 'x'.repeat(256)
let begun: Promise<void> | undefined

async function begin(): Promise<void> {
  await subject.prepare(1)
  await subject.setUp(text)
  await subject.send({ sender: 'responder', text, turn: true })
  await subject.send({ sender: 'initiator', text, turn: true })
}

const bench: ProtocolBench = {
  async run(kind, messages) {
    begun ??= begin()
    await begun
    const from = performance.now()
    for (let i = 0; i < messages; i++) {
      const sender = kind === 'ping-pong' && i % 2 === 0 ? 'responder' : 'initiator'
      await subject.send({ sender, text, turn: kind === 'ping-pong' })
    }
    return performance.now() - from
  },
}

Object.assign(globalThis, { protocolBench: bench })
