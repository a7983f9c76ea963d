/** What the files of vectors are made with: their form, damaged bytes, and bad keys. */
import { fromHex } from './spec-vectors.reference.ts'
import type { Plain } from './spec-vectors.story.ts'

export interface Suite {
  readonly description: string
  /** What each field of a vector holds. */
  readonly fields: Readonly<Record<string, string>>
  readonly vectors: readonly Plain[]
  /** Events before the vectors: messages.json only. */
  readonly setup?: Plain
}

export type Suites = Readonly<Record<string, Suite>>

export const RESULT = '`valid`, or the code of the error'

export const changed = (bytes: Uint8Array, at: number, value: number | Uint8Array): Buffer => {
  const copy = Buffer.from(bytes)
  copy.set(typeof value === 'number' ? [value] : value, at)
  return copy
}
export const flipped = (bytes: Uint8Array, at: number): Buffer =>
  changed(bytes, at, bytes.at(at)! ^ 1)
export const littleEndian = (value: bigint): Buffer =>
  Buffer.from(fromHex(value.toString(16).padStart(64, '0')).toReversed())

export const P = 2n ** 255n - 19n
export const CURVE_FLAWS: readonly (readonly [string, Buffer])[] = [
  ['zero', littleEndian(0n)],
  ['one', littleEndian(1n)],
  ['order 8', fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800')],
  [
    'order 8, the other',
    fromHex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
  ],
  ['p - 1', littleEndian(P - 1n)],
  ['p', littleEndian(P)],
  ['p + 2, which is 2', littleEndian(P + 2n)],
  ['2^255 - 1', littleEndian(2n ** 255n - 1n)],
]
export const SIGNING_FLAWS: readonly (readonly [string, Buffer])[] = [
  ['identity', littleEndian(1n)],
  ['identity with the sign bit', littleEndian(1n + 2n ** 255n)],
  ['order 2', littleEndian(P - 1n)],
  ['order 4', littleEndian(0n)],
  ['order 4, the other', littleEndian(2n ** 255n)],
  ['order 8', fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')],
  [
    'order 8, negative',
    fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'),
  ],
  [
    'order 8, the third',
    fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
  ],
  [
    'order 8, the fourth',
    fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'),
  ],
  ['y = p', littleEndian(P)],
  ['y = p + 1', littleEndian(P + 1n)],
]
