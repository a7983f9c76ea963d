/** What the SDK warns of, as sentences. */
import type { Couplet, Warning } from '@couplet/client'
import { type Context, pasteable } from './context.ts'

export function onWarnings(context: Context, couplet: Couplet): void {
  couplet.on('warning', (warning) => {
    context.terminal.warn(warning.kind, warningSentence(context, warning))
  })
}

export function warningSentence(context: Context, { kind, contact }: Warning): string {
  const verify = pasteable(context, `verify ${contact.phone}`)
  switch (kind) {
    case 'key-changed':
      return `${contact.phone} has a new key: a new phone, or somebody in between. Verify before you go on (${verify}), then: ${pasteable(context, `contacts accept ${contact.phone}`)}`
    case 'session-replaced':
      return `the encrypted session with ${contact.phone} began anew, under the same key, without proof of the old one (their data may have been restored). If that surprises you: ${verify}`
    case 'number-changed':
      return `${contact.formerPhone} is ${contact.phone} now: a new number, with the same keys.${contact.verified ? ' It is still verified.' : ''}`
  }
}
