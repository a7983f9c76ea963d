/**
 * Received messages, one at a time: the next is handed out when the program has acknowledged the
 * one before. What was not acknowledged is handed out again, to whoever asks next, so that a
 * program that crashes loses nothing. It may see its last message twice: it has an id.
 */
import type { Couplet, IncomingMessage } from '@couplet/client'
import { CommandError } from '../errors.ts'
import { incomingJson } from '../message-lines.ts'
import type { Caller } from './json-rpc.ts'

export class MessageStream {
  readonly #couplet: Couplet
  /** The one program that reads. */
  #reader: Reader | undefined

  constructor(couplet: Couplet) {
    this.#couplet = couplet
  }

  /** @throws {CommandError} `busy` while another program reads. */
  subscribe(caller: Caller): void {
    if (this.#reader) {
      throw new CommandError('busy', 'another program reads the messages of this home.')
    }
    const reader: Reader = { gone: Promise.withResolvers<void>(), waiting: undefined }
    this.#reader = reader
    caller.onGone(() => {
      reader.gone.resolve()
      if (this.#reader === reader) this.#reader = undefined
    })
    void this.#feed(reader, caller)
  }

  /** The program has dealt with the message. Answers whether it was the one that waits for this. */
  acknowledge(id: string): boolean {
    const { waiting } = this.#reader ?? {}
    if (!waiting || waiting.id !== id) return false
    waiting.acknowledged.resolve(true)
    return true
  }

  async #feed(reader: Reader, caller: Caller): Promise<void> {
    try {
      for await (const message of this.#messages(reader)) {
        if (!(await this.#handOut(message, reader, caller))) return
      }
    } catch (error) {
      // The home is closed or broken: the daemon ends, and says why.
      caller.notify('closed', { message: error instanceof Error ? error.message : 'closed' })
    }
  }

  /** Stops waiting for a message, too, when the reader has gone. */
  async *#messages(reader: Reader): AsyncGenerator<IncomingMessage> {
    const messages = this.#couplet.messages()[Symbol.asyncIterator]()
    const gone = reader.gone.promise.then(() => undefined)
    try {
      for (;;) {
        const result = await Promise.race([messages.next(), gone])
        if (!result || result.done) return
        yield result.value
      }
    } finally {
      // Nothing more is asked for, so what is being fetched, or was not acknowledged, stays unseen.
      void messages.return?.()
    }
  }

  /** Says no when the message was not acknowledged: then nothing more is asked for. */
  async #handOut(message: IncomingMessage, reader: Reader, caller: Caller): Promise<boolean> {
    const acknowledged = Promise.withResolvers<boolean>()
    reader.waiting = { id: message.id, acknowledged }
    const gone = reader.gone.promise.then(() => false)
    if (!caller.notify('message', incomingJson(message))) return false
    const isDone = await Promise.race([acknowledged.promise, gone])
    reader.waiting = undefined
    return isDone
  }
}

interface Reader {
  readonly gone: PromiseWithResolvers<void>
  waiting: { readonly id: string; readonly acknowledged: PromiseWithResolvers<boolean> } | undefined
}
