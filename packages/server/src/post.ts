/**
 * One HTTP POST to somebody else's server: no redirects, a bounded answer, and, unless allowed, no
 * address that is private, so that a name cannot be made to point into our own network.
 */
import { lookup as lookUp } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'

export interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  readonly allowPrivate: boolean
}

export interface PostAnswer {
  readonly status: number
  readonly body: string
}

/** @throws whatever the network says; `PrivateAddressError`. */
export function post({
  url,
  headers,
  body,
  signal,
  allowPrivate,
}: PostRequest): Promise<PostAnswer> {
  const literal = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (!allowPrivate && isIP(literal) !== 0 && isPrivate(literal)) {
    return Promise.reject(new PrivateAddressError())
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      signal,
      ...(!allowPrivate && { lookup: publicOnly }),
    })
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (text.length > MAX_ANSWER_CHARACTERS)
          response.destroy(new Error('the answer is too long'))
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    request.end(body)
  })
}

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError'

  constructor() {
    super('the address is a private one; allow it if it is meant')
  }
}

/** Judges what a name resolves to at the moment of connecting: it cannot change in between. */
const publicOnly: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '', 0)
    if (addresses.some(({ address }) => isPrivate(address))) {
      return callback(new PrivateAddressError(), '', 0)
    }
    if (options.all) return callback(null, addresses)
    const [first] = addresses
    return callback(null, first!.address, first!.family)
  })
}

/** Not of the public internet: loopback, private, link-local, shared, multicast, reserved. */
export function isPrivate(address: string): boolean {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (mapped) return PRIVATE.check(mapped, 'ipv4')
  return PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

const PRIVATE = new BlockList()
for (const [network, length] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, length, 'ipv4')
}
for (const [network, length] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(network, length, 'ipv6')
}

const MAX_ANSWER_CHARACTERS = 65_536
