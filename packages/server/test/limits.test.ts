/** Token buckets, and whom an address stands for. */
import type { WireError } from '@couplet/wire'
import { describe, expect, it } from 'vitest'
import { addressBlock } from '../src/addresses.ts'
import { TokenBuckets } from '../src/limits.ts'

describe('token buckets', () => {
  it('give a burst, then one at a time, and say how long to wait', () => {
    const buckets = new TokenBuckets({ burst: 3, periodMs: 30_000 })
    for (let time = 0; time < 3; time++) buckets.take('a', 0)
    buckets.take('b', 0)
    expect(() => buckets.take('a', 4000)).toThrow(
      expect.objectContaining({ code: 'rate-limited', details: { retryAfter: 6 } }) as WireError,
    )
    buckets.take('a', 10_000)
    expect(() => buckets.take('a', 10_000)).toThrow()
  })

  it('gain nothing from a clock that jumps back', () => {
    const buckets = new TokenBuckets({ burst: 1, periodMs: 1000 })
    buckets.take('a', 10_000)
    expect(() => buckets.take('a', 0)).toThrow()
    expect(() => buckets.take('a', 500)).toThrow()
    buckets.take('a', 1001)
  })

  it('fail closed when more keys come than can be remembered', () => {
    const buckets = new TokenBuckets({ burst: 1, periodMs: 1000 })
    for (let key = 0; key < 100_000; key++) buckets.take(String(key), 0)
    expect(() => buckets.take('one more', 0)).toThrow()
    buckets.take('one more', 1000)
  })
})

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('the address %s stands for %s', (address, block) => {
  expect(addressBlock(address)).toBe(block)
})
