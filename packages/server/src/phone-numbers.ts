/** Whether a phone number can exist. */
import { type PhoneNumber, WireError } from '@couplet/wire'
import { parsePhoneNumberFromString } from 'libphonenumber-js/min'

/**
 * A number in exactly its E.164 form, of a length that its country has. Whether it is assigned is
 * not asked: ranges reserved for tests and fiction must pass.
 *
 * @throws {WireError} `invalid-phone-number`.
 */
export function possiblePhoneNumber(text: string): PhoneNumber {
  const parsed = parsePhoneNumberFromString(text)
  if (!parsed?.isPossible() || parsed.number !== text) {
    throw new WireError(
      'invalid-phone-number',
      'not a phone number that can exist: + and country code, then the number, like +12025550101',
    )
  }
  return text as PhoneNumber
}
