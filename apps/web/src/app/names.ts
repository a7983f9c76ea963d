/** How somebody is called: by the name on this device, or by the number, written as people do. */
import { useMessenger } from './messenger.ts'
import { usePhones } from './phones.ts'

export interface Called {
  /** Name, or formatted number. */
  readonly name: string
  /** Only when there is one. */
  readonly given: string | undefined
  readonly number: string
}

export function useCalled(phone: string): Called {
  const given = useMessenger((state) => state.people[phone]?.name) || undefined
  const number = usePhones().format(phone)
  // Isolated, so that a name in another direction does not turn a sentence around.
  return { name: given ?? `\u2066${number}\u2069`, given, number }
}
