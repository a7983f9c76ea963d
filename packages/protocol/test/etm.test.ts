/** EtM: one error for every failure, the MAC first, no way to move a byte. (protocol.md, "Primitives") */
import { createCipheriv, createHmac } from 'node:crypto'
import { concatBytes } from '@couplet/wire'
import { describe, expect, test } from 'vitest'
import { ETM_OVERHEAD_BYTES, etmOpen, etmSeal } from '../src/etm.ts'
import { damaged } from './conversation.ts'
import { PROVIDERS, seededRandom } from './support.ts'

const random = seededRandom('etm')
const keys = random(64)
const iv = random(16)
const plaintext = random(37)
const associatedData = [random(5), random(11)]

describe.each(Object.entries(PROVIDERS))('%s', (_name, primitives) => {
  const sealed = etmSeal(primitives, { keys, iv, plaintext, associatedData })
  const open = (bytes: Uint8Array, ad: readonly Uint8Array[] = associatedData, by = keys) =>
    etmOpen(primitives, { keys: by, sealed: bytes, associatedData: ad })

  test('is IV ‖ C ‖ HMAC(km, len(AD) ‖ AD ‖ IV ‖ C), as computed by hand', () => {
    const cipher = createCipheriv('aes-256-cbc', keys.subarray(0, 32), iv)
    const body = Buffer.concat([iv, cipher.update(plaintext), cipher.final()])
    const mac = createHmac('sha256', keys.subarray(32))
    mac
      .update(Uint8Array.of(0, 0, 0, 16))
      .update(concatBytes(...associatedData))
      .update(body)
    expect(sealed).toEqual(new Uint8Array(Buffer.concat([body, mac.digest()])))
    expect(sealed.length).toBe(ETM_OVERHEAD_BYTES + 48)
  })

  test('opens to what was sealed, the associated data in whatever parts', () => {
    expect(open(sealed)).toEqual(plaintext)
    expect(open(sealed, [concatBytes(...associatedData)])).toEqual(plaintext)
  })

  test('a change of any bit gives nothing', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      expect(open(damaged(sealed, bit >> 3, 1 << (bit & 7)))).toBeUndefined()
    }
  })

  test('a truncated tag, or anything cut or added, gives nothing', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(open(sealed.subarray(0, length))).toBeUndefined()
      expect(open(sealed.subarray(sealed.length - length))).toBeUndefined()
    }
    expect(open(concatBytes(sealed, Uint8Array.of(0)))).toBeUndefined()
  })

  test('another key, associated data, or key order gives nothing', () => {
    for (let i = 32; i < 64; i++) {
      expect(open(sealed, associatedData, damaged(keys, i))).toBeUndefined()
    }
    const swapped = concatBytes(keys.subarray(32), keys.subarray(0, 32))
    expect(open(sealed, associatedData, swapped)).toBeUndefined()
    expect(open(sealed, [])).toBeUndefined()
    expect(open(sealed, associatedData.toReversed())).toBeUndefined()
    expect(open(sealed, [...associatedData, Uint8Array.of(0)])).toBeUndefined()
  })

  test('no byte can move between associated data and IV: its length is in the MAC', () => {
    const whole = concatBytes(...associatedData, sealed)
    for (const moved of [1, 15, 17, 32]) {
      expect(open(whole.subarray(moved), [whole.subarray(0, moved)])).toBeUndefined()
    }
    const longer = concatBytes(...associatedData, sealed.subarray(0, 16))
    expect(open(sealed.subarray(16), [longer])).toBeUndefined()
  })

  test('nothing is decrypted before the tag has been compared', () => {
    let decryptions = 0
    const counting = {
      ...primitives,
      aesCbcDecrypt: (...input: Parameters<typeof primitives.aesCbcDecrypt>) => {
        decryptions += 1
        return primitives.aesCbcDecrypt(...input)
      },
    }
    etmOpen(counting, { keys, sealed: damaged(sealed, 40), associatedData })
    expect(decryptions).toBe(0)
    etmOpen(counting, { keys, sealed, associatedData })
    expect(decryptions).toBe(1)
  })

  test('wrong padding behind a right tag gives nothing, as everything wrong does', () => {
    const bad = primitives.aesCbcEncrypt(keys.subarray(0, 32), iv, plaintext).subarray(0, 32)
    const body = concatBytes(iv, bad)
    const ad = concatBytes(...associatedData)
    const tag = primitives.hmacSha256(keys.subarray(32), Uint8Array.of(0, 0, 0, 16), ad, body)
    expect(open(concatBytes(body, tag))).toBeUndefined()
  })
})
