/** The interfaces between the screens and the browser. Errors are `ClientError`s. */
import type { ClientPorts, Store } from '@couplet/client'

/** This browser's one home: the store with keys, sessions and messages. */
export interface WebHome {
  /** What is there, without opening it. */
  inspect(): Promise<HomeState>
  /**
   * Opens the home, or makes a new one.
   *
   * @throws {ClientError} `passphrase-required`, `wrong-passphrase`, `unreadable-home`.
   */
  open(passphrase?: string): Promise<OpenHome>
  /** Removes the home and everything in it from this browser. It must not be open. */
  remove(): Promise<void>
}

export type HomeState =
  /** Nobody has registered here. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'open' }
  | { readonly kind: 'passphrase' }
  /** Somebody has registered here, and the browser has deleted the keys since. */
  | { readonly kind: 'lost'; readonly phone: string }

export interface OpenHome {
  readonly store: Store
  /** Everything else that `requestCode`, `submitCode` and `openClient` want. */
  readonly ports: Omit<ClientPorts, 'store'>
  /** Remembers outside the store whose home this is, so that a loss can be told. */
  rememberOwner(phone: string): void
  /** Sets, changes or (`undefined`) takes away the passphrase. Absent: not possible here. */
  readonly changePassphrase?: (passphrase: string | undefined) => Promise<void>
}

/** At most one tab of a browser has the home open. */
export interface TabLock {
  /**
   * Resolves with `true` when this tab has the home, with `false` when another one does.
   *
   * @param onLost - called when another tab has taken over: stop using the home at once.
   */
  acquire(onLost: () => Promise<void>): Promise<boolean>
  /** Asks the other tab to let go, and resolves when this one has the home. */
  takeOver(onLost: () => Promise<void>): Promise<void>
}

export interface WebPlatform {
  readonly home: WebHome
  readonly tabLock: TabLock
}
