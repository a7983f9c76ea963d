/**
 * What a conversation needs from whatever shows it. Views know nothing of the SDK's workings, and
 * `conversation.ts` knows nothing of screens: another view is another file.
 */
import type { Contact, IncomingMessage, OutgoingMessage, Warning } from '@couplet/client'

export type ChatMessage = IncomingMessage | OutgoingMessage

export interface ChatView {
  /** What the user enters, until there is no more. */
  readonly entries: AsyncIterable<string>
  /** The end of the conversation so far, oldest first. Gives the ids of what it has shown. */
  history(messages: readonly ChatMessage[]): Promise<ReadonlySet<string>>
  /** Shows a message. It counts as seen when this resolves. */
  incoming(message: IncomingMessage): Promise<void>
  /** A message of ours went out to the outbox, or changed its state. */
  outgoing(message: OutgoingMessage): void
  online(online: boolean): void
  warning(warning: Warning): void
  /** A text that was not sent: the key changed, and the user has to decide first. */
  refused(text: string, contact: Contact | undefined): void
  /** Anything else there is to say. */
  notice(sentence: string): void
  close(): void
}
