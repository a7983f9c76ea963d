/**
 * From the first look at this browser to an open home: which of the start screens is shown, and what
 * each of them can do.
 */
import type { PendingRegistration } from '@couplet/client'
import { create } from 'zustand'
import type { MovingOut, WebPlatform } from '../platform/index.ts'
import { stayConnected } from './connection.ts'
import { type Failure, failureOf } from './failures.ts'
import { closeMessenger, openMessenger } from './messenger.ts'

export type Phase =
  | { readonly kind: 'starting' }
  | { readonly kind: 'other-tab' }
  | { readonly kind: 'locked' }
  | { readonly kind: 'lost'; readonly phone: string; readonly server: string }
  | { readonly kind: 'welcome' }
  | {
      readonly kind: 'code'
      readonly pending: PendingRegistration
      readonly askedAt: number
      readonly invitation?: string | undefined
    }
  /** Registered just now; `replaced`: the number had another key before. */
  | { readonly kind: 'done'; readonly phone: string; readonly replaced: boolean }
  | { readonly kind: 'ready' }
  /** A new number waits for its code. */
  | { readonly kind: 'new-number'; readonly change: NumberChange }
  /** The account has a new number just now. It is open. */
  | { readonly kind: 'number-changed'; readonly formerPhone: string; readonly replaced: boolean }
  /** The home is in a file that the person has yet to save. */
  | { readonly kind: 'moving-out'; readonly moving: MovingOut }
  | { readonly kind: 'moved' }
  | { readonly kind: 'export-unfinished' }
  | { readonly kind: 'broken'; readonly failure: Failure }

export interface NumberChange {
  readonly pending: PendingRegistration
  readonly askedAt: number
  readonly formerPhone: string
  readonly invitation?: string | undefined
}

/** What the screen for a code does with it. */
export interface CodeEntry {
  /** @param pin - of a number that has a registration lock. */
  readonly submit: (code: string, pin?: string) => Promise<void>
  readonly resend: () => Promise<void>
  readonly back: () => void
  /** Whether this is a registration, with its three steps; else another number for an account. */
  readonly isFirst: boolean
}

interface Session {
  readonly phase: Phase
}

export const useSession = create<Session>()(() => ({ phase: { kind: 'starting' } }))

/** Kept for closing and opening again while the page lives; never stored. */
let passphrase: string | undefined

/** With it come the SDK and the cryptography: after the first paint. */
let loading: Promise<WebPlatform> | undefined

function loadPlatform(): Promise<WebPlatform> {
  loading ??= import('../platform/index.ts').then(({ webPlatform }) => webPlatform)
  return loading
}

export async function start(): Promise<void> {
  try {
    const { tabLock } = await loadPlatform()
    if (!(await tabLock.acquire(handOver))) return show({ kind: 'other-tab' })
    await openWhatIsThere()
  } catch (error) {
    show({ kind: 'broken', failure: failureOf(error) })
  }
}

export async function takeOver(): Promise<void> {
  show({ kind: 'starting' })
  const { tabLock } = await loadPlatform()
  await tabLock.takeOver(handOver)
  await openWhatIsThere()
}

/** Another tab wants the home: this one lets go of it. */
async function handOver(): Promise<void> {
  show({ kind: 'other-tab' })
  await closeMessenger()
}

async function openWhatIsThere(): Promise<void> {
  const { home } = await loadPlatform()
  const state = await home.homeState({ passphrase })
  switch (state.kind) {
    case 'new':
      return show({ kind: 'welcome' })
    case 'locked':
      return show({ kind: 'locked' })
    case 'lost':
    case 'moved':
    case 'export-unfinished':
      return show(state)
    case 'registering':
      return show({ kind: 'code', pending: state, askedAt: Date.now() })
    case 'registered':
      return enter()
  }
}

/** Shows what is there, in a tab that has the home and has closed it. */
export async function resume(): Promise<void> {
  try {
    await openWhatIsThere()
  } catch (error) {
    show({ kind: 'broken', failure: failureOf(error) })
  }
}

export function currentPassphrase(): string | undefined {
  return passphrase
}

/** Opens the home, and shows the chats or what comes before them. */
export async function enter(phase: Phase = { kind: 'ready' }): Promise<void> {
  const { home } = await loadPlatform()
  const couplet = await home.openCouplet({ passphrase })
  await openMessenger(couplet)
  stayConnected(couplet, (error) => show({ kind: 'broken', failure: failureOf(error) }))
  show(phase)
}

/** @throws {ClientError} `wrong-passphrase`. */
export async function unlock(entered: string): Promise<void> {
  const { home } = await loadPlatform()
  await home.homeState({ passphrase: entered })
  passphrase = entered
  await openWhatIsThere()
}

/** @param invitation - for servers that ask for one. */
export async function askForCode(phone: string, invitation?: string): Promise<void> {
  const { home } = await loadPlatform()
  const pending = await home.beginRegistration({ phone, invitation, passphrase })
  // Sent again, it needs the invitation again.
  show({ kind: 'code', pending, askedAt: Date.now(), invitation })
}

export function registrationCode({ phone }: PendingRegistration, invitation?: string): CodeEntry {
  const resend = () => askForCode(phone, invitation)
  return { submit: submitCode, resend, back: changeNumber, isFirst: true }
}

/** @param pin - of a number that has a registration lock. */
async function submitCode(code: string, pin?: string): Promise<void> {
  const { home } = await loadPlatform()
  const { phone, replaced } = await home.completeRegistration({ code, pin, passphrase })
  show({ kind: 'done', phone, replaced })
}

/** Back to the number, from the code; or to a fresh start when the home was lost. */
export function changeNumber(): void {
  show({ kind: 'welcome' })
}

export async function finishSetUp(): Promise<void> {
  show({ kind: 'starting' })
  try {
    await enter()
  } catch (error) {
    show({ kind: 'broken', failure: failureOf(error) })
  }
}

/** Everything of this browser goes. */
export async function forgetEverything(): Promise<void> {
  const { home } = await loadPlatform()
  await closeMessenger()
  await home.forgetHome()
  passphrase = undefined
  show({ kind: 'welcome' })
}

/**
 * @param before - needed when there is one; `undefined` in `next` takes it away.
 * @throws {ClientError} `wrong-passphrase`: nothing has changed.
 */
export async function changePassphrase(
  before: string | undefined,
  next: string | undefined,
): Promise<void> {
  const { home } = await loadPlatform()
  const wasOpen = useSession.getState().phase.kind === 'ready'
  if (wasOpen) show({ kind: 'starting' })
  await closeMessenger()
  try {
    await home.changePassphrase?.({ passphrase: before, newPassphrase: next })
    passphrase = next
  } finally {
    if (wasOpen) await enter()
  }
}

export function show(phase: Phase): void {
  useSession.setState({ phase })
}
