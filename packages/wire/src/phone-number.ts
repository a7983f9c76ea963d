/**
 * Phone numbers in E.164 form. Only the form is judged here; whether a number can exist in its
 * country is for the server to say.
 */
import { WireError } from './errors.ts'

/** `+` and 7 to 15 digits, the first not zero: +12025550101. */
export type PhoneNumber = string & { readonly __brand: 'PhoneNumber' }

/**
 * Takes a number as people write it: spaces, dots, hyphens and brackets are dropped, a leading 00
 * is not guessed at.
 *
 * @throws {WireError} `invalid-phone-number`.
 */
export function parsePhoneNumber(text: string): PhoneNumber {
  const compact = text.replace(/[\s().\-‐‑–]/g, '')
  if (!/^\+[1-9][0-9]{6,14}$/.test(compact)) {
    throw new WireError(
      'invalid-phone-number',
      'a phone number begins with + and the country code, like +12025550101',
    )
  }
  return compact as PhoneNumber
}

/** The number as an integer below 10^15: a fixed-width form, since the first digit is not zero. */
export function phoneNumberToInteger(phone: PhoneNumber): number {
  return Number(phone.slice(1))
}

/** @throws {WireError} `invalid-phone-number`. */
export function phoneNumberFromInteger(value: number): PhoneNumber {
  return parsePhoneNumber(`+${value}`)
}
