/**
 * The SDK in a browser: an encrypted store in IndexedDB, and the server over `fetch` and WebSocket.
 *
 *     const me = await openCouplet()
 *     await me.connect()
 *     const { delivered } = await me.send('+12025550102', 'Dinner at eight?')
 *
 * One page at a time may have a home open. Opening takes it over: the page that had it gets
 * `home-locked` at its next step. Whoever wants to ask first uses Web Locks.
 */
import { webPrimitives } from '@couplet/protocol/web'
import type { Couplet, PendingRegistration, Registered } from '../api.ts'
import { type ClientPorts, openClient } from '../client.ts'
import { createHttpApi } from '../http-api.ts'
import { completeNumberChange, requestNumberChange } from '../number-change.ts'
import {
  beginRegistrationIn,
  pendingRegistration,
  requirePhoneNumber,
  submitCode,
} from '../registration.ts'
import { createSocketConnector } from '../socket-connector.ts'
import { deleteHint, readHint, writeHint } from './hint.ts'
import * as home from './home.ts'
import { webPlatform } from './platform.ts'
import { systemClock } from './system.ts'
import { followPage } from './wake.ts'

export { deleteHint, type HomeHint, readHint, writeHint } from './hint.ts'
export type { Protection, WebHome, WebHomeOptions } from './home.ts'
export { changePassphrase, deleteHome, inspectHome, openHome } from './home.ts'
export { type BlobExport, exportToBlob, importFromBlob, takeBackHomeExport } from './move.ts'
export { stretchHere } from './stretch.ts'
export { followPage } from './wake.ts'

/** What this browser has. */
export type HomeState =
  /** Nothing, and there never was anything. */
  | { readonly kind: 'new' }
  /** A passphrase must be asked for before more can be said. */
  | { readonly kind: 'locked' }
  /** A code was asked for. */
  | ({ readonly kind: 'registering' } & PendingRegistration)
  | { readonly kind: 'registered'; readonly protection: home.Protection }
  /**
   * There was an identity, and the browser has thrown its storage away: its messages and keys are
   * gone. To be registered anew, or imported.
   */
  | { readonly kind: 'lost'; readonly phone: string; readonly server: string }

/**
 * Looks what this browser has, without taking a home over from another page.
 *
 * @throws {ClientError} `unreadable-home`, `wrong-passphrase`.
 */
export async function homeState(settings: home.WebHomeOptions = {}): Promise<HomeState> {
  const protection = await home.inspectHome(settings.name)
  if (protection === 'absent') return lostOrNew(settings)
  if (protection === 'passphrase' && settings.passphrase === undefined) return { kind: 'locked' }
  const store = await home.readOnly(settings)
  try {
    const pending = await pendingRegistration(store)
    if (!pending) return lostOrNew(settings)
    const { account, expiresAt, development } = pending
    const { phone, server } = account
    return { kind: 'registering', phone, server, expiresAt, development }
  } catch (error) {
    if (isAlreadyRegistered(error)) return { kind: 'registered', protection }
    throw error
  } finally {
    await store.close()
  }
}

/**
 * Asks the server to send a code to a phone number; the home remembers the server and the number.
 * A home is made only when the server has said yes.
 *
 * @param settings.server - URL; left out, the one of the earlier try, or where this page is from.
 * @throws {ClientError} `invalid-phone-number`, `already-registered`, `unreachable`, …
 */
export function beginRegistration(
  settings: home.WebHomeOptions & {
    readonly phone: string
    readonly server?: string | undefined
    readonly invitation?: string | undefined
  },
): Promise<PendingRegistration> {
  return beginRegistrationIn(
    webPorts,
    {
      read: async () =>
        (await home.inspectHome(settings.name)) === 'absent' ? undefined : home.readOnly(settings),
      create: async () => (await home.openHome({ ...settings, create: true })).store,
    },
    { ...settings, usualServer: location.origin },
  )
}

