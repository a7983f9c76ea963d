/** What of an account lies at the server: to be looked at, locked, and taken away. */
import type { AccountInfo, RegistrationPolicy, ServerInfo } from '@couplet/wire'
import { requireCouplet } from './messenger.ts'

export interface ServerFacts {
  readonly address: string
  readonly info: ServerInfo
  readonly account: AccountInfo
}

/** @throws {ClientError} or a `TypeError` of `fetch`, when the server cannot be asked. */
export async function askServer(): Promise<ServerFacts> {
  const couplet = requireCouplet()
  const [info, account] = await Promise.all([serverInfo(couplet.server), couplet.account()])
  return { address: couplet.server, info, account }
}

/** Who may register at the server that this page is from; `undefined` when it does not answer. */
export async function registrationPolicy(): Promise<RegistrationPolicy | undefined> {
  try {
    return (await serverInfo(location.origin)).registration ?? 'open'
  } catch {
    return undefined
  }
}

async function serverInfo(server: string): Promise<ServerInfo> {
  const answer = await fetch(`${server}/v1/server`, { cache: 'no-store' })
  if (!answer.ok) throw new TypeError('the server does not answer')
  return (await answer.json()) as ServerInfo
}
