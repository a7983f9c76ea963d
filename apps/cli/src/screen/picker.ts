/** Whom the list of conversations offers. Pure. */
import type { Conversation, MessageRequest } from '@couplet/client'
import { type PhoneNumber, parsePhoneNumber } from '@couplet/wire'
import type { Choice, Picker } from './frame.ts'

/** People whose number has these digits, who ask to write first; a new one, when it is a whole number. */
export function choicesOf(
  conversations: readonly Conversation[],
  requests: readonly MessageRequest[],
  filter: string,
): readonly Choice[] {
  const choices: Choice[] = [
    ...requests.map((request) => ({
      phone: request.contact.phone,
      conversation: undefined,
      request,
    })),
    ...conversations.map((conversation) => ({ phone: conversation.contact.phone, conversation })),
  ].filter(({ phone }) => phone.includes(filter))
  const typed = phoneNumberOf(filter)
  if (typed && !choices.some(({ phone }) => phone === typed)) {
    choices.push({ phone: typed, conversation: undefined })
  }
  return choices
}

/** The same list with what is new in it; the same conversation stays chosen. */
export function updated(picker: Picker, choices: readonly Choice[]): Picker {
  const phone = picker.choices[picker.chosen]?.phone
  const chosen = Math.max(
    0,
    choices.findIndex((choice) => choice.phone === phone),
  )
  return { ...picker, choices, chosen }
}

function phoneNumberOf(text: string): PhoneNumber | undefined {
  try {
    return parsePhoneNumber(text)
  } catch {
    return undefined
  }
}
