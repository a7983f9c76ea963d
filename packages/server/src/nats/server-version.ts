/** Which nats-server it is. */

/** Versions like `2.9` and `2.10.27`, by their first two numbers. */
export function isOlder(version: string, than: string): boolean {
  const [[major = 0, minor = 0], [least = 0, leastMinor = 0]] = [version, than].map((one) =>
    one.split('.').map(Number),
  ) as [number[], number[]]
  return major < least || (major === least && minor < leastMinor)
}