/**
 * Finishes a registration with the code.
 *
 * @throws {ClientError} `no-registration`, `wrong-code` (`details.triesLeft`),
 *   `registration-locked` (the same; a PIN is needed), `too-many-attempts`,
 *   `registration-expired`, `unreachable`, …: nothing is changed.
 */
export async function completeRegistration(
  settings: home.WebHomeOptions & { readonly code: string; readonly pin?: string | undefined },
): Promise<Registered> {
  const { store } = await home.openHome({ ...settings, create: false })
  try {
    const registered = await submitCode(webPorts, store, settings.code, settings.pin)
    const { phone, server } = registered
    writeHint(nameOf(settings), { phone, server, since: Date.now() })
    return registered
  } finally {
    await store.close()
  }
}

/**
 * Asks the server to send a code to another number, which this home is to have. Takes the home over.
 *
 * @throws {ClientError} `invalid-phone-number`, `malformed` for the number that it has, `unreachable`, …:
 *   nothing is changed.
 */
export async function beginNumberChange(
  settings: home.WebHomeOptions & {
    readonly phone: string
    readonly invitation?: string | undefined
  },
): Promise<PendingRegistration> {
  const phone = requirePhoneNumber(settings.phone)
  const { store } = await home.openHome({ ...settings, create: false })
  try {
    const { invitation } = settings
    const pending = await requestNumberChange(webPorts, store, { phone, invitation })
    const { account, expiresAt, development } = pending
    return { phone, server: account.server, expiresAt, development }
  } finally {
    await store.close()
  }
}

/**
 * Finishes with the code: from now on this home has the new number, with the same keys and
 * conversations, and the old one is given back.
 *
 * @throws {ClientError} those of `completeRegistration`: nothing is changed.
 */
export async function finishNumberChange(
  settings: home.WebHomeOptions & { readonly code: string; readonly pin?: string | undefined },
): Promise<Registered> {
  const { store } = await home.openHome({ ...settings, create: false })
  try {
    return await completeNumberChange(webPorts, store, settings.code, settings.pin)
  } finally {
    await store.close()
  }
}

/**
 * Opens a registered home and takes it over. Offline at first: call `connect`. From then on it wakes
 * and sleeps with the page: goes offline when the page is frozen, and comes back at once when the
 * page, or the network, does.
 *
 * @throws {ClientError} `not-registered`, `passphrase-required`, `wrong-passphrase`,
 *   `unreadable-home`.
 */
export async function openCouplet(settings: home.WebHomeOptions = {}): Promise<Couplet> {
  const { store } = await home.openHome({ ...settings, create: false })
  try {
    const couplet = await openClient({ ...webPorts, store })
    const { phone, server } = couplet
    writeHint(nameOf(settings), { phone, server, since: Date.now() })
    return followPage(couplet)
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * Removes the home of this browser, and every hint of it. Nothing is said to the server: see
 * `deleteAccount`.
 */
export async function forgetHome(settings: { readonly name?: string } = {}): Promise<void> {
  await home.deleteHome(settings.name)
  deleteHint(nameOf(settings))
}

/**
 * Asks the browser not to throw this site's storage away when room is short. It may ask the user,
 * and decides by itself; asking again later may have another answer.
 */
export async function requestPersistence(): Promise<boolean> {
  const { storage } = navigator
  return (await storage.persisted()) || (await storage.persist())
}

function lostOrNew(settings: home.WebHomeOptions): HomeState {
  const hint = readHint(nameOf(settings))
  return hint ? { kind: 'lost', phone: hint.phone, server: hint.server } : { kind: 'new' }
}

function isAlreadyRegistered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'already-registered'
}

function nameOf({ name }: { readonly name?: string | undefined }): string {
  return name ?? home.DEFAULT_NAME
}

/** Everything but the store that a client in a browser wants. */
export const webPorts: Omit<ClientPorts, 'store'> = {
  platform: webPlatform,
  createApi: (url) =>
    createHttpApi({ url, clock: systemClock, sha256: (data) => webPrimitives.sha256(data) }),
  createConnector: (url) => createSocketConnector({ url, clock: systemClock }),
}
