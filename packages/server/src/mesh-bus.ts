/**
 * The bus between workers of one machine: every worker has a link to every other and knows what it
 * hears, so a message makes one hop, and a question that nobody hears is not even asked.
 *
 * A worker that does not read is not waited for: what it would have heard is left out, urgent
 * questions aside, and it is told so when it reads again.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AskResult, Bus, Hearer, Hearing } from './bus.ts'
import { Link } from './link.ts'

type Message =
  | { readonly kind: 'hello'; readonly from: number }
  /** Everything that this one hears has been said. */
  | { readonly kind: 'introduced' }
  | { readonly kind: 'hear'; readonly number: number; readonly subject: string }
  | { readonly kind: 'heard'; readonly number: number }
  | { readonly kind: 'mute'; readonly subject: string }
  | { readonly kind: 'say'; readonly subject: string; readonly message: Uint8Array }
  | {
      readonly kind: 'ask'
      readonly number: number
      readonly subject: string
      readonly message: Uint8Array
    }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: Uint8Array }
  /** Something was left out. */
  | { readonly kind: 'missed' }

interface Peer {
  readonly link: Link
  readonly hears: Set<string>
  /** What this peer was asked, or asked to confirm, by number. */
  readonly open: Map<number, (answer: Uint8Array | undefined) => void>
  /** Whether something was not sent, since it did not read. */
  missed: boolean
}

export class MeshBus implements Bus {
  readonly #self: number
  readonly #server: Server
  readonly #peers = new Map<number, Peer>()
  readonly #hearers = new Map<string, Set<Hearer>>()
  readonly #gaps: (() => void)[] = []
  /** By peer: called when everything that it hears is known. */
  readonly #introductions = new Map<number, () => void>()
  #lastNumber = 0
  #closed = false

