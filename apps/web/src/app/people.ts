/** What a person decides about others, and about this account. */
import type { Contact, Settings } from '@couplet/client'
import {
  MEMO,
  type Messenger,
  type PersonNote,
  refreshPerson,
  requireCouplet,
  useMessenger,
} from './messenger.ts'

export function nameOf(
  phone: string,
  people: Messenger['people'] = useMessenger.getState().people,
): string {
  return people[phone]?.name || phone
}

export async function changePerson(phone: string, change: Partial<PersonNote>): Promise<void> {
  const people = {
    ...useMessenger.getState().people,
    [phone]: { ...useMessenger.getState().people[phone], ...change },
  }
  useMessenger.setState({ people })
  await requireCouplet().keepMemo(MEMO.people, people)
}

export async function changeOwnName(ownName: string): Promise<void> {
  useMessenger.setState({ ownName })
  await requireCouplet().keepMemo(MEMO.ownName, ownName)
}

/** Accepts what was shown and nothing newer. @throws {ClientError} `key-changed`. */
export async function acceptKey({ phone, identityId, changedKey }: Contact): Promise<void> {
  await requireCouplet().acceptKey(phone, changedKey?.identityId ?? identityId)
  await refreshPerson(phone)
}

export async function acceptRequest(phone: string): Promise<void> {
  await requireCouplet().accept(phone)
  await refreshPerson(phone)
}

export async function block(phone: string, blocked: boolean): Promise<void> {
  await requireCouplet().block(phone, blocked)
  await refreshPerson(phone)
}

export async function changeSettings(change: Partial<Settings>): Promise<void> {
  useMessenger.setState({ settings: { ...useMessenger.getState().settings, ...change } })
  useMessenger.setState({ settings: await requireCouplet().changeSettings(change) })
}
