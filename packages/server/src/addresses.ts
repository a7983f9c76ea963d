/** Network addresses as limits see them, and whose address a request is from. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/**
 * Whom a limit means by an address: an IPv4 network of /24, or an IPv6 network of /48. That is what
 * somebody with a few machines, or a provider's customer, usually has.
 *
 * @param address - as a socket gives it.
 */
export function addressBlock(address: string): string {
  const plain = plainAddress(address)
  if (!plain.includes(':')) return `${plain.split('.').slice(0, 3).join('.')}.0/24`
  return `${groupsOf(plain).slice(0, 3).join(':')}::/48`
}

/** What one machine has: its IPv4 address, or an IPv6 network of /64. */
export function machineAddress(address: string): string {
  const plain = plainAddress(address)
  return plain.includes(':') ? `${groupsOf(plain).slice(0, 4).join(':')}::/64` : plain
}

/** Proxies that are believed when they say for whom they ask. */
export interface TrustedProxies {
  /** Whether none is trusted. */
  readonly none: boolean
  has(address: string): boolean
}

/**
 * @param list - addresses, networks like 10.0.0.0/8, or `loopback`.
 * @throws {RangeError} naming what is none of these.
 */
export function trustedProxies(list: readonly string[]): TrustedProxies {
  const blocks = new BlockList()
  for (const entry of list.flatMap((one) => (one === 'loopback' ? LOOPBACK : [one]))) {
    const [address = '', length, ...more] = entry.split('/')
    const version = isIP(address)
    const bits = version === 4 ? 32 : 128
    const prefix = length === undefined ? bits : /^[0-9]{1,3}$/.test(length) ? Number(length) : -1
    if (version === 0 || prefix < 0 || prefix > bits || more.length > 0) {
      throw new RangeError(`${entry} is no address, network or "loopback"`)
    }
    blocks.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    none: list.length === 0,
    has(address) {
      const plain = plainAddress(address)
      const version = isIP(plain)
      return version !== 0 && blocks.check(plain, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

/**
 * The address of whoever asks. The header `X-Forwarded-For` is read from its end, and only as far
 * as those who wrote it are trusted.
 */
export function clientAddress(request: IncomingMessage, proxies: TrustedProxies): string {
  let address = request.socket.remoteAddress ?? ''
  const header = request.headers['x-forwarded-for']
  const claimed = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',')
  while (claimed.length > 0 && proxies.has(address)) {
    const next = withoutPort(claimed.pop()!.trim())
    if (isIP(plainAddress(next)) === 0) break
    address = next
  }
  return address
}

/** Whether a proxy says for whom it asks, whether it is believed or not. */
export function isForwarded({ headers }: IncomingMessage): boolean {
  return headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
}

/** IPv4 in IPv6 is IPv4; a zone says nothing about the other side. */
function plainAddress(address: string): string {
  return /^::ffff:([0-9.]+)$/i.exec(address)?.[1] ?? address.replace(/%.*$/, '')
}

/** All eight. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter(Boolean)
  const after = tail.split(':').filter(Boolean)
  const zeros = address.includes('::') ? 8 - before.length - after.length : 0
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
}

function withoutPort(text: string): string {
  return (
    /^\[([0-9a-f:.]+)\](?::[0-9]+)?$/i.exec(text)?.[1] ?? text.replace(/^([0-9.]+):[0-9]+$/, '$1')
  )
}

const LOOPBACK = ['127.0.0.0/8', '::1/128']
