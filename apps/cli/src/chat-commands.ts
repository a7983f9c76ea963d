/** What can be typed in a conversation besides messages: a slash and a word. */
import type { Couplet, SafetyNumber } from '@couplet/client'
import type { PhoneNumber } from '@couplet/wire'
import type { Context } from './context.ts'
import { rowsOf } from './safety-number.ts'
import { capitalized, sentenceFor } from './sentences.ts'

export interface ChatCommands {
  readonly context: Context
  readonly couplet: Couplet
  readonly peer: PhoneNumber
  /** Says something to the user. */
  readonly notice: (text: string) => void
  /** More that help has to say. */
  readonly keys?: string
  /** The safety number that was shown last. */
  compared?: SafetyNumber
}

/** A command of the conversation. Says no when it is the one that ends it. */
export async function obey(chat: ChatCommands, command: string): Promise<boolean> {
  const { context, couplet, peer, notice } = chat
  try {
    switch (command) {
      case 'quit':
        return false
      case 'verify': {
        const number = await couplet.verify(peer)
        chat.compared = number
        const { digits, verified, keyChanged } = number
        const standing = keyChanged ? 'of a NEW key' : verified ? 'verified' : 'not verified yet'
        const next = keyChanged ? '/accept' : '/mark'
        notice(
          [
            `Safety number with ${peer}, ${standing}:`,
            ...rowsOf(digits).map((row) => `  ${row}`),
            ...(verified
              ? []
              : [`Compare it face to face or on a call; if it is the same: ${next}`]),
          ].join('\n'),
        )
        return true
      }
      case 'mark':
        if (!chat.compared) {
          notice('Nothing to mark: /verify shows the number to compare first.')
          return true
        }
        await couplet.markVerified(chat.compared)
        notice(`${peer} is marked as verified.`)
        return true
      case 'accept':
        await couplet.acceptKey(peer, await shownKey(chat))
        notice(`The new key is accepted; it is not verified yet (/verify).`)
        return true
      default:
        notice(chat.keys === undefined ? HELP : `${HELP}\n${chat.keys}`)
        return true
    }
  } catch (error) {
    notice(capitalized(sentenceFor(error, context)))
    return true
  }
}

/** The key that the user decides about: the one whose number was shown, or the one warned of. */
async function shownKey({ couplet, peer, compared }: ChatCommands): Promise<string> {
  if (compared) return compared.identityId
  const contact = (await couplet.contacts()).find(({ phone }) => phone === peer)
  return contact?.changedKey?.identityId ?? contact?.identityId ?? ''
}

const HELP = [
  'What you type is sent. Besides:',
  '/verify   show the safety number',
  '/mark     mark it as verified',
  '/accept   go on with a changed key',
  '/quit     end (or Ctrl-D)',
  '//…       a message that begins with /',
].join('\n')