  private constructor(self: number) {
    this.#self = self
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** @param path - where the others find this one. */
  static async listen(self: number, path: string): Promise<MeshBus> {
    const bus = new MeshBus(self)
    await new Promise<void>((resolve, reject) => {
      bus.#server.once('error', reject)
      bus.#server.listen(path, resolve)
    })
    return bus
  }

  /** Resolves when the two hear each other, or the other is gone. */
  connect(other: number, path: string): Promise<void> {
    if (this.#peers.has(other) || this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const socket = connect(path, () => {
        this.#introductions.set(other, resolve)
        this.#join(other, socket).send({ kind: 'hello', from: this.#self } satisfies Message)
        this.#introduce(other)
      })
      // It has ended meanwhile.
      socket.on('error', () => {})
      socket.once('close', () => resolve())
    })
  }

  hear(subject: string, hearer: Hearer): Hearing {
    const known = this.#hearers.get(subject)
    const hearers = known ?? new Set<Hearer>()
    this.#hearers.set(subject, hearers.add(hearer))
    const confirmed = known
      ? []
      : [...this.#peers.values()].map(
          (peer) => new Promise<void>((resolve) => this.#tellHearing(peer, subject, resolve)),
        )
    const end = (): void => {
      if (!hearers.delete(hearer) || hearers.size > 0) return
      this.#hearers.delete(subject)
      for (const { link } of this.#peers.values()) {
        link.send({ kind: 'mute', subject } satisfies Message)
      }
    }
    const ready = async (): Promise<void> => void (await Promise.all(confirmed))
    return { ready: ready(), end }
  }

  say(subject: string, message: Uint8Array): void {
    for (const peer of this.#hearing(subject)) {
      if (peer.link.isFull) peer.missed = true
      else peer.link.send({ kind: 'say', subject, message } satisfies Message)
    }
  }

  ask(
    subject: string,
    message: Uint8Array,
    timeoutMs: number,
    answered: (result: AskResult) => void,
    urgent = false,
  ): void {
    const peers = this.#hearing(subject).filter(({ link }) => urgent || !link.isFull)
    if (peers.length === 0) {
      setImmediate(() => answered('nobody'))
      return
    }
    const number = ++this.#lastNumber
    let left = peers.length
    let last: AskResult = 'unknown'
    const settle = (result: AskResult): void => {
      clearTimeout(timer)
      for (const { open } of peers) open.delete(number)
      answered(result)
    }
    const timer = setTimeout(() => settle('unknown'), timeoutMs)
    for (const { link, open } of peers) {
      open.set(number, (answer) => {
        open.delete(number)
        left--
        if (answer) last = answer
        // Of a user who moves two may hear: the one who is not there any more says nothing.
        if (left === 0 || (answer && answer.length > 0)) settle(last)
      })
      link.send({ kind: 'ask', number, subject, message } satisfies Message)
    }
  }

  onGap(listener: () => void): void {
    this.#gaps.push(listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { link } of this.#peers.values()) link.end()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #hearing(subject: string): Peer[] {
    return [...this.#peers.values()].filter(({ hears }) => hears.has(subject))
  }

  /** The first message says who it is. */
  #accept(socket: Socket): void {
    let other: number | undefined
    const early = new Link(
      socket,
      (message) => {
        if (other !== undefined) this.#receive(other, message as Message)
        else if ((message as Message).kind === 'hello') {
          other = (message as Message & { kind: 'hello' }).from
          this.#peers.set(other, peerOf(early))
          this.#introduce(other)
        }
      },
      () => {
        if (other !== undefined) this.#left(other)
      },
      () => {
        if (other !== undefined) this.#caughtUp(other)
      },
    )
  }

  #join(other: number, socket: Socket): Link {
    const link = new Link(
      socket,
      (message) => this.#receive(other, message as Message),
      () => this.#left(other),
      () => this.#caughtUp(other),
    )
    this.#peers.set(other, peerOf(link))
    return link
  }

  /** What was said before the two knew each other is a gap for both. */
  #introduce(other: number): void {
    const peer = this.#peers.get(other)!
    for (const subject of this.#hearers.keys()) this.#tellHearing(peer, subject, () => {})
    peer.link.send({ kind: 'introduced' } satisfies Message)
  }

  #tellHearing({ link, open }: Peer, subject: string, confirmed: () => void): void {
    const number = ++this.#lastNumber
    open.set(number, () => {
      open.delete(number)
      confirmed()
    })
    link.send({ kind: 'hear', number, subject } satisfies Message)
  }

  #receive(other: number, message: Message): void {
    const peer = this.#peers.get(other)
    if (!peer) return
    switch (message.kind) {
      case 'hello':
        break
      case 'introduced':
        this.#introductions.get(other)?.()
        this.#introductions.delete(other)
        this.#gap()
        break
      case 'hear':
        peer.hears.add(message.subject)
        peer.link.send({ kind: 'heard', number: message.number } satisfies Message)
        break
      case 'mute':
        peer.hears.delete(message.subject)
        break
      case 'say':
        for (const hearer of this.#hearers.get(message.subject) ?? []) hearer(message.message)
        break
      case 'ask':
        this.#asked(peer, message)
        break
      case 'heard':
        peer.open.get(message.number)?.(undefined)
        break
      case 'answer':
        peer.open.get(message.number)?.(message.answer)
        break
      case 'missed':
        this.#gap()
        break
    }
  }

  #asked({ link }: Peer, { number, subject, message }: Message & { kind: 'ask' }): void {
    const respond = (answer: Uint8Array): void => {
      link.send({ kind: 'answer', number, answer } satisfies Message)
    }
    const hearers = this.#hearers.get(subject)
    // It stopped hearing while the question was on its way: the same as an answer that never comes.
    if (!hearers) respond(NOTHING)
    for (const hearer of hearers ?? []) hearer(message, respond)
  }

  /** It reads again. */
  #caughtUp(other: number): void {
    const peer = this.#peers.get(other)
    if (!peer?.missed) return
    peer.missed = false
    peer.link.send({ kind: 'missed' } satisfies Message)
  }

  #left(other: number): void {
    const peer = this.#peers.get(other)
    this.#peers.delete(other)
    for (const settle of peer?.open.values() ?? []) settle(undefined)
    if (!this.#closed) this.#gap()
  }

  #gap(): void {
    for (const listener of this.#gaps) listener()
  }
}

function peerOf(link: Link): Peer {
  return { link, hears: new Set(), open: new Map(), missed: false }
}

/** An empty answer means that whoever was asked for is not there any more. (route-codec.ts) */
const NOTHING = new Uint8Array(0)
