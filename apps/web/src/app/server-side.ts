/** What of an account lies at the server: to be looked at, and to be taken away. */
import type { Couplet } from '@couplet/client'
import { requireCouplet } from './messenger.ts'

/** What `GET /v1/account` says, as far as it is shown. */
export interface AccountFacts {
  readonly waiting: number | undefined
}

/** Methods that the SDK has since the server has the routes for them. */
interface WithAccount {
  account?(): Promise<{ readonly waiting?: number }>
  deleteAccount?(): Promise<void>
}

export interface ServerFacts {
  readonly address: string
  readonly version: string
  readonly capacity: number
  readonly waiting: number | undefined
}

/** @throws {ClientError} or a `TypeError` of `fetch`, when the server cannot be asked. */
export async function askServer(): Promise<ServerFacts> {
  const couplet = requireCouplet() as Couplet & WithAccount
  const [info, account] = await Promise.all([serverInfo(couplet.server), couplet.account?.()])
  return { ...info, address: couplet.server, waiting: account?.waiting }
}

async function serverInfo(server: string): Promise<{ version: string; capacity: number }> {
  const answer = await fetch(`${server}/v1/server`, { cache: 'no-store' })
  if (!answer.ok) throw new Error('the server does not answer')
  const { version, capacity } = (await answer.json()) as { version: string; capacity: number }
  return { version, capacity }
}

export function canDeleteAccount(): boolean {
  return (requireCouplet() as Couplet & WithAccount).deleteAccount !== undefined
}

export async function deleteAccount(): Promise<void> {
  await (requireCouplet() as Couplet & WithAccount).deleteAccount?.()
}
