/** Codes by mail: to a gateway that makes SMS of them, or to people whose address has their number. */
import { createTransport } from 'nodemailer'
import { CodeRefusedError, type CodeTransport } from './code-transport.ts'

export interface SmtpOptions {
  readonly host: string
  readonly port: number
  /** `tls` from the start, `starttls` required, or `none` (only on one's own machine). */
  readonly security: 'tls' | 'starttls' | 'none'
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly from: string
  /** With `{number}` in it, which becomes the digits: `{number}@sms.example`. */
  readonly to: string
  /** Certificate authorities, PEM, when the system's do not know the server. */
  readonly ca?: string | undefined
}

export function smtpTransport(options: SmtpOptions): CodeTransport {
  const { host, port, security, user, password, from, to, ca } = options
  return {
    async send({ phone, text }, signal) {
      const mailer = createTransport({
        host,
        port,
        secure: security === 'tls',
        requireTLS: security === 'starttls',
        ignoreTLS: security === 'none',
        tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
        ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
        connectionTimeout: NETWORK_TIMEOUT_MS,
        greetingTimeout: NETWORK_TIMEOUT_MS,
        socketTimeout: NETWORK_TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      const stop = (): void => mailer.close()
      signal.addEventListener('abort', stop, { once: true })
      try {
        const recipient = to.replaceAll('{number}', phone.slice(1))
        await mailer.sendMail({ from, to: recipient, subject: 'Couplet', text })
      } catch (error) {
        if (isRefusal(error)) {
          throw new CodeRefusedError('the mail server does not take this message', { cause: error })
        }
        throw error
      } finally {
        signal.removeEventListener('abort', stop)
        mailer.close()
      }
    },
  }
}

/** RFC 5321: 5yz is a permanent no. One to our name and password is none to the message. */
function isRefusal(error: unknown): boolean {
  const { code, responseCode = 0 } = error as { code?: string; responseCode?: number }
  return code === 'EENVELOPE' && responseCode >= 500
}

const NETWORK_TIMEOUT_MS = 5000
