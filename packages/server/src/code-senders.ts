/** All code senders, by what the configuration calls them. Libraries are loaded only when chosen. */
import { consoleCodeSender, fileCodeSender } from './code-sender.ts'
import type { SmppOptions } from './code-smpp.ts'
import type { SmtpOptions } from './code-smtp.ts'
import { type CodeTransport, sturdyCodeSender } from './code-transport.ts'
import type { TwilioOptions } from './code-twilio.ts'
import type { WebhookOptions } from './code-webhook.ts'
import type { Clock, CodeSender } from './ports.ts'

export type CodeSenderChoice =
  | { readonly kind: 'console' }
  | { readonly kind: 'file'; readonly path: string }
  | ({ readonly kind: 'webhook' } & WebhookOptions)
  | ({ readonly kind: 'smtp' } & SmtpOptions)
  | ({ readonly kind: 'twilio' } & TwilioOptions)
  | ({ readonly kind: 'smpp' } & SmppOptions)

export async function makeCodeSender(
  choice: CodeSenderChoice,
  options: {
    readonly clock: Clock
    /** For `console`. */
    readonly write: (text: string) => void
    /** What the person reads, with `{code}` in it. */
    readonly text?: string | undefined
  },
): Promise<CodeSender> {
  if (choice.kind === 'console') return consoleCodeSender(options.write)
  if (choice.kind === 'file') return fileCodeSender(choice.path, options.clock)
  return sturdyCodeSender(await transportOf(choice), { text: options.text })
}

async function transportOf(
  choice: Exclude<CodeSenderChoice, { readonly kind: 'console' | 'file' }>,
): Promise<CodeTransport> {
  switch (choice.kind) {
    case 'webhook':
      return (await import('./code-webhook.ts')).webhookTransport(choice)
    case 'smtp':
      return (await import('./code-smtp.ts')).smtpTransport(choice)
    case 'twilio':
      return (await import('./code-twilio.ts')).twilioTransport(choice)
    case 'smpp':
      return (await import('./code-smpp.ts')).smppTransport(choice)
  }
}
