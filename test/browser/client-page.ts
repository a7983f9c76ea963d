/** What runs inside the page: a whole client in this browser, driven from outside. */
import type { Couplet, SentMessage } from '@couplet/client'
import {
  beginRegistration,
  completeRegistration,
  exportToBlob,
  homeState,
  importFromBlob,
  openCouplet,
} from '@couplet/client/web'
import { fromBase64Url, toBase64Url } from '@couplet/wire'

export interface ClientPage {
  state(): Promise<string>
  begin(phone: string, server: string): Promise<void>
  complete(code: string): Promise<void>
  open(): Promise<void>
  close(): Promise<void>
  /** Sends, and resolves when it is in the outbox; what becomes of it is not waited for. */
  send(to: string, text: string): Promise<void>
  /** Sends one after the other, until the browser dies. */
  sendForEver(to: string): Promise<void>
  delivered(to: string, text: string): Promise<void>
  settled(): Promise<void>
  /** Texts of a conversation, with their states. */
  history(peer: string): Promise<[string, string][]>
  exportHome(passphrase: string): Promise<string>
  importHome(file: string, passphrase: string): Promise<string>
}

let couplet: Couplet | undefined

const page: ClientPage = {
  async state() {
    try {
      return (await homeState()).kind
    } catch (error) {
      return (error as { code?: string }).code ?? String(error)
    }
  },
  async begin(phone, server) {
    await beginRegistration({ phone, server })
  },
  async complete(code) {
    await completeRegistration({ code })
  },
  async open() {
    couplet = await openCouplet()
    await couplet.connect()
  },
  async close() {
    await couplet?.close()
  },
  async send(to, text) {
    await couplet!.send(to, text)
  },
  async sendForEver(to) {
    // A few at a time: what is under way differs at every kill.
    for (let i = 1; ; i++) {
      const { sent } = await couplet!.send(to, `${i}`)
      if (i % 5 === 0) await sent
    }
  },
  async delivered(to, text) {
    const { delivered }: SentMessage = await couplet!.send(to, text)
    await delivered
  },
  settled: () => couplet!.settled(),
  async history(peer) {
    const messages = await couplet!.history(peer, { limit: 10_000 })
    return messages.map((message) => [
      message.text,
      message.direction === 'outgoing' ? message.state : 'received',
    ])
  },
  async exportHome(filePassphrase) {
    const { file, finish } = await exportToBlob({ filePassphrase })
    const bytes = new Uint8Array(await file.arrayBuffer())
    await finish()
    return toBase64Url(bytes)
  },
  async importHome(file, filePassphrase) {
    const { phone } = await importFromBlob(new Blob([fromBase64Url(file)]), { filePassphrase })
    return phone
  },
}

Object.assign(globalThis, { clientPage: page })
