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
        notice(await accept(chat))
        return true
      case 'block':
        await couplet.block(peer)
        notice(
          `${peer} is blocked: nothing from there is shown, and no receipt goes there. /unblock takes it back.`,
        )
        return true
      case 'unblock':
        await couplet.block(peer, false)
        notice(`${peer} is not blocked any more.`)
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

/** What waits for a decision: a stranger who wrote, or a changed key. */
async function accept(chat: ChatCommands): Promise<string> {
  const { couplet, peer } = chat
  const contact = (await couplet.contacts()).find(({ phone }) => phone === peer)
  if (contact && !contact.accepted && !contact.changedKey) {
    await couplet.accept(peer)
    return `${peer} is accepted: your receipts go there from now on.`
  }
  await couplet.acceptKey(peer, await shownKey(chat))
  return contact?.changedKey || contact?.sessionReplaced
    ? 'The new key is accepted; it is not verified yet (/verify).'
    : 'You go on with the key that is known here; it has not changed.'
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
  '/accept   take somebody in who wrote first, or go on with a changed key',
  '/block    hear no more from here; /unblock takes it back',
  '/quit     end (or Ctrl-D)',
  '//…       a message that begins with /',
].join('\n')
