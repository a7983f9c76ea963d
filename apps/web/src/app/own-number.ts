/** Another number for this account: the same keys and conversations. */
import { webPlatform } from '../platform/index.ts'
import { closeMessenger, requireCouplet, useMessenger } from './messenger.ts'
import {
  type CodeEntry,
  currentPassphrase,
  enter,
  type NumberChange,
  resume,
  show,
} from './session.ts'

/**
 * Has a code sent to the new number. The account is closed until the code is entered, or until
 * somebody has thought better of it.
 *
 * @throws {ClientError} then the account is open again, as it was.
 */
export async function askForNewNumber(phone: string, invitation?: string): Promise<void> {
  const formerPhone = requireCouplet().phone
  show({ kind: 'starting' })
  await closeMessenger()
  try {
    await sendCode(phone, formerPhone, invitation)
  } catch (error) {
    await resume()
    throw error
  }
}

export function newNumberCode({ pending, formerPhone, invitation }: NumberChange): CodeEntry {
  return {
    submit: (code, pin) => finish(formerPhone, code, pin),
    resend: () => sendCode(pending.phone, formerPhone, invitation),
    back: () => void resume(),
    isFirst: false,
  }
}

async function sendCode(phone: string, formerPhone: string, invitation?: string): Promise<void> {
  const passphrase = currentPassphrase()
  const pending = await webPlatform.home.beginNumberChange({ phone, invitation, passphrase })
  show({ kind: 'new-number', change: { pending, askedAt: Date.now(), formerPhone, invitation } })
}

async function finish(formerPhone: string, code: string, pin: string | undefined): Promise<void> {
  const passphrase = currentPassphrase()
  await fetchWhatWaits()
  const { replaced } = await webPlatform.home.finishNumberChange({ code, pin, passphrase })
  await enter({ kind: 'number-changed', formerPhone, replaced })
}

/** The code may have taken its time: what came meanwhile would have to be sent to the new number again. */
async function fetchWhatWaits(): Promise<void> {
  const couplet = await webPlatform.home.openCouplet({ passphrase: currentPassphrase() })
  try {
    const settled = couplet.connect().then(() => couplet.settled())
    settled.catch(() => undefined)
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))])
  } finally {
    await couplet.close()
  }
}

/** Everybody who is written with, and may be told. */
export function peopleToTell(): readonly string[] {
  return useMessenger
    .getState()
    .conversations.map(({ contact }) => contact)
    .filter(({ blocked, accepted, changedKey }) => accepted && !blocked && !changedKey)
    .map(({ phone }) => phone)
}

/** @param text - what each of them is sent. */
export async function tellPeople(peers: readonly string[], text: string): Promise<void> {
  const couplet = requireCouplet()
  for (const peer of peers) await couplet.send(peer, text)
}

const PATIENCE_MS = 15_000
