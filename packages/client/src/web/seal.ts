/**
 * Records of a browser's store as they lie in IndexedDB: the form of the Node store (spec of
 * sqlite-store.ts), by WebCrypto.
 *
 *     partition = HMAC-SHA-256(indexKey, u16 length || collection || name)
 *     value     = nonce || AES-256-GCM(valueKey, nonce, aad, u16 length || name || record)
 *     aad       = partition || float64 position || collection
 *
 * Both keys are `CryptoKey`s that nothing can read out again.
 */
import { type Bytes, utf8, wipe } from '@couplet/wire'
import { ClientError } from '../errors.ts'
import { splitName, withName } from '../record-codec.ts'

/** Neither is extractable. */
export interface StorageKeys {
  /** HMAC with SHA-256. */
  readonly indexKey: CryptoKey
  /** AES-GCM, 256 bits. */
  readonly valueKey: CryptoKey
}

/** Where a record is, as the database knows it. */
export interface Place {
  readonly collection: string
  /** The hidden name of its partition, 32 bytes. */
  readonly hidden: Bytes
  readonly position: number
}

export class Seal {
  readonly #keys: StorageKeys

  constructor(keys: StorageKeys) {
    this.#keys = keys
  }

  /** The name of a partition on disk. */
  async hide(collection: string, partition: string): Promise<Bytes> {
    const name = utf8(collection)
    const rest = utf8(partition)
    const message = new Uint8Array(2 + name.length + rest.length)
    message.set([name.length >>> 8, name.length & 0xff])
    message.set(name, 2)
    message.set(rest, 2 + name.length)
    return new Uint8Array(await crypto.subtle.sign('HMAC', this.#keys.indexKey, message))
  }

  async seal(place: Place, name: string, record: Uint8Array): Promise<Bytes> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    const plaintext = withName(name, record)
    try {
      const ciphertext = await crypto.subtle.encrypt(
        algorithm(place, nonce),
        this.#keys.valueKey,
        plaintext,
      )
      const sealed = new Uint8Array(NONCE_BYTES + ciphertext.byteLength)
      sealed.set(nonce)
      sealed.set(new Uint8Array(ciphertext), NONCE_BYTES)
      return sealed
    } finally {
      wipe(plaintext)
    }
  }

  /** @throws {ClientError} `unreadable-home` unless it was sealed for this place with this key. */
  async open(place: Place, sealed: Bytes): Promise<{ name: string; record: Uint8Array }> {
    try {
      const plaintext = await crypto.subtle.decrypt(
        algorithm(place, sealed.subarray(0, NONCE_BYTES)),
        this.#keys.valueKey,
        sealed.subarray(NONCE_BYTES),
      )
      return splitName(new Uint8Array(plaintext))
    } catch (error) {
      throw new ClientError('unreadable-home', 'a record of this home is damaged', {
        cause: error,
      })
    }
  }
}

function algorithm(place: Place, iv: Bytes): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: associatedData(place) }
}

/** Fixed widths first: no two places have the same bytes. */
function associatedData(place: Place): Bytes {
  const collection = utf8(place.collection)
  const aad = new Uint8Array(HIDDEN_BYTES + 8 + collection.length)
  aad.set(place.hidden)
  // The addition makes minus zero zero, like IndexedDB.
  new DataView(aad.buffer).setFloat64(HIDDEN_BYTES, place.position + 0)
  aad.set(collection, HIDDEN_BYTES + 8)
  return aad
}

const NONCE_BYTES = 12
const HIDDEN_BYTES = 32
