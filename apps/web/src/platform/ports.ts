/** The interfaces between the screens and the browser. Errors are `ClientError`s. */
import type { Couplet, PendingRegistration, Registered } from '@couplet/client'
import type { NotificationWords } from './notification-words.ts'

/** What this browser has. */
export type HomeState =
  /** Nothing, and there never was anything. */
  | { readonly kind: 'new' }
  /** A passphrase must be asked for before more can be said. */
  | { readonly kind: 'locked' }
  /** A code was asked for. */
  | ({ readonly kind: 'registering' } & PendingRegistration)
  | { readonly kind: 'registered'; readonly protection: 'passphrase' | 'none' }
  /** There was an identity, and the browser has thrown its storage away. */
  | { readonly kind: 'lost'; readonly phone: string; readonly server: string }
  /** The account was moved to another device. */
  | { readonly kind: 'moved' }
  /** It was about to be when the page was closed. */
  | { readonly kind: 'export-unfinished' }

export interface Unlock {
  readonly passphrase?: string | undefined
}

/** This browser's one home: the store with keys, sessions and messages. */
export interface HomeAccess {
  homeState(settings?: Unlock): Promise<HomeState>
  beginRegistration(
    settings: Unlock & { readonly phone: string; readonly invitation?: string | undefined },
  ): Promise<PendingRegistration>
  /** @throws {ClientError} `registration-locked`: the number has a PIN, and `pin` is not it. */
  completeRegistration(
    settings: Unlock & { readonly code: string; readonly pin?: string | undefined },
  ): Promise<Registered>
  /** A code for another number. The home must not be open. */
  beginNumberChange(
    settings: Unlock & { readonly phone: string; readonly invitation?: string | undefined },
  ): Promise<PendingRegistration>
  /** From now on the home has that number. It must not be open. @throws as the one above. */
  finishNumberChange(
    settings: Unlock & { readonly code: string; readonly pin?: string | undefined },
  ): Promise<Registered>
  openCouplet(settings?: Unlock): Promise<Couplet>
  /** Removes the home and everything in it from this browser. It must not be open. */
  forgetHome(): Promise<void>
  /** Asks the browser to keep what this site stores. */
  requestPersistence(): Promise<boolean>
  /** Sets, changes or (`undefined`) takes away the passphrase. The home must not be open. */
  readonly changePassphrase?: (
    settings: Unlock & { readonly newPassphrase: string | undefined },
  ) => Promise<void>
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

/** A home as an encrypted file. The home must not be open. */
export interface Moving {
  /** Retires the home: from now on it is either finished or taken back. */
  exportHome(settings: Unlock & { readonly filePassphrase: string }): Promise<MovingOut>
  /** @throws {ClientError} `wrong-passphrase`, `already-registered`, `unreadable-export`. */
  importHome(file: Blob, filePassphrase: string): Promise<void>
  /** Takes an interrupted export back: the home can be opened again. */
  takeBack(settings: Unlock): Promise<void>
}

export interface MovingOut {
  readonly file: Blob
  /** The person has the file: the home is emptied. */
  readonly finish: () => Promise<void>
  /** There is no file: the home is as it was. */
  readonly cancel: () => Promise<void>
}

/** Telling of new messages. They say nothing but that there is one. */
export interface Notices {
  /** The words for what comes while no page is open. */
  keepWords(words: NotificationWords): Promise<void>
  readonly permission: 'granted' | 'denied' | 'default' | 'unsupported'
  /** From a click. */
  request(): Promise<boolean>
  show(title: string, onOpen: () => void): void
}

/** Web Push, for when no page is open. Off until somebody switches it on. */
export interface Push {
  isOn(): Promise<boolean>
  switchOn(couplet: Couplet): Promise<boolean>
  switchOff(couplet: Couplet): Promise<void>
}

/** New versions of the app. */
export interface Updates {
  /** Calls `tell` when a new version is loaded and waits. */
  onReady(tell: () => void): Promise<void>
  /** Loads the page anew with the version that waits. */
  use(): Promise<void>
}

export interface WebPlatform {
  readonly home: HomeAccess
  readonly tabLock: TabLock
  readonly moving: Moving
  readonly notices?: Notices
  readonly push?: Push | undefined
  readonly updates?: Updates
}
