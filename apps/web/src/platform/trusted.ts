/**
 * The one Trusted Types policy of this client. The server's policy lets no other exist, and lets no
 * plain text become a script, so nothing but these addresses ever does.
 */

interface Policy {
  createScriptURL(address: string): unknown
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): Policy
}

const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }

const policy = trustedTypes?.createPolicy('couplet', { createScriptURL: requireOwn })

/** The address of a script of ours, for `Worker` and `serviceWorker.register`. */
export function scriptAddress(address: string): unknown {
  return policy ? policy.createScriptURL(address) : requireOwn(address)
}

function requireOwn(address: string): string {
  const { origin, pathname } = new URL(address, location.origin)
  const isOurs = /^\/(?:assets\/[\w.-]+|service-worker)\.js$/.test(pathname)
  if (origin !== location.origin || !isOurs) throw new TypeError('this is no script of ours')
  return address
}
