/**
 * Where this server sends what browsers tell it to. An endpoint is a stranger's word: it must not
 * make the server speak to machines that only the server can reach. So: `https` only, no user names,
 * and addresses are judged when they are connected to, not when the name was looked up before.
 */
import { lookup as lookUpName } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { WireError } from '@couplet/wire'

export interface EndpointRules {
  /** Lets through `http` and private addresses: for tests. */
  readonly allowPrivate: boolean
}

/** @throws {WireError} `malformed`. */
export function requireEndpoint(text: string, { allowPrivate }: EndpointRules): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isProtocol = url?.protocol === 'https:' || (allowPrivate && url?.protocol === 'http:')
  if (!url || !isProtocol || url.username || url.password || text.length > MAX_ENDPOINT_LENGTH) {
    throw new WireError('malformed', 'endpoint: not an address of a push service')
  }
  if (!allowPrivate && isAddress(url.hostname) && !isPublic(withoutBrackets(url.hostname))) {
    throw new WireError('malformed', 'endpoint: not an address that everybody can reach')
  }
  return url
}

/**
 * Posts, and answers the status. Follows no redirects and reads no answer.
 *
 * @throws when there is none in time, or the address is not a public one.
 */
export function post(
  endpoint: URL,
  { allowPrivate }: EndpointRules,
  message: { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array },
): Promise<number> {
  const request = endpoint.protocol === 'http:' ? requestHttp : requestHttps
  return new Promise((resolve, reject) => {
    const outgoing = request(endpoint, {
      method: 'POST',
      headers: message.headers,
      ...(!allowPrivate && { lookup: lookUpPublic }),
      timeout: ANSWER_TIMEOUT_MS,
      // Connection, answer and all.
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    outgoing.on('response', (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    outgoing.on('error', reject)
    outgoing.end(message.body)
  })
}

/** Whether everybody can reach this address: not private, local, reserved, or such in disguise. */
export function isPublic(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && !NOT_PUBLIC.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

const lookUpPublic: LookupFunction = (hostname, options, done) => {
  lookUpName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, '')
    const first = addresses.find(({ address }) => isPublic(address))
    // One private address among public ones is reason enough to keep away.
    if (!first || !addresses.every(({ address }) => isPublic(address))) {
      return done(new Error('not an address that everybody can reach'), '')
    }
    if (options.all) done(null, addresses)
    else done(null, first.address, first.family)
  })
}

function isAddress(hostname: string): boolean {
  return isIP(withoutBrackets(hostname)) !== 0
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}

function notPublic(): BlockList {
  const list = new BlockList()
  for (const [address, prefix] of NOT_PUBLIC_IPV4) {
    list.addSubnet(address, prefix, 'ipv4')
    // The same in IPv6's clothes: mapped, translated (NAT64) and 6to4.
    list.addSubnet(`::ffff:${address}`, 96 + prefix, 'ipv6')
    list.addSubnet(`64:ff9b::${address}`, 96 + prefix, 'ipv6')
  }
  for (const [address, prefix] of NOT_PUBLIC_IPV6) list.addSubnet(address, prefix, 'ipv6')
  return list
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast. */
const NOT_PUBLIC_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
/** https://www.iana.org/assignments/iana-ipv6-special-registry: all but what is given out. */
const NOT_PUBLIC_IPV6: readonly (readonly [string, number])[] = [
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 8],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['4000::', 2],
  ['8000::', 1],
]
const NOT_PUBLIC = notPublic()
const MAX_ENDPOINT_LENGTH = 1024
const ANSWER_TIMEOUT_MS = 10_000
