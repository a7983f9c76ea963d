/**
 * The encrypted header of a message, by which its chain and its place are known. (spec/session.md, "Header")
 *
 *     header  type ‖ dhPub ‖ n ‖ flags ‖ [type ‖ ek] ‖ [ct]            eh = EtM(header keys, header)
 */
import {
  type Bytes,
  CURVE_KEY_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEY_TYPE,
  Reader,
  Writer,
} from '@couplet/wire'
import { KEM_CIPHERTEXT_BYTES } from './constants.ts'
import { ProtocolError } from './errors.ts'
import { etmOpen } from './etm.ts'
import { asProtocolError } from './identity.ts'
import { validateKemKey } from './key-validation.ts'
import type { Primitives } from './primitives.ts'
import type { SendingChain, Session } from './session.ts'

export interface Header {
  readonly ratchetKey: Uint8Array
  /** n */
  readonly number: number
  /** ek */
  readonly offer: Uint8Array | undefined
  /** ct */
  readonly ciphertext: Uint8Array | undefined
}

const OFFER_FLAG = 0x01
const CIPHERTEXT_FLAG = 0x02

export function encodeHeader(chain: SendingChain): Bytes {
  const offer = chain.announce ? chain.offer : undefined
  const ciphertext = chain.announce ? chain.ciphertext : undefined
  const writer = new Writer()
    .u8(KEY_TYPE.x25519)
    .bytes(chain.publicKey)
    .u32(chain.count)
    .u8((offer ? OFFER_FLAG : 0) | (ciphertext ? CIPHERTEXT_FLAG : 0))
  if (offer) writer.u8(KEY_TYPE.mlKem768).bytes(offer.key)
  if (ciphertext) writer.bytes(ciphertext)
  return writer.finish()
}

/** The header is authenticated by the time it is read; what is wrong with it, its peer made so. */
export function decodeHeader(encoded: Uint8Array): Header {
  const header = asProtocolError(() => {
    const reader = new Reader(encoded)
    const ratchetKey = reader.expect(KEY_TYPE.x25519, 'key type').bytes(CURVE_KEY_BYTES)
    const number = reader.u32()
    const flags = reader.u8()
    if (flags & ~(OFFER_FLAG | CIPHERTEXT_FLAG)) {
      throw new ProtocolError('malformed', 'unknown header flags')
    }
    const offer =
      flags & OFFER_FLAG
        ? reader.expect(KEY_TYPE.mlKem768, 'key type').bytes(KEM_PUBLIC_KEY_BYTES)
        : undefined
    const ciphertext = flags & CIPHERTEXT_FLAG ? reader.bytes(KEM_CIPHERTEXT_BYTES) : undefined
    reader.finish()
    return { ratchetKey, number, offer, ciphertext }
  })
  if (header.offer) validateKemKey(header.offer)
  return header
}

export type FoundChain =
  | { readonly kind: 'current' | 'next'; readonly header: Bytes }
  | { readonly kind: 'late' }
  | { readonly kind: 'foreign' }

/** Tries the header keys: of the current chain, of the next one, of those gone by. */
export function findChain(
  primitives: Primitives,
  session: Session,
  encryptedHeader: Uint8Array,
  ad: readonly Uint8Array[],
): FoundChain {
  const open = (keys: Uint8Array) =>
    etmOpen(primitives, { keys, sealed: encryptedHeader, associatedData: ad })
  const current = session.receiving && open(session.receiving.headerKey)
  if (current) return { kind: 'current', header: current }
  const next = open(session.nextReceivingHeaderKey)
  if (next) return { kind: 'next', header: next }
  const late = session.pastHeaderKeys.some((keys) => open(keys) !== undefined)
  return { kind: late ? 'late' : 'foreign' }
}
