/**
 * Codes by SMS over SMPP 3.4, straight to an operator's SMSC.
 *
 * One session for each code: bind, submit, unbind. Codes are few, and there is no session that
 * could have died unnoticed.
 */
import smpp from 'smpp'
import { CodeRefusedError, type CodeTransport } from './code-transport.ts'

export interface SmppOptions {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly systemId: string
  readonly password: string
  /** A number with a plus, or a name of up to eleven characters. */
  readonly from: string
}

export function smppTransport(options: SmppOptions): CodeTransport {
  return {
    async send({ phone, text }, signal) {
      const session = await connect(options, signal)
      try {
        const { systemId: system_id, password } = options
        const bound = await ask(session, 'bind_transmitter', {
          system_id,
          password,
          interface_version: SMPP_3_4,
        })
        if (bound !== OK) throw new Error(`the SMSC does not let us in (status ${bound})`)
        const submitted = await ask(session, 'submit_sm', {
          ...sourceOf(options.from),
          dest_addr_ton: INTERNATIONAL,
          dest_addr_npi: ISDN,
          destination_addr: phone.slice(1),
          short_message: text,
        })
        if (REFUSALS.has(submitted)) {
          throw new CodeRefusedError(`the SMSC does not take this message (status ${submitted})`)
        }
        if (submitted !== OK) throw new Error(`the SMSC did not take it (status ${submitted})`)
        session.unbind()
      } finally {
        session.close()
      }
    },
  }
}

function connect({ host, port, tls }: SmppOptions, signal: AbortSignal): Promise<smpp.Session> {
  return new Promise((resolve, reject) => {
    const session = smpp.connect({ host, port, tls, ...(tls && { servername: host }) })
    session.on(tls ? 'secureConnect' : 'connect', () => resolve(session))
    // After the connection: whoever waits for an answer hears of it.
    session.on('error', reject)
    signal.addEventListener('abort', () => session.destroy(), { once: true })
  })
}

/** The status of the answer. */
function ask(
  session: smpp.Session,
  command: 'bind_transmitter' | 'submit_sm',
  fields: Readonly<Record<string, string | number>>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error('the SMSC closed the connection'))
    session.on('error', reject)
    session.on('close', lost)
    const sent = session[command](fields, ({ command_status }) => resolve(command_status))
    if (!sent) lost()
  })
}

function sourceOf(from: string): Record<string, string | number> {
  return from.startsWith('+')
    ? { source_addr_ton: INTERNATIONAL, source_addr_npi: ISDN, source_addr: from.slice(1) }
    : { source_addr_ton: ALPHANUMERIC, source_addr_npi: 0, source_addr: from }
}

const OK = 0
const SMPP_3_4 = 0x34
/** Types and plans of numbers. (SMPP 3.4, 5.2.5 and 5.2.6) */
const INTERNATIONAL = 1
const ALPHANUMERIC = 5
const ISDN = 1
/** ESME_RINVDSTADR, ESME_RINVDSTTON, ESME_RINVDSTNPI. (SMPP 3.4, 5.1.3) */
const REFUSALS: ReadonlySet<number> = new Set([0x0b, 0x50, 0x51])
