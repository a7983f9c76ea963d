/** `couplet status`: who we are here, and whether the server answers. Changes nothing anywhere. */
import type { Contact, DeliveryState, OutgoingMessage } from '@couplet/client'
import { PATHS, parseShape, type ServerInfo, serverInfo } from '@couplet/wire'
import type { Context } from '../context.ts'
import type { Deadline } from '../deadline.ts'
import { exitCodeFor } from '../exit-codes.ts'
import { homeFolder, withCouplet } from '../home.ts'
import { sanitizeLine } from '../sanitize.ts'
import { countStates, STATE_WORDS } from '../states.ts'

export function run(context: Context): Promise<number> {
  const { terminal } = context
  return withCouplet(context, async (couplet, deadline) => {
    const home = await homeFolder(context)
    const contacts = await couplet.contacts()
    const outbox = await couplet.outbox()
    const info = await terminal.during('Asking the server …', ask(couplet.server, deadline))
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
          `Contacts  ${contactWords(contacts)}`,
          `Outbox    ${countStates(outbox) || 'nothing waits'}`,
        ].join('\n'),
      )
    }
    return info ? 0 : exitCodeFor('unreachable')
  })
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
