/** Token buckets, and whom an address stands for. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { WireError } from '@couplet/wire'
import { describe, expect, it } from 'vitest'
import { addressBlock, clientAddress, machineAddress, trustedProxies } from '../src/addresses.ts'
import { TRY_DELAYS_MS } from '../src/code-tries.ts'
import { ConnectionLimits } from '../src/connection-limits.ts'
import { DEFAULT_LIMITS, NO_LIMITS, TokenBuckets } from '../src/limits.ts'
import { CODE_DELAYS_MS } from '../src/registration-limits.ts'
import { SendLimits } from '../src/send-limits.ts'

describe('token buckets', () => {
  it('give a burst, then one at a time, and say how long to wait', () => {
    const buckets = new TokenBuckets('lookups', { burst: 3, periodMs: 30_000 })
    for (let time = 0; time < 3; time++) buckets.take('a', 0)
    buckets.take('b', 0)
    expect(() => buckets.take('a', 4000)).toThrow(
      expect.objectContaining({ code: 'rate-limited', details: { retryAfter: 6 } }) as WireError,
    )
    buckets.take('a', 10_000)
    expect(() => buckets.take('a', 10_000)).toThrow()
  })

  it('gain nothing from a clock that jumps back', () => {
    const buckets = new TokenBuckets('lookups', { burst: 1, periodMs: 1000 })
    buckets.take('a', 10_000)
    expect(() => buckets.take('a', 0)).toThrow()
    expect(() => buckets.take('a', 500)).toThrow()
    buckets.take('a', 1001)
  })

  it('fail closed when more keys come than can be remembered', () => {
    const buckets = new TokenBuckets('lookups', { burst: 1, periodMs: 1000 })
    for (let key = 0; key < 100_000; key++) buckets.take(String(key), 0)
    expect(() => buckets.take('one more', 0)).toThrow()
    buckets.take('one more', 1000)
  })
})

describe('the defaults', () => {
  it('are those of spec/http-api.md, all of them', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../spec/http-api.md'), 'utf8')
    const rows = [
      ...page.matchAll(/^\| `(\w+)`[^|]*\|[^|]*\| ([\d,]+)(?: in an? (minute|hour|day))?/gm),
    ]
    const listed = rows.map(([, name, burst, unit]) => {
      const count = Number(burst!.replaceAll(',', ''))
      return [name, unit ? { burst: count, periodMs: PERIODS_MS[unit] } : count]
    })
    const { codeDelays: _, ...limits } = DEFAULT_LIMITS
    expect(Object.fromEntries(listed)).toEqual(limits)
    expect(page).toContain(
      `${seconds(CODE_DELAYS_MS.slice(0, -1))}, then ${seconds(CODE_DELAYS_MS.slice(-1))} seconds`,
    )
    const [last, ...others] = TRY_DELAYS_MS.toReversed()
    expect(page.replaceAll('\n', ' ')).toContain(
      `waits ${seconds(others.toReversed())} and ${seconds([last!])} seconds`,
    )
  })
})

describe('sends', () => {
  it('of one account: 60 at once, then one a second', () => {
    const limits = new SendLimits({ ...NO_LIMITS, sends: DEFAULT_LIMITS.sends }, () => {})
    for (let count = 0; count < 60; count++) send(limits, 'ana', `r${count}`, 0)
    const refused = expect.objectContaining({ code: 'rate-limited', details: { retryAfter: 1 } })
    expect(() => send(limits, 'ana', 'ben', 0)).toThrow(refused as WireError)
    send(limits, 'cyd', 'ben', 0)
    send(limits, 'ana', 'ben', 1000)
    expect(() => send(limits, 'ana', 'ben', 1000)).toThrow(refused as WireError)
  })

  it('of strangers to one account, however many they are; not of those it has written to', () => {
    const hit: string[] = []
    const { strangerSends } = DEFAULT_LIMITS
    const limits = new SendLimits({ ...NO_LIMITS, strangerSends }, (name) => hit.push(name))
    send(limits, 'ben', 'ana', 0)
    for (let count = 0; count < 60; count++) send(limits, `stranger ${count}`, 'ben', 0)
    expect(() => send(limits, 'one more', 'ben', 0)).toThrow()
    expect(hit).toEqual(['strangerSends'])
    for (let count = 0; count < 500; count++) send(limits, 'ana', 'ben', 0)
    send(limits, 'one more', 'cyd', 0)
  })

  it('of one stranger to one account: it leaves as many to all others, however long it goes on', () => {
    const hit: string[] = []
    const { strangerSends, strangerSendsFromOne } = DEFAULT_LIMITS
    const some = { ...NO_LIMITS, strangerSends, strangerSendsFromOne }
    const limits = new SendLimits(some, (name) => hit.push(name))
    const tries = (now: number): number => {
      let taken = 0
      for (let count = 0; count < 100; count++) {
        try {
          send(limits, 'mallory', 'ben', now)
          taken++
        } catch {}
      }
      return taken
    }
    expect(tries(0)).toBe(30)
    expect(tries(60_000)).toBe(30)
    expect(new Set(hit)).toEqual(new Set(['strangerSendsFromOne']))
    for (let count = 0; count < 30; count++) send(limits, `stranger ${count}`, 'ben', 60_000)
    send(limits, 'mallory', 'cyd', 60_000)
  })

  it('of no stranger, when another process knows better', () => {
    const { strangerSends } = DEFAULT_LIMITS
    const limits = new SendLimits({ ...NO_LIMITS, strangerSends }, () => {})
    const [ana, ben] = [() => 'ana', () => 'ben']
    for (let count = 0; count < 60; count++) send(limits, `stranger ${count}`, 'ben', 0)
    expect(() => limits.takeFor('ben', ana, false, 0)).toThrow()
    limits.takeFor('ben', ana, true, 0)
    limits.wrote(ben, 'ana')
    limits.takeFor('ben', ana, false, 0)
  })

  it('without limits, whatever comes', () => {
    const limits = new SendLimits(NO_LIMITS, () => {})
    for (let count = 0; count < 10_000; count++) send(limits, 'ana', 'ben', 0)
  })
})

describe('connections', () => {
  it('from one address block, and in all; a closed one makes room, once', () => {
    const limits = new ConnectionLimits(
      { ...NO_LIMITS, connectionsPerAddress: 2, connections: 3 },
      () => {},
    )
    const first = limits.take('192.0.2.1')
    limits.take('192.0.2.200')
    expect(() => limits.take('192.0.2.7')).toThrow(/too often/)
    limits.take('198.51.100.1')
    expect(() => limits.take('203.0.113.1')).toThrow(/too often/)
    first()
    first()
    expect(limits.open).toBe(2)
    limits.take('192.0.2.7')
    expect(() => limits.take('192.0.2.8')).toThrow(/too often/)
  })
})

it.each([
  ['127.0.0.1', '127.0.0.0/24', '127.0.0.1'],
  ['::ffff:192.0.2.7', '192.0.2.0/24', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1::/48', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0::/48', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0::/48', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0::/48', '0:0:0:0::/64'],
])('the address %s is of the block %s and of the machine %s', (address, block, machine) => {
  expect(addressBlock(address)).toBe(block)
  expect(machineAddress(address)).toBe(machine)
})

describe('behind proxies', () => {
  const proxies = trustedProxies(['loopback', '10.0.0.0/8', '2001:db8::/32'])

  it.each([
    ['nobody is between', '192.0.2.1', undefined, '192.0.2.1'],
    ['a stranger claims to be a proxy', '192.0.2.1', '198.51.100.1', '192.0.2.1'],
    ['one proxy', '127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['one proxy over IPv6', '::1', '2001:db9::7', '2001:db9::7'],
    ['one proxy, mapped', '::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['two proxies', '127.0.0.1', '198.51.100.1, 10.1.2.3', '198.51.100.1'],
    [
      'what the client wrote before is not believed',
      '127.0.0.1',
      '6.6.6.6, 198.51.100.1',
      '198.51.100.1',
    ],
    ['a port behind the address', '127.0.0.1', '198.51.100.1:5000', '198.51.100.1'],
    ['brackets', '127.0.0.1', '[2001:db9::7]:443', '2001:db9::7'],
    ['nonsense', '127.0.0.1', 'unknown', '127.0.0.1'],
    ['nothing', '127.0.0.1', '', '127.0.0.1'],
  ])('%s', (_what, remote, forwarded, client) => {
    expect(clientAddress(asking(remote, forwarded), proxies)).toBe(client)
  })

  it.each(['10.0.0.0/33', 'example.com', '10.0.0.1/8/9', '', '10.0.0.0/x'])(
    'refuses %j',
    (entry) => {
      expect(() => trustedProxies([entry])).toThrow(RangeError)
    },
  )
})

/** One envelope, where one process has both. */
function send(limits: SendLimits, sender: string, recipient: string, now: number): void {
  limits.takeFrom(() => sender, now)
  limits.takeFor(recipient, () => sender, false, now)
  limits.wrote(() => sender, recipient)
}

function asking(remoteAddress: string, forwarded?: string): IncomingMessage {
  return {
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage
}

function seconds(times: readonly number[]): string {
  return times.map((ms) => ms / 1000).join(', ')
}

const PERIODS_MS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
}
