/**
 * The codes that people show each other. Of a contact: who shows it, and whom they have the keys of
 * (spec/safety-number.md). Of oneself: a link with number and key, which any camera can open; what
 * stands behind its `#` is never sent to a server.
 */
import type { Couplet, SafetyNumber } from '@couplet/client'
import { decodeVerificationCode } from '@couplet/protocol'
import { type PhoneNumber, parsePhoneNumber, toHex } from '@couplet/wire'

export type ScannedCode =
  | { readonly kind: 'verification'; readonly bytes: Uint8Array; readonly phone: string }
  | {
      readonly kind: 'contact'
      readonly phone: PhoneNumber
      readonly identityId: string
      readonly server: string
    }
  | { readonly kind: 'unknown' }

/**
 * Whether what a contact showed proves that each has the other's true keys: of the identity that is
 * compared, which may be a new one that nobody has accepted yet.
 */
export function codeMatches(own: Couplet, compared: SafetyNumber, bytes: Uint8Array): boolean {
  const { phone, identityId, contactId } = decodeVerificationCode(bytes)
  const isTheirs = toHex(identityId) === compared.identityId && phone === compared.phone
  return isTheirs && toHex(contactId) === own.identityId
}

/** What one shows to somebody who is no contact yet. */
export function contactLink({ server, phone, identityId }: Couplet): string {
  return `${server}/#add=${phone.slice(1)}.${identityId}`
}

export function readCode({
  text,
  bytes,
}: {
  readonly text: string
  readonly bytes?: Uint8Array
}): ScannedCode {
  const link = readLink(text)
  if (link) return link
  try {
    if (bytes) return { kind: 'verification', bytes, phone: decodeVerificationCode(bytes).phone }
  } catch {
    // Something else's code.
  }
  return { kind: 'unknown' }
}

function readLink(text: string): ScannedCode | undefined {
  const trimmed = text.trim()
  if (!URL.canParse(trimmed)) return undefined
  const { origin, hash } = new URL(trimmed)
  const [, digits, identityId] = /^#add=(\d{7,15})\.([0-9a-f]{64})$/.exec(hash) ?? []
  if (!digits || !identityId) return undefined
  try {
    return { kind: 'contact', phone: parsePhoneNumber(`+${digits}`), identityId, server: origin }
  } catch {
    return undefined
  }
}
