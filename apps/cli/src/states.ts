/** The delivery states in plain words. (docs/delivery-states.md) */
import type { DeliveryState, Failure, OutgoingMessage } from '@couplet/client'

/** As lists show it: `waiting for room`. */
export const STATE_WORDS: { readonly [state in DeliveryState]: string } = {
  pending: 'pending',
  sent: 'sent',
  delivered: 'delivered',
  'waiting-for-room': 'waiting for room',
  failed: 'not delivered',
}

/** What that means, as `couplet help states` says it. */
export const STATE_MEANINGS: { readonly [state in DeliveryState]: string } = {
  pending: 'the server does not have it yet; it goes out with the next command that connects',
  sent: 'the server has it; the other device has not proven yet that it does',
  delivered: 'the other device has proven that it has it',
  'waiting-for-room':
    'their mailbox was full (it holds two); it goes out again by itself when there is room',
  failed: 'it will not be sent; the reason is given',
}

export const STATE_MARKS: { readonly [state in DeliveryState]: string } = {
  pending: '…',
  sent: '✓',
  delivered: '✓✓',
  'waiting-for-room': '↻',
  failed: '✗',
}

const FAILURE_WORDS: { readonly [failure in Failure]: string } = {
  'unknown-recipient': 'nobody is registered under this number',
  'key-changed': 'their key changed; verify and decide',
  expired: 'its time was over',
}

/** `not delivered: their key changed; verify and decide`. */
export function stateWords(message: OutgoingMessage): string {
  const words = STATE_WORDS[message.state]
  return message.failure ? `${words}: ${FAILURE_WORDS[message.failure]}` : words
}

/** `2 sent, 1 waiting for room`; empty when there are none. */
export function countStates(messages: readonly OutgoingMessage[]): string {
  return (Object.keys(STATE_WORDS) as DeliveryState[])
    .map((state) => ({
      state,
      count: messages.filter((message) => message.state === state).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${STATE_WORDS[state]}`)
    .join(', ')
}
