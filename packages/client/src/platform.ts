/** What differs between Node and a browser besides store and transport. */
import type { ExchangePrivateKey, Primitives } from '@couplet/protocol'
import type { Bytes } from '@couplet/wire'
import type { Clock, Random } from './ports.ts'

export interface Platform {
  readonly primitives: Primitives
  readonly random: Random
  readonly clock: Clock
  /** The RSA private key in a form for the store, which encrypts it, and back. */
  exportExchangeKey(key: ExchangePrivateKey): Bytes
  importExchangeKey(exported: Uint8Array): Promise<ExchangePrivateKey>
  /** A home closes: what the primitives keep for their next use is to go at once. */
  readonly forgetKeys?: () => void
}
