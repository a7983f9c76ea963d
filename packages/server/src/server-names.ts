/**
 * Names by which a client may call this server. They are part of what it signs, so that a
 * signature made for one server is worth nothing at another. (wire's authentication.ts)
 */
import type { ServerName } from '@couplet/wire'

/** From the request's Host header to the names that a signature may have been made for. */
export type ServerNames = (host: string | undefined) => readonly ServerName[]

/**
 * @param publicNames - host and port as in the URLs that clients use. Without any, the Host header
 *   is believed, which is right on one's own machine and behind nothing.
 */
export function serverNames(publicNames: readonly string[]): ServerNames {
  const names = publicNames.map((name) => name.toLowerCase())
  return (host) => {
    if (names.length > 0) return names
    return host && HOST.test(host) ? [host.toLowerCase()] : []
  }
}

/** A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. */
export const HOST: RegExp = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i
