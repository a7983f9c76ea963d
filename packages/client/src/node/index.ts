/**
 * The SDK on Node: a home folder, an encrypted SQLite store, and the server over HTTP and WebSocket.
 *
 *     const me = await openCouplet({ home: './ana' })
 *     await me.connect()
 *     const { delivered } = await me.send('+12025550102', 'Dinner at eight?')
 *     await delivered                        // proven by the recipient's device
 */
import {
  exportExchangeKey,
  forgetKeys,
  importExchangeKey,
  nodePrimitives,
} from '@couplet/protocol/node'
import type { Couplet, PendingRegistration, Registered } from '../api.ts'
import { openClient } from '../client.ts'
import type { Imported } from '../export.ts'
import { createHttpApi } from '../http-api.ts'
import { completeNumberChange, requestNumberChange } from '../number-change.ts'
import type { Platform } from '../platform.ts'
import type { Connector, ServerApi } from '../ports.ts'
import { beginRegistrationIn, requirePhoneNumber, submitCode } from '../registration.ts'
import { createSocketConnector } from '../socket-connector.ts'
import { inspectHome, openHome } from './home.ts'
import { exportToFile, importFromFile, type MoveSettings, takeBackHome } from './move.ts'
import { systemClock, systemRandom } from './system.ts'

export { defaultHome } from './home.ts'
export type { MoveSettings } from './move.ts'

export interface HomeSettings {
  /** Path of the home folder. */
  readonly home: string
  /** Left out: the home has no passphrase. */
  readonly passphrase?: string | Uint8Array | undefined
}

/**
 * Asks the server to send a code to a phone number; the home remembers the server and the number.
 * A home is made only when the server has said yes.
 *
 * @throws {ClientError} `invalid-phone-number`, `already-registered`, `unreachable`, `home-locked`, …
 */
export async function beginRegistration(
  settings: HomeSettings & {
    readonly phone: string
    readonly server?: string | undefined
    readonly invitation?: string | undefined
  },
): Promise<PendingRegistration> {
  return beginRegistrationIn(
    ports,
    {
      read: async () =>
        (await inspectHome(settings.home)) === 'absent'
          ? undefined
          : (await openHome({ ...settings, create: false })).store,
      create: async () => (await openHome({ ...settings, create: true })).store,
    },
    settings,
  )
}

/**
 * Finishes a registration with the code.
 *
 * @throws {ClientError} `no-registration`, `wrong-code` (`details.triesLeft`), `too-many-attempts`,
 *   `registration-expired`, `unreachable`, `home-locked`, …: nothing is changed.
 */
export async function completeRegistration(
  settings: HomeSettings & { readonly code: string; readonly pin?: string | undefined },
): Promise<Registered> {
  const { store } = await openHome({ ...settings, create: false })
  try {
    return await submitCode(ports, store, settings.code, settings.pin)
  } finally {
    await store.close()
  }
}

/**
 * Asks the server to send a code to another number for the same identity. The home must not be open.
 *
 * @throws {ClientError} `not-registered`, `malformed` for the number that it has, those of
 *   `beginRegistration`: nothing is changed.
 */
export async function beginNumberChange(
  settings: HomeSettings & {
    readonly phone: string
    readonly invitation?: string | undefined
  },
): Promise<PendingRegistration> {
  const phone = requirePhoneNumber(settings.phone)
  const { store } = await openHome({ ...settings, create: false })
  try {
    const pending = await requestNumberChange(ports, store, { ...settings, phone })
    const { account, expiresAt, development } = pending
    return { phone, server: account.server, expiresAt, development }
  } finally {
    await store.close()
  }
}

/**
 * Finishes a change of number with the code. What waits at the old number is received first, and the
 * contacts are told; they go on as before: the keys are the same.
 *
 * @throws {ClientError} those of `completeRegistration`: nothing is changed, and the same code may be
 *   brought again.
 */
export async function finishNumberChange(
  settings: HomeSettings & { readonly code: string; readonly pin?: string | undefined },
): Promise<Registered> {
  const { store } = await openHome({ ...settings, create: false })
  try {
    return await completeNumberChange(ports, store, settings.code, settings.pin)
  } finally {
    await store.close()
  }
}

/**
 * Opens a registered home, which stays locked for this process until `close`. Offline at first:
 * call `connect`.
 *
 * @throws {ClientError} `not-registered`, `home-locked`, `passphrase-required`, `wrong-passphrase`,
 *   `unreadable-home`.
 */
export async function openCouplet(settings: HomeSettings): Promise<Couplet> {
  const { store } = await openHome({ ...settings, create: false })
  try {
    return await openClient({ ...ports, store })
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Whether opening a home takes a passphrase; `new` when there is none yet. */
export async function needsPassphrase(home: string): Promise<'none' | 'passphrase' | 'new'> {
  const found = await inspectHome(home)
  return found === 'absent' ? 'new' : found
}

/**
 * Moves a home into a file that must not exist yet: `filePassphrase` is the file's. The home cannot
 * be opened any more, and says so. If the file cannot be written, the home is as it was. To be called
 * again when it was interrupted (`export-unfinished`).
 *
 * @throws {ClientError} `not-registered`, `home-moved`, `home-locked`, `passphrase-required`,
 *   `wrong-passphrase`, `unreadable-home`; an error of the file system.
 */
export function exportHomeToFile(settings: MoveSettings): Promise<void> {
  return exportToFile(platform, settings)
}

/**
 * Makes a home from a file. The file stays, and is to be deleted: a home is imported once.
 *
 * @throws {ClientError} `already-registered` when there is a home; `wrong-passphrase` of the file;
 *   `unreadable-export`; an error of the file system.
 */
export function importHomeFromFile(settings: MoveSettings): Promise<Imported> {
  return importFromFile(platform, settings)
}

/**
 * Takes an interrupted export back, so that the home can be opened again. Its owner must be sure
 * that no file of that export is imported anywhere.
 *
 * @throws {ClientError} `home-moved` when the export was finished.
 */
export function takeBackHomeExport(settings: HomeSettings): Promise<void> {
  return takeBackHome(settings)
}

const platform: Platform = {
  primitives: nodePrimitives,
  random: systemRandom,
  clock: systemClock,
  exportExchangeKey,
  importExchangeKey: async (exported) => importExchangeKey(exported),
  forgetKeys,
}

const ports = {
  platform,
  createApi: (url: string): ServerApi =>
    createHttpApi({ url, clock: systemClock, sha256: (data) => nodePrimitives.sha256(data) }),
  createConnector: (url: string): Connector => createSocketConnector({ url, clock: systemClock }),
}
