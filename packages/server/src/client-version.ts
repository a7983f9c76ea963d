/**
 * Which clients this server works with. Within one version of the wire format every client works
 * with every server; an operator, or a release that closes a hole, can ask for newer ones.
 * (docs/operations.md, "Versions")
 *
 * A client says what it is: in HTTP with the header `couplet-client: 1.2.3`, on the socket by
 * offering the subprotocol `couplet.client.1.2.3` beside `couplet.v1`. One that says nothing is
 * taken for old enough to be unknown, and is let in: it is not how anybody is kept out.
 */
import { CLIENT_SUBPROTOCOL_PREFIX, WireError } from '@couplet/wire'

export type Version = readonly [major: number, minor: number, patch: number]

/** `undefined` for what is no version. Suffixes like `-rc.1` do not count. */
export function parseVersion(text: string | undefined): Version | undefined {
  const match = /^([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?:-[0-9A-Za-z.-]{1,40})?$/.exec(
    text ?? '',
  )
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined
}

export function isOlder(a: Version, b: Version): boolean {
  const difference = a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
  return difference < 0
}

/** Of the client that offers these subprotocols. */
export function versionInSubprotocols(offered: readonly string[]): string | undefined {
  const found = offered.find((one) => one.startsWith(CLIENT_SUBPROTOCOL_PREFIX))
  return found?.slice(CLIENT_SUBPROTOCOL_PREFIX.length)
}

/** @throws {WireError} `client-too-old`. */
export function requireVersion(client: string | undefined, minimum: Version): void {
  const version = parseVersion(client)
  if (!version || !isOlder(version, minimum)) return
  throw new WireError(
    'client-too-old',
    `this server works with clients from version ${minimum.join('.')} on: update yours`,
  )
}
