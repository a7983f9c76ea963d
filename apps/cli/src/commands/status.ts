/** `couplet status`: who we are here, and whether the server answers. Changes nothing anywhere. */
import type { Contact, Couplet, DeliveryState, OutgoingMessage } from '@couplet/client'
import { type AccountInfo, PATHS, parseShape, type ServerInfo, serverInfo } from '@couplet/wire'
import type { Context } from '../context.ts'
import type { Deadline } from '../deadline.ts'
import { codeOf } from '../errors.ts'
import { exitCodeFor } from '../exit-codes.ts'
import { homeFolder, withCouplet } from '../home.ts'
import { lockWords } from '../pin-words.ts'
import { sanitizeLine } from '../sanitize.ts'
import { countStates, STATE_WORDS } from '../states.ts'

export function run(context: Context): Promise<number> {
  const { terminal } = context
  return withCouplet(context, async (couplet, deadline) => {
    const home = await homeFolder(context)
    const contacts = await couplet.contacts()
    const outbox = await couplet.outbox()
    const info = await terminal.during('Asking the server …', ask(couplet.server, deadline))
    const account = info && (await accountAt(couplet, deadline))
    const { phone, server, identityId } = couplet
    if (terminal.json) {
      await terminal.printJson({
        type: 'status',
        phone,
        server,
        identityId,
        home,
        reachable: info !== undefined,
        ...(info && { serverVersion: info.version, capacity: info.capacity }),
        ...(account && { registered: account !== 'gone' }),
        ...(isAccount(account) && { waiting: account.waiting, pin: pinJson(account) }),
        contacts: contacts.length,
        verified: contacts.filter((contact) => contact.verified).length,
        outbox: countsOf(outbox),
      })
    } else {
      await terminal.print(
        [
          `Number    ${phone}`,
          `Server    ${server}  ${serverWords(context, info)}`,
          `Home      ${home}`,
          ...(account === 'gone' ? [`Account   ${terminal.paint('red', NOT_KNOWN)}`] : []),
          ...(isAccount(account) ? [`PIN       ${lockWords(account.lock, Date.now())}`] : []),
          `Contacts  ${contactWords(contacts)}`,
          `Outbox    ${countStates(outbox) || 'nothing waits'}`,
        ].join('\n'),
      )
    }
    if (account === 'gone') return exitCodeFor('unauthenticated')
    return info ? 0 : exitCodeFor('unreachable')
  })
}

/** What the server keeps of us; `gone` when it does not know us, nothing when it does not say. */
async function accountAt(
  couplet: Couplet,
  deadline: Deadline,
): Promise<AccountInfo | 'gone' | undefined> {
  try {
    return await deadline.race(couplet.account())
  } catch (error) {
    return codeOf(error) === 'unauthenticated' ? 'gone' : undefined
  }
}

function isAccount(account: AccountInfo | 'gone' | undefined): account is AccountInfo {
  return account !== undefined && account !== 'gone'
}

function pinJson({ lock }: AccountInfo): Record<string, unknown> {
  return { set: lock !== undefined, ...(lock && { failures: lock.failures }) }
}

/** What the server says about itself; `undefined` when it does not answer like one of ours. */
async function ask(server: string, deadline: Deadline): Promise<ServerInfo | undefined> {
  try {
    const response = await deadline.race(fetch(new URL(PATHS.server, server)))
    return parseShape(serverInfo, await response.json())
  } catch {
    return undefined
  }
}

function serverWords({ terminal }: Context, info: ServerInfo | undefined): string {
  if (!info) return terminal.paint('red', 'does not answer')
  const keeps = `keeps ${info.capacity} message${info.capacity === 1 ? '' : 's'} for you`
  return terminal.paint('green', `answers, ${keeps} (version ${sanitizeLine(info.version)})`)
}

function contactWords(contacts: readonly Contact[]): string {
  const verified = contacts.filter((contact) => contact.verified).length
  const changed = contacts.filter((contact) => contact.changedKey).length
  const words = [`${contacts.length}`, `${verified} verified`]
  if (changed > 0) words.push(`${changed} with a changed key`)
  return words.join(', ')
}

function countsOf(outbox: readonly OutgoingMessage[]): Record<string, number> {
  const states = (Object.keys(STATE_WORDS) as DeliveryState[]).filter(
    (state) => state !== 'delivered',
  )
  return Object.fromEntries(
    states.map((state) => [state, outbox.filter((message) => message.state === state).length]),
  )
}

const NOT_KNOWN = 'is not known there any more: register anew, in another home'
