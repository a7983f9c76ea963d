/** The bus over NATS subjects: a question finds who hears it in the whole cluster, or nobody. */
import { randomBytes } from 'node:crypto'
import {
  createInbox,
  type MsgHdrs,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node'
import type { AskResult, Bus, Hearer, Hearing } from '../bus.ts'
import { BUS } from './layout.ts'

interface Question {
  readonly answered: (result: AskResult) => void
  readonly timer: NodeJS.Timeout
}

export class NatsBus implements Bus {
  readonly #connection: NatsConnection
  readonly #inbox = createInbox()
  readonly #questions = new Map<string, Question>()
  readonly #gaps: (() => void)[] = []
  readonly #pulse: Pulse
  #lastQuestion = 0
  #flushing: Promise<void> | undefined

  /** @param connection - with `noEcho`: a process does not hear itself. */
  constructor(connection: NatsConnection) {
    this.#connection = connection
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (_error, message) => {
        const nobody = message.headers?.code === NO_RESPONDERS
        this.#answer(message.subject, nobody ? 'nobody' : message.data)
      },
    })
    this.#pulse = new Pulse(this, () => this.#gap())
    void this.#watchConnection()
  }

  hear(subject: string, hearer: Hearer): Hearing {
    let ended = false
    const subscription = this.#connection.subscribe(`${BUS}.${subject}`, {
      callback: (error, { data, reply }) => {
        if (error) return
        if (ended) this.#tooLate(reply)
        else hearer(data, reply ? (answer) => this.#publish(reply, answer) : undefined)
      },
    })
    const end = (): void => {
      ended = true
      // Questions that are on their way still come here, and are answered.
      if (!this.#connection.isClosed()) void subscription.drain().catch(() => {})
    }
    return { ready: this.#flush(), end }
  }

  /** A subject outside the bus, of which the headers say everything. */
  hearRaw(subject: string, hearer: (headers: MsgHdrs | undefined) => void): Hearing {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) hearer(message.headers)
      },
    })
    return this.#hearing(subscription)
  }

  say(subject: string, message: Uint8Array): void {
    this.#publish(`${BUS}.${subject}`, message)
  }

  ask(
    subject: string,
    message: Uint8Array,
    timeoutMs: number,
    answered: (result: AskResult) => void,
  ): void {
    const reply = `${this.#inbox}.${++this.#lastQuestion}`
    const timer = setTimeout(() => this.#answer(reply, 'unknown'), timeoutMs)
    this.#questions.set(reply, { answered, timer })
    if (!this.#publish(`${BUS}.${subject}`, message, reply)) {
      setImmediate(() => this.#answer(reply, 'nobody'))
    }
  }

  onGap(listener: () => void): void {
    this.#gaps.push(listener)
  }

  async close(): Promise<void> {
    this.#pulse.stop()
    for (const reply of this.#questions.keys()) this.#answer(reply, 'unknown')
    await this.#connection.drain()
  }

  /** What is said while there is no connection is lost, like the rest of the gap. */
  #publish(subject: string, message: Uint8Array, reply?: string): boolean {
    if (this.#connection.isClosed() || this.#connection.isDraining()) return false
    this.#connection.publish(subject, message, reply ? { reply } : {})
    return true
  }

  #answer(reply: string, result: AskResult): void {
    const question = this.#questions.get(reply)
    if (!question) return
    this.#questions.delete(reply)
    clearTimeout(question.timer)
    question.answered(result)
  }

  /** Whoever asked need not wait for longer than another process may need to say more. */
  #tooLate(reply: string | undefined): void {
    if (!reply) return
    setTimeout(() => this.#publish(reply, NOTHING), TOO_LATE_MS).unref()
  }

  #hearing(subscription: Subscription): Hearing {
    return { ready: this.#flush(), end: () => subscription.unsubscribe() }
  }

  /** Subscriptions of one moment share one round trip. */
  #flush(): Promise<void> {
    this.#flushing ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        this.#flushing = undefined
        this.#connection.flush().then(resolve, reject)
      })
    })
    return this.#flushing
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'reconnect' || type === 'slowConsumer') this.#gap()
    }
  }

  #gap(): void {
    for (const listener of this.#gaps) listener()
  }
}

/**
 * Notices that servers of the cluster have lost sight of each other, of which no client is told:
 * every process counts aloud, and who misses a number has missed more.
 */
class Pulse {
  readonly #name = randomBytes(8)
  readonly #counts = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  readonly #hearing: Hearing
  #count = 0

  constructor(bus: NatsBus, missed: () => void) {
    this.#hearing = bus.hear('pulse', (message) => {
      const view = Buffer.from(message.buffer, message.byteOffset, message.length)
      if (view.length !== PULSE_BYTES) return
      const name = view.toString('hex', 0, 8)
      const count = view.readUInt32BE(8)
      const last = this.#counts.get(name)
      if (this.#counts.size > MAX_PEERS) this.#counts.clear()
      this.#counts.set(name, count)
      if (last !== undefined && count > last + 1) missed()
    })
    // A failure shows when the engine starts.
    this.#hearing.ready.catch(() => {})
    this.#timer = setInterval(() => {
      const message = Buffer.alloc(PULSE_BYTES)
      this.#name.copy(message)
      message.writeUInt32BE(++this.#count, 8)
      bus.say('pulse', message)
    }, PULSE_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#hearing.end()
  }
}

const NO_RESPONDERS = 503
const NOTHING = new Uint8Array(0)
/** Until a question is answered by a process that hears no more, so that one that hears is first. */
const TOO_LATE_MS = 250
const PULSE_MS = 1000
const PULSE_BYTES = 12
const MAX_PEERS = 10_000
